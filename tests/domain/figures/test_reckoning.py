"""Success, stages, waits, costs, days and the page, on a few rows each."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.figures.cost import costs
from domain.figures.days import days
from domain.figures.facts import History, Kept, Timed, Waited
from domain.figures.page import report, sentence
from domain.figures.reckoning import Asked, reckoning
from domain.figures.settings import Figures, Prices, objections
from domain.figures.spread import spread
from domain.figures.stages import stage_times, verdicts, waits
from domain.figures.success import success
from tests.domain.figures.rows import at, moved

HOSTS = {"staging": 1, "production": 3}
ASKED = Asked(Figures(), HOSTS, ("web", "api"))
EMPTY = History(at(0), at(24 * 7))


def step(scope: str, name: str, seconds: float, verdict: str = "") -> Timed:
    place = "production" if scope.startswith("deployment") else ""
    return Timed(scope, "2026.11.2.1", place, name, seconds, verdict)


def test_before_the_first_release_the_page_says_so() -> None:
    found = reckoning(EMPTY, ASKED)

    page = report(found, "teashop", sentence(found, "production"))

    assert found.lines == ()
    assert "There has been no release yet." in page
    assert "no release yet in production in the last 7 days" in page


def test_deployed_and_safely_rolled_back_are_both_safe_and_told_apart() -> None:
    rows = [moved(1), moved(2, "rolled back"), moved(3, "halted"), moved(4, "refused"),
            moved(5, "canary", finished_at=None)]  # fmt: skip

    found = success(rows)

    assert (found.deployed, found.restored, found.unsafe) == (1, 1, 1)
    assert (found.refused, found.moving) == (1, 1)
    assert "2 of 3 ended safely (1 deployed, 1 safely rolled back)" in found.told(99.9)


def test_one_that_left_stock_wrong_on_a_channel_is_not_safe() -> None:
    found = success([moved(1, suspected=4), moved(2)])

    assert (found.deployed, found.unsafe) == (1, 1)


def test_three_thousand_clean_ones_prove_what_was_agreed() -> None:
    told = success([moved(number) for number in range(1, 3001)]).told(99.9)

    assert told.endswith("the agreed 99.9 % is proven at 95 % confidence")


def test_the_slices_of_one_deployment_are_one_time() -> None:
    steps = [
        step("deployment:1", "watch web 10", 20), step("deployment:1", "watch web 100", 40),
        step("deployment:2", "watch web 10", 30), step("release:1", "test web", 5),
        step("deployment:2", "without host-2", 1),
    ]  # fmt: skip

    found = {(one.environment, one.stage): one.took for one in stage_times(steps, ["web"])}

    assert found[("production", "canary")].median == 45
    assert found[("the release itself", "test")].n == 1
    assert len(found) == 2


def test_verdicts_are_counted_by_what_gave_them() -> None:
    steps = [step("deployment:1", "watch web 10", 1, "promote"),
             step("deployment:1", "watch api 10", 1, "restore"),
             step("deployment:1", "check stock and orders", 1, "pass")]  # fmt: skip

    found = verdicts(steps, ["web", "api"])

    assert found[("production", "canary")] == {"promote": 1, "restore": 1}
    assert found[("production", "check stock and orders")] == {"pass": 1}


def test_people_were_waited_for_until_they_answered() -> None:
    rows = [Waited("production", "approved", at(1), at(3)),
            Waited("production", "waiting", at(1), None),
            Waited("production", "expired", at(1), at(25))]  # fmt: skip

    assert waits(rows)["production"] == spread([7200.0])


def test_a_release_costs_minutes_storage_and_every_pull() -> None:
    history = replace(
        EMPTY,
        moved=(moved(1), moved(2, version="2026.11.2.1", environment="staging")),
        steps=(step("deployment:1", "watch web 10", 600),),
        kept=(Kept("2026.11.2.1", "artifact", 2_000_000_000, at(12), registry=True),
              Kept("2026.11.2.1", "backup", 1_000_000_000, at(24 * 6)),),
    )  # fmt: skip

    (found,) = costs(history, Prices("CNY", 0.1, 0.3, 0.5), HOSTS)

    assert found.compute_minutes == 10
    assert found.registry_gb == 2 * (1 + 3 + 1)
    assert found.storage_gb_months == pytest.approx((2 * 6.5 + 1 * 1) / 30)
    assert found.total == pytest.approx(0.1 * 10 + 0.3 * 14 / 30 + 0.5 * 10)


def test_without_prices_nothing_is_said_of_money() -> None:
    history = replace(EMPTY, steps=(step("deployment:1", "watch web 10", 60),))

    (found,) = costs(history, Prices(), HOSTS)

    assert (found.total, str(found)) == (None, "no prices")


def test_a_day_is_the_readers_own() -> None:
    late = moved(1, finished_at=at(17))  # already Tuesday in Shanghai

    found = days([late], at(0), at(48), ZoneInfo("Asia/Shanghai"))

    assert [(one.day.day, sum(one.ends.values())) for one in found] == [(2, 0), (3, 1), (4, 0)]


def test_only_the_environments_that_are_asked_for_are_told() -> None:
    history = replace(EMPTY, moved=(moved(1), moved(2, environment="staging")))

    found = reckoning(history, replace(ASKED, environments=("staging",)))

    assert {line.environment for line in found.lines} == {"staging"}


def test_names_of_others_are_no_markup_on_the_page() -> None:
    history = replace(EMPTY, moved=(moved(1, environment="a|b*"),))

    page = report(reckoning(history, ASKED), "tea|shop", "")

    assert "a\\|b\\*" in page
    assert "tea\\|shop" in page


def test_settings_that_cannot_be_are_named() -> None:
    wrong = Figures(cron="* *", time_zone="Mars/North", prices=Prices("euro"))

    assert [where[-1] for where, _ in objections(wrong)] == ["cron", "time_zone", "currency"]
    assert not list(objections(Figures()))


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1e6), max_size=60))
def test_a_spread_is_in_order_whatever_it_is_of(values: list[float]) -> None:
    found = spread(values)

    assert found == spread(values[::-1])
    assert found.n == len(values)
    assert (found.p95 is not None) == (len(values) >= 20)
    if found.median is not None and found.longest is not None:
        assert found.median <= (found.p95 or found.longest) + 1e-6 <= found.longest + 1e-5


@settings(max_examples=40)
@given(st.lists(st.integers(-72, 24 * 9), max_size=30))
def test_every_end_within_the_period_is_on_some_day(hours: list[int]) -> None:
    rows = [moved(1, finished_at=at(hour)) for hour in hours]

    found = days(rows, EMPTY.since, EMPTY.until, ZoneInfo("America/New_York"))

    within = sum(EMPTY.since <= at(hour) < EMPTY.until for hour in hours)
    assert sum(sum(one.ends.values()) for one in found) == within
    assert all(later.day - one.day == timedelta(days=1) for one, later in pairwise(found))
