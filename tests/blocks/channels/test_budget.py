"""The shared budget: over processes and over a simulated day beside the seller's own programs."""

import multiprocessing
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest

from blocks.channels.budget import SharedBudget
from domain.channel import Rate
from examples.marketplace.rates import Bucket
from tests.blocks.channels.market import Clock

ORDERS = Rate(0.0056, 20)
"""Of Amazon: about one call in three minutes."""
DAY = timedelta(days=1)
MOST = 100
TABLE = """
CREATE UNLOGGED TABLE call_budgets (
    account text, operation text, level double precision, at timestamptz,
    PRIMARY KEY (account, operation)
)
"""


@pytest.fixture
def ledger_url(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        connection.execute(TABLE)
    return database_url


def shared(url: str, clock: Clock, share: float = 0.5, account: str = "production/us",
           paused: Callable[[float], None] | None = None) -> SharedBudget:  # fmt: skip
    return SharedBudget(url, account, share, pause=paused or clock.pause, now=clock)


def spent(budget: SharedBudget, rate: Rate, wait_seconds: float = 0, cost: float = 1) -> int:
    """How many calls are let through before one is refused."""
    for count in range(MOST):
        if not budget.spend("orders", rate, cost, wait_seconds):
            return count
    return MOST


def test_tradewind_has_its_share_of_the_burst_and_of_the_rate(ledger_url: str) -> None:
    clock = Clock()
    budget = shared(ledger_url, clock, share=0.25)

    at_once = spent(budget, ORDERS)
    clock.at += timedelta(seconds=1 / (0.25 * 0.0056) + 1)

    assert (at_once, spent(budget, ORDERS)) == (5, 1)


def test_a_small_share_still_has_one_call(ledger_url: str) -> None:
    assert spent(shared(ledger_url, Clock(), share=0.01), ORDERS) == 1


def test_a_bucket_never_has_more_than_its_burst(ledger_url: str) -> None:
    clock = Clock()
    budget = shared(ledger_url, clock)
    spent(budget, ORDERS)

    clock.at += DAY * 30

    assert spent(budget, ORDERS) == 10


def test_those_who_wait_get_their_turns_one_after_the_other(ledger_url: str) -> None:
    clock, waits = Clock(), list[float]()
    budget = shared(ledger_url, clock, share=1, paused=waits.append)

    for _ in range(4):
        budget.spend("orders", Rate(0.5, 1), 1, wait_seconds=10)

    assert waits == pytest.approx([0, 2, 4, 6])


def test_nothing_is_taken_when_the_turn_would_come_too_late(ledger_url: str) -> None:
    clock, waits = Clock(), list[float]()
    budget = shared(ledger_url, clock, share=1, paused=waits.append)
    slow = Rate(0.5, 1)

    taken = [budget.spend("orders", slow, 1, wait_seconds=3) for _ in range(5)]
    clock.at += timedelta(seconds=2)

    assert taken == [True, True, False, False, False]
    assert budget.spend("orders", slow, 1, wait_seconds=3)
    assert waits[-1] == pytest.approx(2)


def test_points_may_cost_more_than_the_burst_when_there_is_time(ledger_url: str) -> None:
    clock, waits = Clock(), list[float]()
    budget = shared(ledger_url, clock, share=1, paused=waits.append)

    assert not budget.spend("points", Rate(100, 200), 500, wait_seconds=1)
    assert budget.spend("points", Rate(100, 200), 500, wait_seconds=5)
    assert waits == pytest.approx([3])


def test_accounts_and_operations_do_not_spend_each_others_calls(ledger_url: str) -> None:
    clock = Clock()
    spent(shared(ledger_url, clock), ORDERS)

    other = shared(ledger_url, clock, account="production/de")

    assert spent(other, ORDERS) == 10
    assert other.spend("stock", Rate(2, 2), 1, 0)


def test_a_clock_that_went_back_takes_and_gives_nothing(ledger_url: str) -> None:
    clock = Clock()
    budget = shared(ledger_url, clock)
    budget.spend("orders", ORDERS, 1, 0)

    clock.at -= DAY
    behind = budget.spend("orders", ORDERS, 1, 0)
    clock.at += DAY

    assert (behind, spent(budget, ORDERS)) == (True, 8)


def _count(url: str, calls: "multiprocessing.Queue[int]", seconds: float) -> None:
    began, budget, count = datetime.now(), SharedBudget(url, "production/us", 0.5), 0
    while (datetime.now() - began).total_seconds() < seconds:
        count += budget.spend("orders", Rate(40, 20), 1, wait_seconds=0.2)
    calls.put(count)


def test_two_processes_share_one_budget(ledger_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    calls = context.Queue()
    both = [context.Process(target=_count, args=(ledger_url, calls, 1.5)) for _ in range(2)]
    began = datetime.now()

    for one in both:
        one.start()
    counts = [calls.get(timeout=20) for _ in both]
    for one in both:
        one.join(20)

    lasted = (datetime.now() - began).total_seconds()
    assert min(counts) > 5, "nobody starves"
    assert 10 + 1.5 * 20 * 0.7 < sum(counts) <= 10 + (lasted + 0.2) * 20


def refused_in_a_day(url: str, share: float, sellers_share: float) -> float:
    """Share of 429: the seller's program calls as often as it may, each hourly check 20 times."""
    clock = Clock()
    official = Bucket(ORDERS.per_second, 20)
    sellers = Bucket(ORDERS.per_second * sellers_share, round(20 * sellers_share))
    budget = shared(url, clock, share, account=f"{share}", paused=lambda _seconds: None)
    answers = list[bool]()
    for minute in range(24 * 60):
        clock.at += timedelta(minutes=1)
        now = clock.at.timestamp()
        if sellers.take(now):
            answers.append(official.take(now))
        tries = 20 if minute % 60 == 0 else 0
        for _ in range(tries):
            if not budget.spend("orders", ORDERS, 1, wait_seconds=0):
                break
            answers.append(official.take(now))
    return answers.count(False) / len(answers)


def test_a_day_beside_the_sellers_program_has_next_to_no_refusals(ledger_url: str) -> None:
    assert refused_in_a_day(ledger_url, share=0.5, sellers_share=0.5) <= 0.01


def test_without_a_share_for_the_seller_many_calls_are_refused(ledger_url: str) -> None:
    assert refused_in_a_day(ledger_url, share=1, sellers_share=0.5) > 0.1
