"""What needs a person, how many releases ended well, and which way a version is on."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.dashboard.ages import UNITS, age
from domain.dashboard.facts import Facts
from domain.dashboard.health import needs, success
from domain.dashboard.journey import is_under_way, journeys, versions
from tests.domain.dashboard.rows import NOW, ago, deployment, release, running, waiting

HOSTS = {"staging": 1, "production": 3}
ROUTE = ("staging", "production")


def test_an_empty_ledger_needs_nobody_and_proves_nothing() -> None:
    facts = Facts(NOW)

    assert needs(facts, {}) == ()
    assert success(facts, 30).safe.ratio is None
    assert journeys(facts, HOSTS, ROUTE) == ()


def test_a_halted_environment_comes_first_until_something_went_well_there() -> None:
    halted = deployment(1, "halted", reason="the host does not answer")
    gate = deployment(3, "awaiting approval", environment="staging")
    facts = Facts(NOW, deployments=(gate, halted), waiting=(waiting(gate),))
    after = Facts(NOW, deployments=(deployment(2, "done"), halted))

    found = needs(facts, {"staging": "held by bo: odd"})

    assert [one.concern for one in found] == ["halted", "held", "waiting"]
    assert found[0].said == "2026.11.1.1: the host does not answer"
    assert needs(after, {}) == ()


def test_taken_back_is_safe_and_what_a_channel_suffers_from_is_not() -> None:
    states = ("done", "done", "rolled back", "halted", "refused", "canary")
    rows = [deployment(number, state) for number, state in enumerate(states)]
    rows.append(deployment(9, "done", days=31))
    suspected = frozenset({("production", rows[1].version)})

    found = success(Facts(NOW, deployments=rows, suspected=suspected), 30)

    assert (found.deployed, found.restored, found.unsafe) == (1, 1, 2)
    assert (found.refused, found.moving, found.safe.of) == (1, 1, 4)


def test_where_nothing_moves_the_last_release_is_shown() -> None:
    facts = Facts(NOW, releases=(release(2, "released"), release(1, "released")))

    (shown,) = journeys(facts, HOSTS, ROUTE)

    assert (shown.version, is_under_way(facts)) == ("2026.11.1.2", False)
    assert [(stop.name, stop.hosts, stop.state) for stop in shown.stops] == [
        ("staging", 1, ""),
        ("production", 3, ""),
    ]


def test_the_way_back_to_a_release_of_long_ago_is_under_way_without_its_release() -> None:
    facts = Facts(NOW, deployments=(deployment(1, "canary"),), releases=(release(9, "released"),))

    (shown,) = journeys(facts, HOSTS, ROUTE)

    assert (shown.version, shown.release, shown.built) == ("2026.11.1.1", None, "built")
    assert [stop.reached for stop in shown.stops] == [0, 7]


def test_a_release_that_was_refused_before_any_environment_was_not_built() -> None:
    facts = Facts(NOW, releases=(release(1, "refused"),))
    (shown,) = journeys(facts, HOSTS, ROUTE)

    assert shown.built == "refused"


def test_of_versions_side_by_side_the_newest_is_named_first() -> None:
    serving = {"a": running("a", "1", days=3), "b": running("b", "2"), "c": running("c", "1")}

    assert versions({"a": serving["a"], "b": serving["b"]}) == ("2", "1")


def test_somebody_of_one_environment_sees_nothing_of_the_others() -> None:
    gate = deployment(2, "awaiting approval")
    facts = Facts(
        NOW, (running("a", "1"), running("a", "1", "staging")),
        (gate, deployment(1, "done", environment="staging")),
        (release(1, "open", ("staging",)), release(2, "open", ("production",))), (waiting(gate),),
        {"production": 3},
    )  # fmt: skip

    seen = facts.only(("staging",))

    assert [one.environment for one in (*seen.running, *seen.deployments)] == ["staging"] * 2
    assert [one.version for one in seen.releases] == ["2026.11.1.1"]
    assert (seen.waiting, seen.diverged) == ((), {})


@given(st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_an_age_is_never_more_than_what_passed_and_less_than_one_unit_short(
    passed: timedelta,
) -> None:
    number, unit = age(passed)
    length = {**dict(UNITS), "seconds": 1}[unit]

    assert number * length <= passed.total_seconds() < (number + 1) * length


def test_since_is_counted_from_the_moment_it_is_read() -> None:
    assert age(NOW - ago(2)) == (2, "days")
