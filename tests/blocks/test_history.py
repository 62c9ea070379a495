"""Figures' facts from a ledger that was filled on a real PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from blocks.ledger import Cut, Ledger
from blocks.ledger.history import Past
from blocks.ledger.store import Store
from domain.errors import Refused
from domain.figures.facts import History
from domain.journal import Decision, Deployment
from domain.plan import Serving

DAY = date(2026, 11, 24)
COMMITTED = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    made = Ledger(database_url)
    made.migrate()
    return made


def cut(ledger: Ledger, run: str, digest: str = "") -> str:
    """Built with one service, under its own version where the digest is new."""
    services = ("web",)
    made = Cut(run, "main", "c0ffee", COMMITTED, "ann", "sale", services, ("staging",))
    version = ledger.releases.open(made, DAY).version
    part = {"service": "web", "kind": "web", "digest": digest or f"sha256:{version}",
            "version": version, "evidence": "", "reference": ""}  # fmt: skip
    record = {"version": version, "commit": "c0ffee", "configuration": "", "migrations": ""}
    ledger.releases.record_manifest(version, {**record, "parts": [part]})
    return version


def deploy(
    ledger: Ledger, version: str, run: str, state: str = "done", **steps: Mapping[str, Any]
) -> Deployment:
    """Through these steps to its end; ``_`` in a step's name stands for a space."""
    row = ledger.deployments.open(version, "staging", "release", run, "ann")
    with ledger.exclusive("staging", "me", 30, 1) as lease:
        journal = ledger.journal(f"deployment:{row.id}", lease)
        for name, outcome in steps.items():
            journal.once(name.replace("_", " "), partial(dict, outcome))
        if state in ("rolled back", "halted"):
            ledger.deployments.advance(row.id, "rolling back", lease, "sick")
        ledger.deployments.advance(row.id, state, lease)
        if state == "done":
            ledger.deployments.serve(row, {"web": Serving(version, f"sha256:{version}")}, lease)
    return ledger.deployments.get(row.id)


def lately(ledger: Ledger) -> History:
    now = ledger.approvals.now()
    return ledger.past.between(now - HOUR, now)


def test_an_empty_ledger_has_an_empty_past(ledger: Ledger) -> None:
    found = lately(ledger)

    assert (found.moved, found.steps, found.kept, found.whole) == ((), (), (), True)
    assert ledger.past.totals((1.0,), (1.0,)).ended == ()
    assert ledger.past.diverged() == {}


def test_deployments_come_with_what_they_moved_and_when_customers_met_them(
    ledger: Ledger,
) -> None:
    first, second = cut(ledger, "run-1"), cut(ledger, "run-2")
    deploy(ledger, first, "run-1", prepare_hosts={}, route_web_10={"at": "x"})
    deploy(ledger, second, "run-2", "rolled back", prepare_hosts={})

    good, bad = lately(ledger).moved
    now = ledger.approvals.now()

    assert ledger.past.moved(now - HOUR, now) == (good, bad)
    assert good.changes == {"web": ("", first)}
    assert good.exposed_at is not None
    assert good.created_at < good.exposed_at
    assert (bad.state, bad.changes, bad.exposed_at) == (
        "rolled back",
        {"web": (first, second)},
        None,
    )


def test_steps_come_with_their_verdicts_and_checks_are_counted(ledger: Ledger) -> None:
    outcomes = [{"check": "INV-01", "result": "pass"}, {"check": "INV-01", "result": "pass"},
                {"check": "ORD-01", "result": "fail"}]  # fmt: skip
    deploy(
        ledger, cut(ledger, "run-1"), "run-1", watch_web_10={"decision": "promote", "points": [1]},
        check_stock_and_orders={"verdict": "fail", "outcomes": outcomes},
    )  # fmt: skip
    deploy(
        ledger, cut(ledger, "run-2"), "run-2",
        check_stock_and_orders={"verdict": "pass", "outcomes": outcomes[:1]},
    )  # fmt: skip

    found = lately(ledger)

    assert [(one.name, one.verdict) for one in found.steps] == [
        ("watch web 10", "promote"), ("check stock and orders", "fail"),
        ("check stock and orders", "pass"),
    ]  # fmt: skip
    assert found.checks == {("staging", "INV-01", "pass"): 3, ("staging", "ORD-01", "fail"): 1}


