"""A reading's end: whole, cut short, or in a shape that nobody expected."""

from collections.abc import Iterator
from datetime import UTC, datetime

from blocks.channels.reading import Reading, Tally

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def test_a_row_that_lacks_a_field_is_incomplete_and_says_which() -> None:
    answers = ({"sku": "TEA-001"}, {"name": "no sku"})

    def rows(tally: Tally) -> Iterator[str]:
        tally.pages += 1
        for answer in answers:
            yield answer["sku"]

    reading = Reading(rows, lambda: NOW)

    assert list(reading) == ["TEA-001"]
    assert not reading.fetch.complete
    assert reading.fetch.reason == "page 1 is not in the channel's shape: KeyError: 'sku'"
