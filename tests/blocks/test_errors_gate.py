"""The gate on a candidate's errors, on a real Bugsink: what it says beside a canary's verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from blocks.incidents.connected import Incidents
from deployments.stack.processes import until
from domain.canary import Verdict
from domain.host import Served
from domain.incidents.settings import Sentry
from domain.plan import Change, Serving
from tasks.deployment import Deploying
from tasks.errors import Errors
from tests.bugsink import Bugsink, Reporter

SECONDS = 10.0
CLEAN = Verdict("promote", ("errors 0.00% of 500",))
SERVED = (Served(500, 0, 0, 0), Served(500, 0, 0, 0))
CHANGE = Change("web", "web", Serving("1", "sha256:1"), Serving("2", "sha256:2"))


@dataclass(frozen=True)
class Row:
    kind: str = "release"


@dataclass(frozen=True)
class Shop:
    incidents: Incidents


@dataclass(frozen=True)
class Watched:
    """As much of a deployment under way as the gate looks at."""

    live: Shop
    row: Row = Row()
    environment: str = "production"
    canary: None = None


Opened = Callable[..., Errors]


@pytest.fixture
def project(bugsink: Bugsink, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Its number and DSN."""
    return bugsink.project(request.node.name[-40:])


@pytest.fixture
def opened(bugsink: Bugsink, project: tuple[str, str]) -> Opened:
    """The gate of a candidate that has traffic from now on; settings may be others."""
    number, dsn = project

    def opening(row: Row = Row(), **others: Any) -> Errors:
        usual: dict[str, Any] = {"url": bugsink.url, "poll_seconds": 0.1, "wait_seconds": 20}
        references = {"project": number, "token": "secret", "dsn": "dsn"}
        settings = Sentry("bugsink", **{**usual, **references, **others})
        incidents = Incidents(settings, "shop", {"secret": bugsink.token, "dsn": dsn}.__getitem__)
        watched = cast("Deploying", Watched(Shop(incidents), row))
        return Errors(watched, CHANGE, datetime.now(UTC))

    return opening


def test_a_new_kind_of_error_stops_a_canary_that_looks_well(
    opened: Opened, project: tuple[str, str]
) -> None:
    errors = opened()
    Reporter(project[1], "shop@2").fails("NoSuchCoupon", 2)

    assert until(lambda: errors.beside(CLEAN, SERVED).decision == "restore", SECONDS)
    (reason,) = errors.beside(CLEAN, SERVED).reasons
    assert reason.startswith("1 new issues against 0: NoSuchCoupon")
    assert "/issues/issue/" in reason
    assert errors.recorded()["new_issues"][0]["events"] == 2


def test_errors_that_the_version_before_had_too_let_it_go_on(
    opened: Opened, project: tuple[str, str]
) -> None:
    Reporter(project[1], "shop@1").fails("Known", 2)
    errors = opened()
    Reporter(project[1], "shop@2").fails("Known", 2)

    verdict = errors.proven(CLEAN, SERVED)

    assert verdict.decision == "promote"
    assert verdict.reasons[-1] == "error events 2, of the version before 0"
    assert errors.recorded()["proven"]


def test_a_last_look_sees_what_the_canary_ended_with(
    opened: Opened, project: tuple[str, str]
) -> None:
    errors = opened()
    Reporter(project[1], "shop@2").fails("AtTheLastMoment")

    assert errors.proven(CLEAN, SERVED).decision == "restore"


@pytest.mark.parametrize(("required", "decision"), [(True, "inconclusive"), (False, "promote")])
def test_a_tracker_that_is_away_holds_only_what_requires_it(
    opened: Opened, required: bool, decision: str
) -> None:
    away = "http://127.0.0.1:9"
    errors = opened(url=away, wait_seconds=0.3, required=required)

    verdict = errors.proven(CLEAN, SERVED)

    assert verdict.decision == decision
    assert verdict.reasons[-1].startswith("errors unknown: Bugsink at http://127.0.0.1:9")
    assert errors.beside(CLEAN, SERVED) == CLEAN


def test_a_rollback_is_not_judged_by_errors(opened: Opened, project: tuple[str, str]) -> None:
    errors = opened(Row("rollback"))
    Reporter(project[1], "shop@2").fails("NoSuchCoupon")

    assert errors.proven(CLEAN, SERVED) == CLEAN
    assert errors.recorded() == {}


def test_a_bad_canary_stays_bad_whatever_its_errors(opened: Opened) -> None:
    bad = Verdict("restore", ("errors 9.00%",))

    assert opened().proven(bad, SERVED) == bad
