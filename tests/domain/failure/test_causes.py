"""Recognised causes, on texts as real programs leave them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failure.causes import MOST_LINE, recognised
from tests.domain.failure.corpus import ENV, FIRST, LAST, LATER, NEEDS, NET

ALL = (*FIRST, *LATER, *LAST)


def test_what_is_recognised_on_the_known_texts_does_not_get_worse() -> None:
    """A floor, no estimate: the table was corrected by these. See the corpus for first tries."""
    named = [(found.cause, want) for text, want in ALL if (found := recognised([text]))]
    right = sum(cause == want for cause, want in named)
    causes = sum(want is not None for _, want in ALL)

    assert right / len(named) >= 0.99
    assert right / causes >= 0.97


@pytest.mark.parametrize("text", [text for text, want in ALL if want is None])
def test_what_has_none_of_the_usual_causes_is_given_none(text: str) -> None:
    assert recognised([text]) is None


def test_a_variable_is_named() -> None:
    found = recognised(["Traceback (most recent call last):\n  x\nKeyError: 'PAYMENT_KEY'"])

    assert found is not None
    assert (found.cause, found.name, found.line) == (ENV, "PAYMENT_KEY", "KeyError: 'PAYMENT_KEY'")


def test_a_connection_that_was_refused_explains_the_missing_distribution_after_it() -> None:
    found = recognised(
        ["WARNING: Connection refused", "ERROR: No matching distribution found for idna"]
    )

    assert found is not None
    assert found.cause == NET


def test_of_equal_lines_the_last_one_counts() -> None:
    found = recognised(["ModuleNotFoundError: No module named 'a'", "No module named 'b'"])
    both = recognised(
        ["ModuleNotFoundError: No module named 'a'\nModuleNotFoundError: No module named 'b'"]
    )

    assert found is not None
    assert found.cause == NEEDS
    assert both is not None
    assert both.name == "b"


@given(st.lists(st.text(max_size=500), max_size=4))
def test_any_text_is_read_and_its_line_is_short(texts: list[str]) -> None:
    found = recognised(texts)

    assert found is None or len(found.line) <= MOST_LINE + 2


@pytest.mark.parametrize("piece", ["a", "KeyError: ", "environ[", "A_", "${env:x", "x requires y "])
def test_a_text_made_to_be_slow_is_read_in_time(piece: str) -> None:
    text, begun = piece * (100_000 // len(piece)), time.process_time()

    recognised([text])

    assert time.process_time() - begun < 3
