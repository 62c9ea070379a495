"""Which release a divergence began with, and what a bad version wrote to the channels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NEW_FOR = timedelta(days=1)
"""What begins under a version that has served for longer has more likely another reason."""


@dataclass(frozen=True)
class Serving:
    """A version that served; ``until`` is None while it still does."""

    version: str
    began: datetime
    until: datetime | None = None

    def at(self, moment: datetime) -> bool:
        return self.began <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True)
class Push:
    """A level told to a channel; ``version`` is who told it, "" where the shop does not say."""

    channel: str
    sku: str
    at: datetime
    version: str = ""


def suspected(since: datetime, clean_before: datetime | None, served: Sequence[Serving]) -> str:
    """The version that a divergence began with, "" when that is none or cannot be told.

    It was first seen at ``since`` and was not there at ``clean_before``, the last look before that
    compared its key (None: none did, so nobody knows how old it is). One version that began to
    serve in between is suspected; where none did, the one that served alone and is still new.
    """
    if clean_before is None:
        return ""
    innocent = {one.version for one in served if one.at(clean_before)}
    began = {one.version for one in served if clean_before < one.began <= since} - innocent
    if not began:
        began = _new(since, clean_before, served)
    return began.pop() if len(began) == 1 else ""


def _new(since: datetime, clean_before: datetime, served: Sequence[Serving]) -> set[str]:
    """Who served from ``clean_before`` on, when all of them are new."""
    there = [one for one in served if one.at(clean_before) or one.at(since)]
    old = any(one.began < since - NEW_FOR for one in there)
    return set() if old else {one.version for one in there}


def written_by(bad: Serving, pushes: Iterable[Push]) -> Mapping[str, tuple[str, ...]]:
    """Per channel the SKUs whose level the version told, sorted: what has to be told again.

    Where the shop does not say who told a level, whoever served at that moment did.
    """
    found: dict[str, set[str]] = {}
    for push in pushes:
        if push.version == bad.version or (not push.version and bad.at(push.at)):
            found.setdefault(push.channel, set()).add(push.sku)
    return {channel: tuple(sorted(skus)) for channel, skus in sorted(found.items())}
