"""A notice as people read it: short, of bounded length, and with nothing of others in markup."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from domain.notices.plain import cut, plain
from domain.notices.settings import Event, Language
from domain.notices.words import WORDS, Words

Level = Literal["info", "success", "warning", "failure"]
MOST_TITLE, MOST_VALUE, MOST_OUTCOME, MOST_LINK = 240, 120, 600, 300
MOST_BYTES = 2000
"""Of a whole notice in UTF-8: WeCom's robots take 2048, every other chat takes more."""
LEVELS: dict[Event, Level] = {
    "waiting": "warning",
    "done": "success",
    "restored": "failure",
    "refused": "warning",
    "halted": "failure",
    "failed": "failure",
    "stopped": "warning",
    "contract": "warning",
    "hotfix": "warning",
}


@dataclass(frozen=True)
class Facts:
    """What is told, as it came: text of others may stand in all of it but ``link``."""

    shop: str
    version: str = ""
    environment: str = ""
    who: str = ""
    outcome: str = ""
    until: datetime | None = None
    link: str = ""


@dataclass(frozen=True)
class Message:
    """``body`` has a line for each fact; ``link`` is where it goes on, or empty."""

    title: str
    body: str
    link: str
    level: Level


def told(event: Event, facts: Facts, language: Language, reminder: int = 0) -> Message:
    """The notice of an event; the ``reminder``-th time it says so."""
    words = WORDS[language]
    headline = words.events[event][0]
    if reminder:
        headline = words.reminder.format(headline, reminder)
    subject = " → ".join(one for one in (facts.version, facts.environment) if one)
    parts = (plain(one, MOST_VALUE) for one in (facts.shop, headline, subject) if one)
    lines = (words.line.format(*pair) for pair in _lines(event, facts, words))
    link = facts.link if len(facts.link) <= MOST_LINK else ""
    level = LEVELS.get(event, "info")
    return Message(cut(" · ".join(parts), MOST_TITLE), "\n".join(lines), link, level)


def text_of(message: Message) -> str:
    """What stands below the title where a chat shows text as it is."""
    return "\n".join(one for one in (message.body, message.link) if one)


def markdown_of(message: Message) -> str:
    """The same as a list, in the Markdown that every chat knows."""
    lines = "\n".join(f"- {line}" for line in message.body.splitlines())
    return f"{lines}\n\n[Tradewind]({message.link})" if message.link else lines


def page_of(public_url: str, *path: str) -> str:
    """The address of one of Prefect's pages; "" where nobody said how people reach them.

    >>> page_of("https://release.example/", "runs", "flow-run", "a b")
    'https://release.example/runs/flow-run/a%20b'
    """
    if not public_url:
        return ""
    return "/".join((public_url.rstrip("/"), *(quote(part, safe="") for part in path)))


def _lines(event: Event, facts: Facts, words: Words) -> Iterator[tuple[str, str]]:
    values = (
        (words.version, plain(facts.version, MOST_VALUE)),
        (words.environment, plain(facts.environment, MOST_VALUE)),
        (words.who, plain(facts.who, MOST_VALUE)),
        (words.until, f"{facts.until:%Y-%m-%d %H:%M} UTC" if facts.until else ""),
        (words.outcome, plain(facts.outcome, MOST_OUTCOME)),
        (words.next, words.events[event][1]),
    )
    return (pair for pair in values if pair[1])
