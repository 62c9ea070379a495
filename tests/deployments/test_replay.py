"""Stages tried again: real gates and artifacts, on a real host where another version serves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from prefect.logging import disable_run_logger

from blocks.ledger import Cut
from blocks.shop import Live
from deployments.settings import state_of, write_secret
from domain.host import Observed
from domain.journal import Release
from domain.plan import Serving
from examples.repository import SampleRepository
from tasks.build import built
from tasks.deployment import manifest_of, parcel_of, unit_of
from tasks.replay import ReplayRequest, admitted, again

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(280)]
SERVER = """
import os
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), SimpleHTTPRequestHandler).serve_forever()
"""
NEEDED = 'def main():\n    os.environ["PAYMENT_KEY"]\n'


@pytest.fixture
def live(tmp_path: Path, database_url: str) -> Iterator[Live]:
    """A storefront alone, in two environments; no run and so no run's log."""
    sample = SampleRepository(tmp_path / "shop")
    file = sample.folder / "shop.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["services"] = {"storefront": settings["services"]["storefront"]}
    settings["environments"]["production"] |= {"channels": {}, "checks": None}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    sample.commit("The test's settings")
    sample.branch_off("unconfigured")
    main = sample.folder / "storefront" / "__main__.py"
    main.write_text(main.read_text().replace("def main():\n", NEEDED))
    sample.commit("Payments")
    sample.branch_off("untested")
    test = sample.folder / "storefront" / "tests" / "test_sums.py"
    test.write_text("def test_a_sum():\n    total = 2 + 2\n    assert total == 5\n")
    sample.commit("A sum")
    for name in ("ledger", "shop_staging", "shop_production"):
        write_secret(state_of(file) / "databases" / name, database_url)
    made = Live(file, state_of(file))
    made.ledger.migrate()
    with disable_run_logger():
        yield made
    for host in made.hosts("staging"):
        host.shutdown()


def cut(live: Live, ref: str) -> Release:
    commit = live.repository.resolve(ref)
    asked = Cut(ref, ref, commit, datetime.now(UTC), "ann", "", ("storefront",), live.shop.route)
    return live.ledger.releases.open(asked, date(2026, 11, 28))


def made(live: Live, ref: str) -> Release:
    """Cut, and built as a release builds it."""
    release = cut(live, ref)
    with live.ledger.exclusive(f"release {release.version}", "me", 30, 5) as lease:
        journal = live.ledger.journal(f"release:{release.version}", lease)
        found = journal.once("build storefront", lambda: built(live, release, "storefront"))
    part = {
        "service": "storefront", "kind": "web", "digest": found["digest"],
        "version": release.version, "evidence": "", "reference": "",
    }  # fmt: skip
    record = {
        "version": release.version, "commit": release.commit, "configuration": "",
        "migrations": "", "parts": [part],
    }  # fmt: skip
    live.ledger.releases.record_manifest(release.version, record)
    return live.ledger.releases.get(release.version)


def replay(live: Live, release: Release, stage: str) -> tuple[bool, str]:
    asked = ReplayRequest.model_validate(
        {"version": release.version, "stage": stage, "requested_by": "Ann"}
    )
    found = again.fn(live, admitted(live, asked), "storefront")
    return found.passed, found.said


def seen(live: Live) -> Observed:
    return live.hosts("staging")[0].observe()


def serves(live: Live, release: Release, program: Path) -> None:
    """All traffic of staging on this version, which runs a small server."""
    program.write_text(SERVER)
    part = manifest_of(live, release.version).parts[0]
    serving, (host,) = Serving(part.version, part.digest), live.hosts("staging")
    usual = unit_of(live, "staging", "storefront", serving)
    with live.ledger.exclusive("staging", "me", 30, 5) as lease:
        host.prepare()
        host.place(parcel_of(live, "storefront", serving), lease.epoch)
        host.start(replace(usual, command=("python", str(program))), "working", lease.epoch)
        host.health(usual.name, "/", 60)
        host.route("storefront", {part.version: 100}, lease.epoch)


def test_a_candidate_without_its_variable_dies_again_and_what_serves_stays(
    live: Live, tmp_path: Path
) -> None:
    serves(live, made(live, "main"), tmp_path / "server.py")
    release, before = made(live, "unconfigured"), seen(live)

    passed, said = replay(live, release, "start")

    assert not passed
    assert "KeyError: 'PAYMENT_KEY'" in said
    assert [(unit.weight, unit.state) for unit in before.units.values()] == [(100, "RUNNING")]
    assert (seen(live).units, seen(live).listeners) == (before.units, before.listeners)


def test_the_same_code_builds_the_same_again(live: Live) -> None:
    release = made(live, "main")
    kept = sorted(live.artifacts.folder.rglob("*"))

    passed, said = replay(live, release, "build")

    assert passed, said
    assert "the same as then" in said
    assert sorted(live.artifacts.folder.rglob("*")) == kept


def test_a_gate_fails_again_with_every_test_and_its_variables_in_its_output(live: Live) -> None:
    release = cut(live, "untested")

    passed, said = replay(live, release, "test")
    file = live.state / "reports" / release.version / "replay" / "storefront" / "output.log"

    assert not passed
    assert "tests failed" in said
    assert "test_sums.py::test_a_sum" in file.read_text()
    assert "total      = 4" in file.read_text()
