"""Traces and explanations from a ledger that was filled by hand, on a real PostgreSQL."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from blocks.ledger import Cut
from blocks.shop import Live
from deployments.settings import state_of, write_secret
from deployments.trace_view import show_failure, show_trace
from domain.errors import Refused
from domain.journal import Deployment
from domain.plan import Serving
from examples.repository import SampleRepository
from tasks.deployment import scope_of
from tasks.failure import explanation_of
from tasks.trace import trace

PARTS = [
    {
        "service": "storefront", "kind": "web", "digest": "sha256:" + "ab" * 32,
        "version": "2026.11.28.1", "evidence": "sha256:cd", "reference": "",
    }
]  # fmt: skip
DEAD = "storefront@2026.11.28.2 is FATAL: KeyError: 'PAYMENT_KEY'"


@pytest.fixture
def live(tmp_path: Path, database_url: str) -> Live:
    sample = SampleRepository(tmp_path / "shop")
    (sample.folder / "storefront" / "more.py").write_text("")
    sample.commit("Something more")
    file = sample.folder / "shop.yaml"
    write_secret(state_of(file) / "databases" / "ledger", database_url)
    made = Live(file, state_of(file))
    made.ledger.migrate()
    return made


def opened(live: Live, ref: str, run: str) -> Deployment:
    """A built release on its way into production."""
    commit = live.repository.resolve(ref)
    asked = Cut(
        run, "main", commit, datetime.now(UTC), "ann", "a sale", ("storefront",), ("production",)
    )
    version = live.ledger.releases.open(asked, date(2026, 11, 28)).version
    record = {
        "version": version, "commit": commit, "configuration": "", "migrations": "",
        "parts": PARTS,
    }  # fmt: skip
    live.ledger.releases.record_manifest(version, record)
    return live.ledger.deployments.open(version, "production", "release", run, "ann")


def served(live: Live) -> str:
    row = opened(live, "main~1", "run-1")
    with live.ledger.exclusive("production", "me", 30, 5) as lease:
        for state in ("switched", "baked", "done"):
            live.ledger.deployments.advance(row.id, state, lease)
        serving = {"storefront": Serving(row.version, PARTS[0]["digest"])}
        live.ledger.deployments.serve(row, serving, lease)
    live.ledger.releases.finish(row.version, "released", "serves in production")
    return row.version


def restored(live: Live) -> str:
    row = opened(live, "main", "run-2")
    with live.ledger.exclusive("production", "me", 30, 5) as lease:
        journal = live.ledger.journal(scope_of(row), lease)
        with pytest.raises(ValueError, match="FATAL"):
            journal.once("start storefront", dead)
        live.ledger.deployments.advance(row.id, "rolling back", lease, DEAD)
        journal.once("restore: withdraw storefront", dict)
        journal.once("quarantine", dict)
        live.ledger.deployments.advance(row.id, "rolled back", lease)
    live.ledger.releases.finish(row.version, "restored", f"production restored: {DEAD}")
    return row.version


def dead() -> dict[str, str]:
    raise ValueError(DEAD)


def on_screen(width: int) -> Console:
    return Console(file=io.StringIO(), width=width)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_restored_release_is_explained_from_the_ledger(live: Live) -> None:
    before, screen = served(live), on_screen(80)

    found = explanation_of(live, restored(live))
    show_failure(found, screen)

    assert (found.cause, found.stage, found.where) == (
        "environment variables",
        "start",
        "production",
    )
    assert found.restored[0] == (
        f"What served before serves again in full. In production: storefront {before}."
    )
    assert "PAYMENT_KEY" in text(screen)
    assert max(map(len, text(screen).splitlines())) <= 80


def test_a_release_that_went_well_has_no_failure_to_explain(live: Live) -> None:
    version = served(live)

    with pytest.raises(Refused, match="is released: there is no failure"):
        explanation_of(live, version)


def test_a_trace_counts_the_commits_since_what_served(live: Live) -> None:
    before = served(live)

    found = trace(live, restored(live))

    assert (found["commit"]["since"], found["commit"]["commits"]) == (before, 1)
    assert found["people"][0]["who"] == "ann"
    assert [row["state"] for row in found["route"]] == ["cut", "rolled back", "restored"]
    assert json.dumps(found, default=str)


def test_a_trace_is_made_where_git_does_not_know_the_commit(live: Live) -> None:
    asked = Cut(
        "run-3", "main", "0" * 40, datetime.now(UTC), "ann", "", ("storefront",), ("production",)
    )
    version = live.ledger.releases.open(asked, date(2026, 11, 28)).version

    found = trace(live, version)

    assert "git" in found["commit"]["problem"]


@pytest.mark.parametrize("width", [80, 100])
def test_a_trace_fits_the_screen(live: Live, width: int) -> None:
    served(live)
    screen = on_screen(width)

    show_trace(trace(live, restored(live)), screen)

    lines = text(screen).splitlines()
    assert max(map(len, lines)) <= width
    assert {"Commit", "Route", "People", "Gates", "Hosts", "Checks", "Cost"} <= set(lines)
