"""Blame: the release that a divergence began with, and never one that came after it."""

from datetime import UTC, datetime, timedelta

from domain.checks.blame import Push, Serving, suspected, written_by

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


OLD = Serving("1.0.0", at(-100), at(0))
NEW = Serving("1.1.0", at(0))


def test_the_release_between_a_clean_look_and_the_first_wrong_one_is_suspected() -> None:
    assert suspected(at(0.5), at(-0.5), (OLD, NEW)) == "1.1.0"


def test_what_was_wrong_before_a_release_never_blames_it() -> None:
    assert suspected(at(-0.2), at(-1), (OLD, NEW)) == ""


def test_what_was_never_seen_clean_blames_nobody() -> None:
    assert suspected(at(1), None, (NEW,)) == ""


def test_two_releases_in_between_are_ambiguous() -> None:
    hotfix = Serving("1.1.1", at(0.2))

    assert suspected(at(0.5), at(-0.5), (OLD, Serving("1.1.0", at(0), at(0.2)), hotfix)) == ""


def test_what_begins_later_under_a_new_release_suspects_it() -> None:
    assert suspected(at(5), at(4), (OLD, NEW)) == "1.1.0"


def test_what_begins_under_a_release_that_served_for_long_suspects_nobody() -> None:
    assert suspected(at(30), at(29), (OLD, NEW)) == ""


def test_a_release_that_was_taken_back_is_suspected_and_not_its_forerunner() -> None:
    served = (OLD, Serving("1.1.0", at(0), at(0.3)), Serving("1.0.0", at(0.3)))

    assert suspected(at(0.5), at(-0.5), served) == "1.1.0"


def test_a_canary_beside_the_old_version_is_suspected_when_it_began_in_between() -> None:
    served = (Serving("1.0.0", at(-100)), Serving("1.1.0", at(0)))

    assert suspected(at(0.5), at(-0.5), served) == "1.1.0"
    assert suspected(at(2), at(1), served) == ""


def test_a_version_answers_for_what_it_told_the_channels() -> None:
    bad = Serving("1.1.0", at(0), at(1))
    pushes = (
        Push("ebay-us", "B", at(0.5), "1.1.0"),
        Push("ebay-us", "A", at(1.2), "1.1.0"),
        Push("ebay-us", "C", at(0.5), "1.0.0"),
        Push("magento-eu", "A", at(0.5)),
        Push("magento-eu", "D", at(1.0)),
        Push("magento-eu", "E", at(-0.1)),
    )

    assert written_by(bad, pushes) == {"ebay-us": ("A", "B"), "magento-eu": ("A",)}
