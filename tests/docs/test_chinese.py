"""The Chinese pages go with the English ones: the same code, as many headings, the same links."""

from pathlib import Path

import pytest

from tests.docs.reading import CHINESE, DOCS, HOW_TO, blocks, headings, links, spoken

ENGLISH = (DOCS / "tutorial.md", *sorted(HOW_TO.glob("*.md")))
pages = pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)


def twin(page: Path) -> Path:
    return CHINESE / page.relative_to(DOCS)


@pages
def test_a_page_has_a_chinese_twin(page: Path) -> None:
    assert twin(page).exists()


def test_no_chinese_page_is_without_its_english_one() -> None:
    found = {one for one in CHINESE.rglob("*.md") if one.name != "index.md"}

    assert found <= {twin(one) for one in ENGLISH}


@pages
def test_the_code_is_the_same(page: Path) -> None:
    own, theirs = (
        [(one.language, one.marked, one.text) for one in blocks(place)]
        for place in (page, twin(page))
    )

    assert theirs == own


@pages
def test_there_are_as_many_headings_of_each_level(page: Path) -> None:
    own, theirs = (
        [one.partition(" ")[0] for one in headings(place)] for place in (page, twin(page))
    )

    assert theirs == own


@pages
def test_the_links_lead_to_the_same_or_to_its_twin(page: Path) -> None:
    own = sorted(_there(page, one) for one in links(page))
    theirs = sorted(_there(twin(page), one) for one in links(twin(page)))

    assert theirs == own


@pages
def test_names_and_commands_within_sentences_are_the_same(page: Path) -> None:
    own, theirs = (sorted(spoken(place)) for place in (page, twin(page)))

    assert theirs == own


def _there(page: Path, link: str) -> str:
    """Of a Chinese page its English one; a heading's name is in the page's own language."""
    if "://" in link:
        return link
    name = link.partition("#")[0]
    place = (page.parent / name).resolve() if name else page
    return str(DOCS / place.relative_to(CHINESE) if CHINESE in place.parents else place)
