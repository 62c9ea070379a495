"""The reference says what the code says."""

import doctest
from importlib import import_module

import pytest

from deployments.reference import PAGES
from deployments.reference.page import FOLDER
from deployments.reference.shop_yaml import anchor
from tests.docs.reading import anchors, links


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says_now(name: str) -> None:
    made = PAGES[name]()

    assert (FOLDER / name).read_text() == made, "run `python -m deployments.reference`"
    assert PAGES[name]() == made


@pytest.mark.parametrize("module", ["page", "shop_yaml"])
def test_its_own_examples_are_right(module: str) -> None:
    ended = doctest.testmod(import_module(f"deployments.reference.{module}"))

    assert (ended.failed, ended.attempted > 0) == (0, True)


def test_there_is_no_page_that_nothing_makes() -> None:
    assert {one.name for one in FOLDER.glob("*.md")} == set(PAGES)


def test_every_kind_of_field_leads_to_its_section() -> None:
    page = FOLDER / "shop-yaml.md"

    within = {one.removeprefix("#") for one in links(page) if one.startswith("#")}

    assert within <= anchors(page)
    assert anchor("environments.NAME.canary") in within
    assert len(within) > 20
