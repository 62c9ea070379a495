"""Drills in a real ledger."""

from datetime import UTC, datetime

import pytest

from blocks.ledger import Lease, Ledger
from blocks.ledger.drills import Wanted
from domain.drills.judgement import Measured, judged, not_possible
from domain.drills.settings import Agreed
from domain.errors import Fenced

HOST = Wanted("host", "staging", "run-1", "ann", Agreed(60, 5))


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    made = Ledger(database_url)
    made.migrate()
    return made


def lease(ledger: Ledger, owner: str = "me", seconds: float = 30) -> Lease:
    taken = ledger.leases.take("drill staging", owner, seconds)
    assert taken is not None
    return taken


def test_a_run_has_one_drill_of_a_kind_however_often_it_asks(ledger: Ledger) -> None:
    held = lease(ledger)

    first, again = ledger.drills.open(HOST, held), ledger.drills.open(HOST, held)

    assert first == again
    assert (first.result, first.finished_at, first.agreed) == ("", None, Agreed(60, 5))
    assert first.begun_at <= datetime.now(UTC)
    assert ledger.drills.unfinished() == (first,)


def test_the_first_end_of_a_drill_stays_and_the_ledger_stays_sound(ledger: Ledger) -> None:
    held = lease(ledger)
    row = ledger.drills.open(HOST, held)
    measured = Measured(4.2, 0.5, {"host": "staging-1", "seconds": 0.1 + 0.2})

    ended = ledger.drills.finish(row.id, judged(measured, row.agreed), held)
    later = ledger.drills.finish(row.id, not_possible("no"), held)

    assert ended == later == ledger.drills.all()[0]
    assert (ended.result, ended.rto_seconds, ended.rpo_seconds) == ("passed", 4.2, 0.5)
    assert ended.evidence["host"] == "staging-1"
    assert ledger.drills.unfinished() == ()
    assert ledger.verify() == ()


def test_whoever_lost_the_drills_lease_writes_nothing(ledger: Ledger) -> None:
    old = lease(ledger, "old")
    row = ledger.drills.open(HOST, old)
    ledger.leases.release(old)
    lease(ledger, "new")

    with pytest.raises(Fenced):
        ledger.drills.finish(row.id, not_possible("late"), old)

    assert ledger.drills.of_environment("staging")[0].result == ""
