"""Hotfixes with their deadlines, and freezes that two people lift, in the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from blocks.ledger import Ledger
from domain.calendar.overrides import Override
from domain.errors import Refused
from tests.blocks.test_ledger import cut

TOMORROW = datetime.now(UTC) + timedelta(days=1)
ASKED = Override("ann", "", "the payment is broken", TOMORROW, ("11.11",))


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    made = Ledger(database_url)
    made.migrate()
    return made


def test_a_deadline_runs_from_when_it_was_cut_and_stays(ledger: Ledger) -> None:
    release = ledger.releases.open(cut(), datetime.now(UTC).date())

    first = ledger.hotfixes.open(release.version, "storefront", "INC-1", 600)
    again = ledger.hotfixes.open(release.version, "storefront", "INC-1", 60)

    assert first == again
    assert first.deadline_at - release.created_at == timedelta(minutes=10)


def test_only_a_hotfix_that_serves_is_to_be_merged_back_until_it_was(ledger: Ledger) -> None:
    release = ledger.releases.open(cut(), datetime.now(UTC).date())
    ledger.hotfixes.open(release.version, "storefront", "INC-1", 600)
    assert ledger.hotfixes.unmerged() == ()

    ledger.releases.finish(release.version, "released", "serves")
    (waiting,) = ledger.hotfixes.unmerged()
    ledger.hotfixes.merged(waiting.version)

    assert ledger.hotfixes.unmerged() == ()
    assert ledger.verify() == ()


def test_an_override_has_two_names_and_is_agreed_to_once(ledger: Ledger) -> None:
    asked = ledger.overrides.ask("production", ASKED)

    agreed = ledger.overrides.agree(asked.id, "bo")

    assert (agreed.override.by, agreed.override.second) == ("ann", "bo")
    assert ledger.overrides.open("production") == (agreed,)
    assert ledger.overrides.open("staging") == ()
    with pytest.raises(Refused, match="was agreed to by bo"):
        ledger.overrides.agree(asked.id, "cy")
    assert ledger.verify() == ()


def test_an_override_that_is_over_is_agreed_to_by_nobody(ledger: Ledger) -> None:
    over = Override("ann", "", "too late", datetime.now(UTC) - timedelta(seconds=1), ("11.11",))
    asked = ledger.overrides.ask("production", over)

    with pytest.raises(Refused, match="ended at"):
        ledger.overrides.agree(asked.id, "bo")

    assert ledger.overrides.open("production") == ()
