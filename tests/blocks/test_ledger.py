"""The ledger on a real PostgreSQL: leases, the journal, approvals, and its verification."""

import time
from datetime import UTC, date, datetime

import psycopg
import pytest

from blocks.ledger import Cut, Lease, Ledger
from domain.errors import Fenced, Refused
from domain.journal import Decision, Deployment
from domain.plan import Serving

DAY = date(2026, 11, 24)


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    made = Ledger(database_url)
    made.migrate()
    return made


def cut(flow_run: str = "run-1") -> Cut:
    when = datetime(2026, 11, 24, tzinfo=UTC)
    return Cut(flow_run, "main", "c0ffee", when, "ann", "sale", ("storefront",), ("staging",))


def deployment(ledger: Ledger, flow_run: str = "run-1") -> Deployment:
    version = ledger.releases.open(cut(flow_run), DAY).version
    return ledger.deployments.open(version, "staging", "release", flow_run, "ann")


def lease(ledger: Ledger, owner: str = "me", seconds: float = 30) -> Lease:
    taken = ledger.leases.take("staging", owner, seconds)
    assert taken is not None
    return taken


def alter(ledger: Ledger, statement: str) -> None:
    with psycopg.connect(ledger.url) as connection:
        connection.execute(statement)


def test_a_flow_run_gets_one_release_however_often_it_asks(ledger: Ledger) -> None:
    first = ledger.releases.open(cut(), DAY)

    again = ledger.releases.open(cut(), DAY)
    other = ledger.releases.open(cut("run-2"), DAY)

    assert (first.version, again.version, other.version) == (
        "2026.11.24.1",
        "2026.11.24.1",
        "2026.11.24.2",
    )


def test_a_manifest_never_changes(ledger: Ledger) -> None:
    version = ledger.releases.open(cut(), DAY).version
    ledger.releases.record_manifest(version, {"commit": "a"})

    ledger.releases.record_manifest(version, {"commit": "a"})
    with pytest.raises(Refused, match="never changes"):
        ledger.releases.record_manifest(version, {"commit": "b"})

    assert ledger.releases.manifest(version) == {"commit": "a"}


def test_one_deployment_at_a_time_in_an_environment(ledger: Ledger) -> None:
    deployment(ledger)

    with pytest.raises(Refused, match="another deployment under way"):
        deployment(ledger, "run-2")


def test_a_lease_is_for_one_and_its_epoch_rises(ledger: Ledger) -> None:
    first = lease(ledger)

    assert ledger.leases.take("staging", "you", 30) is None
    ledger.leases.release(first)

    assert lease(ledger, "you").epoch == first.epoch + 1


def test_a_stale_executor_is_fenced_at_every_write(ledger: Ledger) -> None:
    row = deployment(ledger)
    old = lease(ledger, "old", 0)
    lease(ledger, "new")
    journal = ledger.journal("deployment:1", old)

    with pytest.raises(Fenced):
        journal.once("migrate", dict)
    with pytest.raises(Fenced):
        ledger.deployments.advance(row.id, "canary", old)
    with pytest.raises(Fenced):
        ledger.deployments.serve(row, {"storefront": Serving("1", "sha256:a")}, old)

    assert journal.find("migrate") is None


def test_a_lease_is_kept_while_its_holder_lives(ledger: Ledger) -> None:
    with ledger.exclusive("staging", "me", seconds=1, wait_seconds=1):
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            assert ledger.leases.take("staging", "you", 1) is None

    assert ledger.leases.take("staging", "you", 1) is not None


def test_a_second_executor_is_refused_after_a_bounded_wait(ledger: Ledger) -> None:
    lease(ledger)

    with pytest.raises(Fenced, match="held by another"), ledger.exclusive("staging", "you", 1, 0.3):
        pass


def test_a_step_that_is_done_is_not_done_again(ledger: Ledger) -> None:
    journal = ledger.journal("deployment:1", lease(ledger))
    acts: list[int] = []

    def act() -> dict[str, int]:
        acts.append(1)
        return {"weight": 10}

    assert journal.once("route", act) == journal.once("route", act) == {"weight": 10}
    assert len(acts) == 1


def test_a_failed_step_keeps_its_error_and_may_be_tried_again(ledger: Ledger) -> None:
    journal = ledger.journal("deployment:1", lease(ledger))

    def fail() -> dict[str, int]:
        raise RuntimeError("host is away")

    with pytest.raises(RuntimeError):
        journal.once("place", fail)
    failed = journal.find("place")
    journal.once("place", lambda: {"at": "host"})

    assert failed is not None
    assert (failed.status, failed.outcome) == ("failed", {"error": "RuntimeError: host is away"})
    assert journal.once("place", fail) == {"at": "host"}


def test_an_approval_counts_once_for_its_plan_and_never_ones_own(ledger: Ledger) -> None:
    asked = ledger.approvals.open(deployment(ledger), "sha256:plan", 60)

    for answer in (("sha256:other", "bob"), ("sha256:plan", " Ann "), ("sha256:plan", "")):
        with pytest.raises(Refused):
            ledger.approvals.decide(asked.id, answer[0], Decision("approved", answer[1]))
    ledger.approvals.decide(asked.id, "sha256:plan", Decision("approved", "bob", "read it"))
    with pytest.raises(Refused, match="already approved by bob"):
        ledger.approvals.decide(asked.id, "sha256:plan", Decision("rejected", "eve", "no"))

    assert ledger.approvals.get(asked.id).decision == "approved"
    assert ledger.verify() == ()


def test_an_approval_expires(ledger: Ledger) -> None:
    asked = ledger.approvals.open(deployment(ledger), "sha256:plan", 0)

    with pytest.raises(Refused, match="expired"):
        ledger.approvals.decide(asked.id, "sha256:plan", Decision("approved", "bob"))

    assert ledger.approvals.expire(asked.id).decision == "expired"


def filled(ledger: Ledger) -> None:
    row = deployment(ledger)
    holder = lease(ledger)
    ledger.journal("deployment:1", holder).once("route", lambda: {"weight": 10})
    ledger.deployments.serve(row, {"storefront": Serving("1", "sha256:a")}, holder)
    ledger.quarantine.add({"sha256:b": "1"}, "bad", holder)
    ledger.leases.renew(holder)
    assert ledger.verify() == ()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE releases SET commit = 'beef'", "releases 2026.11.24.1 was changed"),
        (
            "UPDATE steps SET outcome = '{\"weight\": 100}'",
            "steps deployment:1 / route was changed",
        ),
        ("DELETE FROM serving", "serving staging / storefront is missing"),
        ("INSERT INTO quarantine VALUES ('sha256:c', '1', '')", "sha256:c was added"),
        ("UPDATE audit SET actor = 'eve' WHERE id = 2", "entry 2 was changed"),
        ("DELETE FROM audit WHERE id = 3", "entry 3 is missing"),
        ("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", "its head says"),
        (
            "UPDATE audit SET id = -1 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3;"
            "UPDATE audit SET id = 3 WHERE id = -1",
            "does not follow",
        ),
    ],
)
def test_a_changed_missing_added_or_reordered_row_is_found(
    ledger: Ledger, statement: str, found: str
) -> None:
    filled(ledger)

    alter(ledger, statement)

    assert any(found in line for line in ledger.verify()), ledger.verify()
