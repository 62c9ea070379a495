"""The night's release: a head that went before, and what people read in the morning."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.journal import Release
from domain.nightly import Head, Night, gone_wrong, night_report, told, went_before

EVENING = datetime(2026, 11, 24, 18, tzinfo=UTC)
SERVICES = ("web", "sync")
HEAD = Head("develop", "c0ffee" * 6, "Gift notes | at last")


def release(number: int, **other: object) -> Release:
    one = Release(
        f"2026.11.24.{number}", f"run {number}", "develop", HEAD.commit, "nightly", "", SERVICES,
        ("staging",), "released", "serves in staging", EVENING, EVENING, EVENING,
    )  # fmt: skip
    return replace(one, **other)  # type: ignore[arg-type]


def test_a_head_that_went_along_the_route_is_found_whatever_it_came_to() -> None:
    for state in ("open", "built", "released", "refused", "restored", "halted"):
        before = release(1, state=state)

        assert went_before([before], HEAD.commit, SERVICES, ("staging",)) == before


def test_a_release_that_went_further_went_along_this_route_too() -> None:
    further = release(1, route=("staging", "production"))

    assert went_before([further], HEAD.commit, SERVICES, ("staging",)) == further
    assert went_before([release(1)], HEAD.commit, SERVICES, ("staging", "production")) is None


def test_another_commit_or_only_some_services_did_not_go_before() -> None:
    others = [release(1, commit="beef"), release(2, services=("web",)), release(3, route=("dev",))]

    assert went_before(others, HEAD.commit, SERVICES, ("staging",)) is None


def test_what_ended_badly_since_the_last_night_is_gone_wrong() -> None:
    later = EVENING + timedelta(hours=1)
    bad = release(2, state="restored", finished_at=later)
    others = [
        release(1, state="halted"),
        release(3, finished_at=later),
        release(4, state="open", finished_at=None),
    ]

    assert gone_wrong([bad, *others], EVENING) == (bad,)


def test_the_report_tells_the_head_and_each_failure_with_its_reason() -> None:
    bad = release(2, state="refused", ref="main", requested_by="Ann", outcome="web: 1 of 9 failed")

    text = night_report(Night(HEAD, "2026.11.24.3 released", EVENING, (bad,)))

    assert text.startswith("# 2026.11.24.3 released")
    assert "Gift notes \\| at last" in text
    assert "since 2026-11-24 18:00 UTC" in text
    assert "| 2026.11.24.2 | refused | main | Ann | web: 1 of 9 failed |" in text
    assert night_report(Night(HEAD, "x", EVENING, ())).endswith("Nothing.")


def test_a_release_is_told_in_a_line() -> None:
    assert told(release(1)) == "2026.11.24.1 released: serves in staging"
    assert told(release(1, state="built", outcome="", finished_at=None)) == (
        "2026.11.24.1 is under way"
    )
