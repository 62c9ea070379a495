"""Notices of a channel's deprecations: which of them are about what a client uses."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from domain.contracts.findings import Found
from domain.contracts.surface import Operation, Surface

_METHOD = re.compile(r"\b[a-z]+(?:[A-Z][a-z]+)+\b")
"""An operation's name, such as getInventoryItems."""


@dataclass(frozen=True)
class Notice:
    """One entry of a feed; the dates are its own, None where it names none."""

    title: str
    text: str
    link: str
    deprecated_on: date | None
    ends_on: date | None


def about(notices: Iterable[Notice], surfaces: Iterable[Surface]) -> Iterator[Found]:
    """Deprecations that name an operation in use, or a whole API in use and no operation."""
    used = tuple(surfaces)
    for notice in notices:
        said = f"{notice.title} {notice.text}"
        if any(_names(said, surface) for surface in used):
            yield Found("deprecation", notice.title, _detail(notice), notice.ends_on)


def _names(said: str, surface: Surface) -> bool:
    if any(_names_operation(said, operation) for operation in surface.operations):
        return True
    whole = any(title.lower() in said.lower() for title in surface.titles)
    return whole and not _METHOD.search(said)


def _names_operation(said: str, operation: Operation) -> bool:
    path = operation.call.partition(" ")[2]
    exact = re.compile(rf"{re.escape(path)}(?![\w/{{])")
    return bool(operation.name and re.search(rf"\b{operation.name}\b", said)) or bool(
        exact.search(said)
    )


def _detail(notice: Notice) -> str:
    dates = [f"deprecated on {notice.deprecated_on}"] * (notice.deprecated_on is not None)
    dates += [f"ends on {notice.ends_on}"] * (notice.ends_on is not None)
    return ", ".join([*dates, notice.link]) if notice.link else ", ".join(dates)
