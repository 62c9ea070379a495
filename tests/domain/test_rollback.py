"""The way back by hand: which versions are offered, and why others are not."""

from datetime import UTC, datetime

from domain.manifest import Manifest, Part
from domain.rollback import Served, candidates, refusals

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def served(number: int, *breaks: str) -> Served:
    part = Part("web", "web", f"sha256:{number}", f"2026.11.24.{number}", "e")
    manifest = Manifest(f"2026.11.24.{number}", "c", "cfg", "m", (part,))
    return Served(manifest, NOW, breaks)


def test_what_serves_now_is_no_candidate_and_each_version_is_one_once() -> None:
    found = candidates([served(3), served(2), served(3), served(2), served(1)], {})

    assert [one.version for one in found] == ["2026.11.24.2", "2026.11.24.1"]


def test_a_version_before_a_breaking_statement_does_not_fit() -> None:
    found = candidates([served(3), served(2, "ALTER TABLE t DROP COLUMN c"), served(1)], {})

    assert found[0].against == ()
    assert found[1].against == (
        "the schema no longer fits it since 2026.11.24.2: ALTER TABLE t DROP COLUMN c",
    )


def test_a_quarantined_version_is_refused_with_the_reason() -> None:
    found = candidates([served(2), served(1)], {"sha256:1": "oversold"})

    assert refusals("2026.11.24.1", "production", found) == (
        "web sha256:1 is quarantined: oversold",
    )


def test_an_unknown_version_is_refused_with_those_that_fit() -> None:
    found = candidates([served(2), served(1)], {})

    assert refusals("2026.11.24.9", "production", found) == (
        "version is '2026.11.24.9', production can go back to: 2026.11.24.1",
    )
    assert refusals("2026.11.24.1", "production", found) == ()
