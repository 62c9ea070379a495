"""What a freeze refuses, what it warns of, who lifts it, and how strict the checks become."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar.events import Event, Market, occurrences
from domain.calendar.freeze import (
    Kind,
    Strictness,
    Undertaking,
    objections,
    services_by_channel,
    strictness,
    warnings,
)
from domain.calendar.overrides import Override, may_override
from domain.calendar.rules import Fixed
from domain.calendar.settings import Calendar
from domain.calendar.standing import Standing, standing
from domain.calendar.tiers import Lengths

CHANNELS = ("amazon-us", "shopee-sg")
MARKETS = (
    Market("amazon-us", "amazon", "America/Los_Angeles"),
    Market("shopee-sg", "shopee", "Asia/Singapore"),
)
SALE = Event(name="9.9", rule=Fixed(kind="fixed", day="09-09"), channels=("shopee",))
OCCURRENCES = occurrences([SALE], MARKETS, [2026], {}, Lengths())
SETTINGS = Calendar(
    guarded=("order-sync",), scope={"bridge": ("amazon-us",), "shopee-push": ("shopee-sg",)}
)
HARD = datetime(2026, 9, 9, tzinfo=UTC)
SOFT = datetime(2026, 8, 30, tzinfo=UTC)
WATCH = datetime(2026, 9, 12, tzinfo=UTC)
CALM = datetime(2026, 7, 1, tzinfo=UTC)
PEOPLE = {"ann": {"override", "approve"}, "bob": {"approve"}, "cy": {"release"}}
LIFTED = Override("ann", "bob", "checkout is down for all", HARD + timedelta(hours=4), ("9.9",))


def at(moment: datetime) -> Standing:
    return standing(moment, OCCURRENCES)


def wanted(kind: str = "release", *services: str, **other: object) -> Undertaking:
    one = Undertaking(cast(Kind, kind), "production", CHANNELS, services, requested_by="cy")
    return replace(one, **other)  # type: ignore[arg-type]


def test_a_hard_freeze_names_event_channel_local_times_tier_and_the_way_out() -> None:
    (said,) = objections(SETTINGS, wanted("release", "storefront"), at(HARD))

    assert said == (
        "9.9 on shopee-sg, hard from 2026-09-06 00:00 to 2026-09-11 00:00 Asia/Singapore:"
        " a release may not go on; wait until 2026-09-11 00:00 Asia/Singapore, or make it a"
        " hotfix with an override by somebody who may, a second person and a reason"
    )


@pytest.mark.parametrize("moment", [HARD, SOFT, WATCH, CALM])
@pytest.mark.parametrize("kind", ["rollback", "make good"])
def test_the_way_back_is_always_open_and_never_slowed(kind: str, moment: datetime) -> None:
    back = wanted(kind, "order-sync", schema=True)

    assert objections(SETTINGS, back, at(moment)) == ()
    assert strictness(SETTINGS, back, at(moment)) == Strictness()


def test_a_hard_freeze_is_lifted_for_a_hotfix_but_never_for_a_release() -> None:
    assert objections(SETTINGS, wanted("hotfix", "storefront"), at(HARD), LIFTED, PEOPLE) == ()
    assert objections(SETTINGS, wanted("restore"), at(HARD), LIFTED, PEOPLE) == ()
    assert len(objections(SETTINGS, wanted("release", "storefront"), at(HARD), LIFTED, PEOPLE)) == 1
    assert len(objections(SETTINGS, wanted("hotfix", "storefront"), at(HARD))) == 1


def test_a_soft_freeze_refuses_schema_and_guarded_services_and_lets_the_rest_go() -> None:
    assert objections(SETTINGS, wanted("release", "storefront"), at(SOFT)) == ()
    assert len(objections(SETTINGS, wanted("release", "storefront", schema=True), at(SOFT))) == 1
    (said,) = objections(SETTINGS, wanted("release", "storefront", "order-sync"), at(SOFT))
    assert "soft from 2026-08-26 00:00 to 2026-09-06 00:00 Asia/Singapore" in said
    assert "a change of order-sync may not go on; wait until 2026-09-11 00:00" in said
    assert objections(SETTINGS, wanted("restore"), at(SOFT)) != ()


def test_a_release_of_everything_moves_the_guarded_services_too() -> None:
    (said,) = objections(SETTINGS, wanted("release"), at(SOFT))

    assert "a change of order-sync" in said


def test_a_soft_freeze_is_lifted_for_a_release_too() -> None:
    lifted = replace(LIFTED, until=SOFT + timedelta(hours=1))

    guarded = wanted("release", "order-sync")

    assert objections(SETTINGS, guarded, at(SOFT), lifted, PEOPLE) == ()


def test_an_override_of_another_event_lifts_nothing() -> None:
    other = replace(LIFTED, events=("11.11",))

    assert len(objections(SETTINGS, wanted("hotfix", "web"), at(HARD), other, PEOPLE)) == 1


def test_an_override_that_does_not_count_lifts_nothing_and_says_why() -> None:
    by_bob = replace(LIFTED, by="bob", second="ann")

    said = objections(SETTINGS, wanted("hotfix", "web"), at(HARD), by_bob, PEOPLE)

    assert len(said) == 2
    assert said[1] == (
        "the override does not count: by is 'bob': the permission to override is needed"
    )


def test_a_service_of_another_channel_is_not_frozen_but_a_schema_is_everywhere() -> None:
    assert objections(SETTINGS, wanted("release", "bridge"), at(HARD)) == ()
    assert len(objections(SETTINGS, wanted("release", "shopee-push"), at(HARD))) == 1
    assert len(objections(SETTINGS, wanted("release", "bridge", schema=True), at(HARD))) == 1


def test_a_schema_change_does_not_blame_guarded_services_that_stay() -> None:
    (said,) = objections(SETTINGS, wanted("release", "bridge", schema=True), at(SOFT))

    assert "a change of the schema may not go on" in said


def test_an_environment_that_is_not_guarded_is_never_frozen() -> None:
    staging = wanted("release", environment="staging")

    assert services_by_channel(SETTINGS, staging) == {}
    assert objections(SETTINGS, staging, at(HARD)) == ()


def test_before_and_after_nothing_is_refused() -> None:
    for moment in (WATCH, CALM):
        assert objections(SETTINGS, wanted("release", "order-sync"), at(moment)) == ()


def test_checks_get_stricter_with_the_tier_where_the_event_is() -> None:
    web, bridge = wanted("hotfix", "storefront"), wanted("hotfix", "bridge")

    assert strictness(SETTINGS, web, at(CALM)) == Strictness(False, 1, 1.0)
    assert strictness(SETTINGS, web, at(SOFT)) == Strictness(True, 2, 1.0)
    assert strictness(SETTINGS, web, at(HARD)) == Strictness(True, 2, 0.5)
    assert strictness(SETTINGS, web, at(WATCH)) == Strictness(False, 1, 0.5)
    assert strictness(SETTINGS, bridge, at(HARD)) == Strictness()


def test_what_is_tentative_warns_and_freezes_only_when_told_to() -> None:
    tentative = occurrences(
        [replace(SALE, status="tentative", source="a forum")], MARKETS, [2026], {}, Lengths()
    )
    web = wanted("release", "storefront")

    warned, frozen = standing(HARD, tentative), standing(HARD, tentative, "freeze")

    assert objections(SETTINGS, web, warned) == ()
    assert "dates are tentative (a forum)" in warnings(SETTINGS, web, warned)[0]
    assert len(objections(SETTINGS, web, frozen)) == 1


def test_a_freeze_that_begins_soon_is_told() -> None:
    before = datetime(2026, 8, 25, 13, 30, tzinfo=UTC)

    (said,) = warnings(SETTINGS, wanted("release", "storefront"), at(before))

    assert said.startswith("9.9 on shopee-sg, soft from 2026-08-26 00:00")
    assert said.endswith("begins in 2 h 30 min")
    assert warnings(SETTINGS, wanted("release", "storefront"), at(CALM)) == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"by": "bob", "second": "ann"}, "by is 'bob': the permission to override is needed"),
        ({"second": "cy"}, "second is 'cy': the permission to approve is needed"),
        ({"second": "ann"}, "three people are needed"),
        ({"reason": "  urgent "}, "reason has 6 characters: at least 10 are needed"),
        ({"until": HARD}, "until is 0.0 h from now: more than 0 h, at most 72 h"),
        ({"until": HARD + timedelta(hours=73)}, "until is 73.0 h from now"),
        ({"events": ()}, "events is empty: at least 1 event is needed"),
    ],
)
def test_an_override_counts_only_when_everything_about_it_is_right(
    wrong: dict[str, object], said: str
) -> None:
    override = replace(LIFTED, **wrong)  # type: ignore[arg-type]

    assert may_override(LIFTED, "cy", PEOPLE, HARD) == ()
    assert any(said in one for one in may_override(override, "cy", PEOPLE, HARD))


@pytest.mark.parametrize("asked_by", ["ann", " Ann ", "bob", "BOB"])
def test_who_asked_is_neither_of_the_two_however_the_name_is_written(asked_by: str) -> None:
    assert any("three people" in one for one in may_override(LIFTED, asked_by, PEOPLE, HARD))


@given(
    kind=st.sampled_from(get_args(Kind)),
    services=st.lists(st.sampled_from(["storefront", "order-sync", "bridge"]), unique=True),
    schema=st.booleans(),
    hours=st.integers(0, 24 * 60),
)
def test_without_an_override_nothing_but_the_way_back_goes_on_in_a_hard_tier(
    kind: Kind, services: list[str], schema: bool, hours: int
) -> None:
    now = datetime(2026, 8, 1, tzinfo=UTC) + timedelta(hours=hours)
    asked = wanted(kind, *services, schema=schema)
    touched = "shopee-sg" in services_by_channel(SETTINGS, asked)

    refused = bool(objections(SETTINGS, asked, at(now)))

    if at(now).tiers.get("shopee-sg") == "hard":
        assert refused == (touched and kind not in ("rollback", "make good"))
    if at(now).tiers.get("shopee-sg") in (None, "watch"):
        assert not refused
