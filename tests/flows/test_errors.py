"""A release whose pages all answer, but whose code reports errors: its canary hears of them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.settings import write_secret
from tasks.deployment import scope_of
from tasks.report import markdown
from tests.bugsink import Bugsink
from tests.flows.world import Settings, World, opened, quick, straight_to_production

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

RATE = 25
ADVICE = '''

ADVICE = {}


def advised(sku):
    """What goes well with it; a customer without advice buys all the same."""
    try:
        return ADVICE[sku]
    except KeyError as error:
        errors.caught(error)
        return None
'''


def reporting_to(server: Bugsink, folder: Path) -> dict[str, Any]:
    """The section of shop.yaml, its secrets written down."""
    project, dsn = server.project("sample-shop")
    write_secret(folder / ".tradewind" / "secrets" / "sentry-token", server.token)
    write_secret(folder / ".tradewind" / "secrets" / "sentry-dsn", dsn)
    return {
        "kind": "bugsink", "url": server.url, "project": project, "required": True,
        "token": "${file:secrets/sentry-token}", "dsn": "${file:secrets/sentry-dsn}",
        "poll_seconds": 0.3,
    }  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, bugsink: Bugsink) -> Iterator[World]:
    """One web service that serves, however slowly; some customers, and an error tracker."""
    folder = tmp_path_factory.mktemp("errors") / "shop"
    section = reporting_to(bugsink, folder)

    def watched(settings: Settings) -> None:
        quick(settings)
        straight_to_production(settings)
        for name in ("checks", "channels", "environment"):
            del settings["environments"]["production"][name]
        settings["environments"]["production"]["canary"]["slow_floor_ms"] = 60_000
        settings["services"] = {"storefront": settings["services"]["storefront"]}
        settings["sentry"] = section

    with opened(folder, watched) as opening:
        assert opening.released().state == "released"
        customers_come(opening)
        yield opening


def customers_come(world: World) -> None:
    (host,) = world.live.hosts("production")
    door = f"http://127.0.0.1:{host.observe().listeners['storefront']}"
    command = [sys.executable, "-m", "examples.customers", "--rate", str(RATE)]
    command += ["--storefront", door, "--diary", str(world.street.diary)]
    world.stack.start("customers", command, {})


def change(world: World, ref: str, before: str, after: str, end: str = "") -> str:
    """A branch with one more change of how the shop sells."""
    world.sample.branch_off(ref)
    file = world.folder / "storefront" / "checkout.py"
    file.write_text(file.read_text().replace(before, after) + end)
    world.sample.commit(ref)
    return ref


def watched(world: World, version: str) -> list[dict[str, Any]]:
    """What was seen of errors at each weight."""
    row = world.live.ledger.deployments.of_release(version)[0]
    steps = world.live.ledger.steps(scope_of(row))
    return [dict(step.outcome["errors"]) for step in steps if step.name.startswith("watch ")]


def test_errors_that_customers_do_not_see_stop_a_canary(world: World, bugsink: Bugsink) -> None:
    before = world.weights()
    take = "    take(connection, sku, quantity)\n"
    importing = "from shopdb import WAREHOUSE, move\n"
    ref = change(world, "advice", take, f"    advised(sku)\n{take}", ADVICE)
    file = world.folder / "storefront" / "checkout.py"
    file.write_text(
        file.read_text().replace(importing, "from shopdb import WAREHOUSE, errors, move\n")
    )
    world.sample.commit("Import what reports errors")

    release = world.released(ref)

    assert release.state == "restored"
    assert "new issues against 0: KeyError" in release.outcome
    assert f"{bugsink.url}/issues/issue/" in release.outcome
    (errors,) = watched(world, release.version)
    assert errors["release"] == f"sample-shop@{release.version}"
    assert errors["candidate"] >= 1
    assert errors["baseline"] == 0
    assert all(issue["id"].startswith("SAMPLE-SHOP-") for issue in errors["new_issues"])
    assert world.weights() == before
    assert {line["outcome"] for line in world.street.seen()} == {"ok"}


def test_a_release_without_new_errors_passes_because_an_event_of_ours_arrived(
    world: World, bugsink: Bugsink
) -> None:
    ref = change(world, "comment", '"""Selling:', '"""Selling things:')

    release = world.released(ref)

    assert release.state == "released", release.outcome
    assert [(one["proven"], one["candidate"]) for one in watched(world, release.version)] == [
        (True, 0),
        (True, 0),
    ]
    project = world.live.shop.sentry.project if world.live.shop.sentry else ""
    known = [row["version"] for row in bugsink.rows("releases", project=project)]
    assert f"sample-shop@{release.version}" in known
    assert f"[Its errors]({bugsink.url}/issues/" in markdown(world.live, release)
