"""What a host must be before anything is deployed to it."""

from dataclasses import replace

import pytest

from domain.host import Facts, Observed
from domain.readiness import Needs, readiness

GOOD = Facts("a", "3.11.2", "6.1", "x86_64", "20.10", "HAProxy 2.6", "4.2.5", "abc", 5 << 30, 0.01)
NEEDS = Needs("3.11.7", "haproxy", True, True, 7)


def bad(facts: Facts, epoch: int = 7, loose: tuple[str, ...] = ()) -> list[str]:
    found = readiness(facts, Observed({}, {}, epoch), loose, NEEDS)
    return [one.what for one in found if not one.good]


def test_a_fit_host_has_nothing_against_it() -> None:
    assert bad(GOOD) == []


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (replace(GOOD, python="3.9.2"), "python"),
        (replace(GOOD, proxy=""), "proxy"),
        (replace(GOOD, supervisor=""), "supervisor"),
        (replace(GOOD, engine=""), "docker engine"),
        (replace(GOOD, disk_free_bytes=1 << 20), "disk"),
        (replace(GOOD, clock_offset_seconds=-7200), "clock"),
    ],
)
def test_what_is_missing_is_named(facts: Facts, what: str) -> None:
    assert bad(facts) == [what]


def test_a_host_of_another_ledger_and_a_key_with_a_shell_are_named() -> None:
    assert bad(GOOD, epoch=8) == ["fence"]
    assert bad(GOOD, loose=("may open a terminal",)) == ["key"]
