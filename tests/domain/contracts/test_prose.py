"""What specifications say only in words."""

from datetime import date

import pytest

from domain.channel import Rate
from domain.contracts.prose import endings, first_date, most, rate

TABLE = """Returns orders.

**Usage Plan:**

| Rate (requests per second) | Burst |
| ---- | ---- |
| 0.0056 | 20 |

The `x-amzn-RateLimit-Limit` header returns the limits."""


def test_the_usage_plan_is_read_from_its_table() -> None:
    assert rate(TABLE) == Rate(0.0056, 20)


def test_a_plan_with_more_columns_is_read_by_their_titles() -> None:
    text = "| Plan type | Rate (requests per second) | Burst |\n|---|---|---|\n| Default | 5 | 10 |"

    assert rate(text) == Rate(5, 10)


@pytest.mark.parametrize("text", ["", "| Code | Meaning |\n|---|---|\n| 1 | 2 |", "Rate: 5"])
def test_without_such_a_table_no_rate_is_known(text: str) -> None:
    assert rate(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("You may specify up to 50 SKUs.", 50),
        ("The maximum number of orders per page. The value must be between 1 and 100.", 100),
        ("Max page size; at most 1,000 rows.", 1000),
        ("A maximum of 20 identifiers.", 20),
        ("No limit is known.", None),
        ("A rate of at most 0.5 a second.", None),
    ],
)
def test_the_largest_number_is_read_from_words(text: str, number: float | None) -> None:
    assert most(text) == number


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("This API will be removed on March 27, 2027.", date(2027, 3, 27)),
        ("Deprecated. It retires on 1st Sept 2027", date(2027, 9, 1)),
        ("We decommission it on 2027-03-27.", date(2027, 3, 27)),
        ("Added 2020-01-01, sunset 2028-02-29.", date(2028, 2, 29)),
        ("This field is deprecated.", None),
    ],
)
def test_an_announced_end_is_found_with_its_date(text: str, on: date | None) -> None:
    (ending,) = (one for one in endings(text) if one.on == on)

    assert ending.sentence


@pytest.mark.parametrize(
    "text",
    [
        "Returns orders created after 2023-05-01.",
        "Removes the item from the list.",
        "This is not about deprecating anything.",
    ],
)
def test_other_sentences_announce_no_end(text: str) -> None:
    assert list(endings(text)) == []


def test_only_the_sentence_that_announces_is_told() -> None:
    text = "Returns items.\n\nThe field `a` will be removed\non 2027-01-31. More words follow."

    (ending,) = endings(text)

    assert ending.sentence == "The field `a` will be removed on 2027-01-31."


def test_a_date_that_does_not_exist_is_no_date() -> None:
    assert first_date("2026-02-30, then 28 February 2026") == date(2026, 2, 28)
