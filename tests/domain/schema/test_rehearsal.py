"""What a rehearsal objects to, whom those blame who waited, and how long it may take for real."""

import json
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schema.locks import MODES, Lock, Wait, added, blamed
from domain.schema.migration import Statement
from domain.schema.rehearsal import (
    Load,
    Measured,
    Rehearsal,
    Smoked,
    estimate,
    from_record,
    objections,
    to_record,
)
from domain.schema.settings import Migrations

LIMITS = Migrations("migrations", "web", most_wait_ms=300)
REWRITE = Statement(
    "7", "ALTER TABLE orders ALTER COLUMN id TYPE bigint", "contract", "", ("orders",)
)
QUIET = Measured(
    REWRITE, 0.09, 300_000, (Lock("orders", MODES[-1]),), (Wait("orders", 12, 20),), 40_000_000
)
GOOD = Rehearsal(
    "sha256:7",
    (QUIET,),
    (Smoked("N", 0, 1.2, "fine"),),
    Load(4),
    9.5,
    {"customers.email": 5},
    {"orders": 30_000_000},
    ("N-1: nothing served before",),
)


def test_nothing_speaks_against_a_change_that_nobody_noticed() -> None:
    assert objections(GOOD, LIMITS) == ()


def test_a_reader_who_waited_too_long_is_an_objection_with_a_way_out() -> None:
    slow = replace(QUIET, seconds=2.99, waits=(Wait("orders", 2991.4, 300),))

    found = objections(replace(GOOD, measured=(slow,)), LIMITS)

    assert found == (
        "readers of orders waited 2,991 ms for `ALTER TABLE orders ALTER COLUMN id TYPE bigint`"
        " against 300 ms: add a column without rewriting the table, fill it in batches",
    )


def test_what_others_wait_for_in_the_queue_counts_too() -> None:
    held = replace(QUIET, seconds=0.11)
    harmless = replace(held, locks=(Lock("orders", "SHARE UPDATE EXCLUSIVE"),))

    (found,) = objections(replace(GOOD, measured=(held,)), LIMITS)

    assert "holds ACCESS EXCLUSIVE on orders for 110 ms, after up to 200 ms in the queue" in found
    assert "310 ms against 300 ms" in found
    assert objections(replace(GOOD, measured=(harmless,)), LIMITS) == ()


def test_writers_are_told_of_concurrent_indexes() -> None:
    index = Statement("7", "CREATE INDEX sku ON orders (sku)", "expand", "", ("orders",))
    slow = Measured(index, 2.0, waits=(Wait("orders", 1, 1990),))

    (found,) = objections(replace(GOOD, measured=(slow,)), LIMITS)

    assert found.startswith("writers of orders waited 1,990 ms")
    assert "CREATE INDEX CONCURRENTLY" in found


def test_a_quick_statement_whose_lock_stayed_is_told_apart_from_a_slow_one() -> None:
    quick = replace(QUIET, seconds=0.004, waits=(Wait("orders", 5000, 5000),))

    found = objections(replace(GOOD, measured=(quick,)), LIMITS)

    assert all("put what follows into another revision" in one for one in found)


@pytest.mark.parametrize(("exit_code", "how"), [(1, "exit code 1"), (None, "did not end")])
def test_a_smoke_test_that_fails_is_an_objection(exit_code: int | None, how: str) -> None:
    failed = Smoked(
        "N-1 on the new schema", exit_code, 2.04, 'Traceback\n column "sku" is gone\n\n'
    )

    found = objections(replace(GOOD, smoked=(*GOOD.smoked, failed)), LIMITS)

    assert found == (
        f'the smoke test of N-1 on the new schema failed: {how} after 2.0 s, column "sku" is gone',
    )


def test_a_failure_of_the_load_is_an_objection() -> None:
    found = objections(replace(GOOD, load=Load(12, 3, "cached plan must not change")), LIMITS)

    assert found == (
        "N-1's load failed beside the change, 3 of 12 runs: cached plan must not change",
    )


def test_a_rehearsal_is_the_same_after_json() -> None:
    again = from_record(json.loads(json.dumps(to_record(GOOD))))

    assert again == GOOD
    assert again.digest == GOOD.digest


def test_a_rehearsal_without_load_is_the_same_after_json() -> None:
    bare = replace(GOOD, load=None, measured=(), smoked=())

    assert from_record(json.loads(json.dumps(to_record(bare)))) == bare


def test_time_grows_with_the_tables_and_only_with_them() -> None:
    here, there = {"orders": 10**8, "stock": 5}, {"orders": 3 * 10**8, "stock": 5000}

    assert estimate(replace(QUIET, seconds=2.0), here, there) == pytest.approx(6.0)
    assert estimate(replace(QUIET, seconds=0.005), here, there) == 0.005
    assert estimate(replace(QUIET, seconds=2.0), {}, there) == 2.0


LOCKS = st.lists(st.builds(Lock, st.sampled_from("ab"), st.sampled_from(MODES)), max_size=4)


@given(st.lists(LOCKS, min_size=1, max_size=5))
def test_who_is_blamed_took_a_lock_that_no_other_statement_exceeds(held: list[list[Lock]]) -> None:
    so_far = [list(chain(*held[:number])) for number in range(len(held) + 1)]
    taken = [added(so_far[n], so_far[n + 1]) for n in range(len(held))]

    found = blamed("a", taken)

    ranks = [MODES.index(lock.mode) for lock in so_far[-1] if lock.table == "a"]
    if found is None:
        assert not ranks
    else:
        assert Lock("a", MODES[max(ranks)]) in taken[found]
