"""GET /metrics on a real ledger, read by Prometheus' own parser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from blocks.shop import Live
from deployments.gateway import metrics
from domain.access.roles import Grant
from tests.deployments.gateway.street import Answers, Crowd, Gateway, served
from tests.deployments.released import released, small_shop

NOWHERE = "http://127.0.0.1:9"
STAGING, PRODUCTION = {"environment": "staging"}, {"environment": "production"}


@pytest.fixture
def live(tmp_path: Path, database_url: str) -> Live:
    return small_shop(tmp_path, database_url)


@pytest.fixture
def gateway(crowd: Crowd, live: Live) -> Iterator[Gateway]:
    with served(crowd, NOWHERE, Answers((metrics.router(live),))) as serving:
        yield serving


def scraped(gateway: Gateway, name: str = "viv") -> dict[str, Metric]:
    answer = gateway.machine(name).get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {one.name: one for one in text_string_to_metric_families(answer.text)}


def value(families: dict[str, Metric], name: str, **labels: str) -> float | None:
    family = next(one for one in families.values() if name.startswith(one.name))
    found = [one.value for one in family.samples if one.name == name and one.labels == labels]
    return found[0] if found else None


def test_an_empty_ledger_is_all_zeros_and_no_success(gateway: Gateway) -> None:
    found = scraped(gateway)

    assert value(found, "tradewind_open_gates", **PRODUCTION) == 0
    assert value(found, "tradewind_unfinished_deployments", **STAGING) == 0
    assert value(found, "tradewind_success_agreed_ratio") == pytest.approx(0.999)
    assert found["tradewind_success_ratio"].samples == []


def test_it_counts_what_was_released_and_what_waits(gateway: Gateway, live: Live) -> None:
    good = released(live, "run-1")
    released(live, "run-2", "rolled back")
    released(live, "run-3", "halted")
    waiting = live.ledger.deployments.open(good.version, "staging", "release", "run-4", "ann")
    live.ledger.approvals.open(waiting, "sha256:plan", 600)
    with live.ledger.exclusive("staging", "test", 30, 1) as lease:
        live.ledger.deployments.advance(waiting.id, "awaiting approval", lease)
    live.ledger.pauses.hold("staging", "bo", "stocktaking")

    found = scraped(gateway)

    ends = {"kind": "release", **PRODUCTION}
    assert value(found, "tradewind_deployments_total", result="done", **ends) == 1
    assert value(found, "tradewind_deployments_total", result="halted", **ends) == 1
    assert value(found, "tradewind_lead_time_seconds_count", **PRODUCTION) == 1
    assert value(found, "tradewind_lead_time_seconds_bucket", le="3600.0", **PRODUCTION) == 0
    assert value(found, "tradewind_lead_time_seconds_bucket", le="14400.0", **PRODUCTION) == 1
    assert value(found, "tradewind_recovery_seconds_bucket", le="+Inf", **PRODUCTION) == 1
    assert value(found, "tradewind_success_ratio", **PRODUCTION) == pytest.approx(2 / 3)
    assert value(found, "tradewind_open_gates", **STAGING) == 1
    assert value(found, "tradewind_unfinished_deployments", **STAGING) == 1
    assert (value(found, "tradewind_unfinished_deployment_age_seconds", **STAGING) or 0) > 0
    assert value(found, "tradewind_held", **STAGING) == 1
    assert value(found, "tradewind_held", **PRODUCTION) == 0
    serving = {"service": "web", "version": good.version, **PRODUCTION}
    assert value(found, "tradewind_serving_info", **serving) == 1


def test_more_releases_are_no_more_series(gateway: Gateway, live: Live) -> None:
    released(live, "run-1")
    before = sum(len(one.samples) for one in scraped(gateway).values())

    for number in range(2, 6):
        released(live, f"run-{number}")

    assert sum(len(one.samples) for one in scraped(gateway).values()) == before


def test_only_whoever_may_view_sees_it_and_only_there(gateway: Gateway, live: Live) -> None:
    released(live, "run-1")

    nobody = gateway.anonymous().get("/metrics").status_code
    denied = gateway.machine("nob").get("/metrics").status_code
    token = gateway.machine("viv", Grant("viewer", ("staging",))).get("/metrics").text

    assert (nobody, denied) == (401, 403)
    assert 'environment="staging"' in token
    assert 'environment="production"' not in token
    assert gateway.browser("viv").get("/metrics").status_code == 200