def test_what_was_built_and_backed_up_is_kept_by_the_release_that_left_it(ledger: Ledger) -> None:
    version = cut(ledger, "run-1")
    with ledger.exclusive("build", "me", 30, 1) as lease:
        journal = ledger.journal(f"release:{version}", lease)
        journal.once("build web", lambda: {"size": 7_000, "reference": "registry/web"})
    backup = {"files": {"a": [100, "sha"], "b": [50, "sha"]}, "tables": {}}
    deploy(ledger, version, "run-1", back_up=backup)

    found = ledger.past.of_release(version, ledger.approvals.now())

    assert [(one.what, one.size, one.registry) for one in found.kept] == [
        ("artifact", 7_000, True), ("backup", 150, False),
    ]  # fmt: skip
    assert all(one.seconds >= 0 for one in found.steps)


def test_a_release_that_was_never_deployed_has_its_own_steps(ledger: Ledger) -> None:
    version = cut(ledger, "run-1")
    with ledger.exclusive("build", "me", 30, 1) as lease, pytest.raises(Refused):
        ledger.journal(f"release:{version}", lease).once("test web", refused)

    assert [one.version for one in lately(ledger).steps] == [version]


def refused() -> Mapping[str, Any]:
    raise Refused("no test passed")


def test_people_are_waited_for_from_when_they_were_asked(ledger: Ledger) -> None:
    row = ledger.deployments.open(cut(ledger, "run-1"), "staging", "release", "run-1", "ann")
    approval = ledger.approvals.open(row, "sha256:plan", 60)
    ledger.approvals.decide(approval.id, "sha256:plan", Decision("approved", "bo"))

    (found,) = lately(ledger).waited

    assert found.decided_at is not None
    assert timedelta() < found.decided_at - found.asked_at < timedelta(seconds=60)


def test_what_was_only_rehearsed_is_no_deployment(ledger: Ledger) -> None:
    deploy(ledger, cut(ledger, "drill-1"), "drill-1")
    with psycopg.connect(ledger.url) as connection:
        connection.execute(
            "INSERT INTO drills (kind, environment, flow_run, requested_by, agreed_rto_seconds,"
            " agreed_rpo_seconds, result, begun_at, finished_at) VALUES ('rollback', 'staging',"
            " 'drill-1', 'bo', 1, 1, 'passed', clock_timestamp(), clock_timestamp())"
        )

    assert lately(ledger).moved == ()
    assert [one.kind for one in ledger.past.totals((1.0,), (1.0,)).drilled] == ["rollback"]


def test_totals_are_of_all_time_and_in_buckets(ledger: Ledger) -> None:
    deploy(ledger, cut(ledger, "run-1"), "run-1", route_web_10={})
    deploy(ledger, cut(ledger, "run-2"), "run-2", "rolled back", route_web_10={})
    deploy(ledger, cut(ledger, "run-3"), "run-3", "rolled back")

    found = ledger.past.totals((1.0, 1e12), (0.0, 60.0))

    assert [(one.state, one.times) for one in found.ended] == [("done", 1), ("rolled back", 2)]
    assert [one.counts for one in found.lead] == [(0, 1, 1)]
    assert [one.counts for one in found.recovery] == [(0, 1, 1)]
    assert 0 < found.recovery[0].seconds < 60


def test_too_many_deployments_are_cut_off_and_it_is_said(ledger: Ledger) -> None:
    deploy(ledger, cut(ledger, "run-1"), "run-1")
    newest = deploy(ledger, cut(ledger, "run-2"), "run-2")
    now = ledger.approvals.now()

    found = Past(Store(ledger.url), most_deployments=1).between(now - HOUR, now)

    assert (found.whole, [one.id for one in found.moved]) == (False, [newest.id])
