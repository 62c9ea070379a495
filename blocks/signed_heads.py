"""Signed heads of the audit, and exports of it: files that prove themselves anywhere."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from blocks.ledger.audit import Audit
from blocks.signing import Signing, fingerprint, proves
from domain.audit import Entry, SignedHead, breaks
from domain.digest import canonical
from domain.errors import BadInput, Refused

HEAD = "head-{:%Y%m%dT%H%M%SZ}.json"


class SignedHeads:
    """The ends that a shop's audit had, in ``audit/`` of its state folder."""

    def __init__(self, shop: str, state: Path, audit: Audit) -> None:
        self._shop, self._folder, self._audit = shop, state / "audit", audit
        self._signing = Signing(state)

    def sign(self, now: datetime) -> Path:
        """The file of the head as it is ``now``, aware; one that is signed already stays.

        Refused where the audit no longer has what the newest file was signed for.
        """
        known = self.kept()
        if known:
            self._only_grew(known[-1])
        made = self.head(now)
        place = self._folder / HEAD.format(now)
        if known and known[-1].head == made.head:
            return sorted(self._folder.glob("head-*.json"))[-1]
        self._folder.mkdir(parents=True, exist_ok=True)
        written = place.with_suffix(".new")
        written.write_text(line(asdict(made)))
        return written.replace(place)

    def head(self, now: datetime) -> SignedHead:
        """As it is now, signed, and written nowhere."""
        head, key = self._audit.head(), self._signing.public_key
        bare = SignedHead(
            self._shop, head.count, head.digest, now.isoformat(timespec="seconds"), key
        )
        return replace(bare, signature=self._signing.sign(bare.text))

    def kept(self) -> tuple[SignedHead, ...]:
        """Of the files, the oldest first; BadInput naming one that is no head, or not ours."""
        files = sorted(self._folder.glob("head-*.json"))
        heads = [(place, head_of(place)) for place in files]
        for place, head in heads:
            if against := _unproven(head, fingerprint(self._signing.public_key)):
                raise BadInput(f"{place}: {against}")
        return tuple(head for _, head in heads)

    def export(self, now: datetime) -> Iterator[str]:
        """The whole audit in lines of JSON, the signed head first."""
        made = self.head(now)
        yield line(asdict(made))
        for entry, digest in self._audit.chain(made.count):
            yield line({**asdict(entry), "digest": digest})

    def _only_grew(self, newest: SignedHead) -> None:
        if newest.count and self._audit.digest_at(newest.count) != newest.digest:
            raise Refused(
                f"the audit's entry {newest.count} is not the one that was signed at {newest.at}:"
                " it was changed or cut off; `tradewind audit verify` says where"
            )


def verify_export(place: Path, older: Iterable[Path], key: str) -> tuple[str, ...]:
    """What is wrong with an export, by nothing but the files; empty when it is proven.

    ``older`` are exports and heads of before, whose entries must all be in it. ``key`` is the
    fingerprint of whoever has to have signed them all. BadInput when a file is none of them.
    """
    head, earlier = head_of(place), [(one, head_of(one)) for one in older]
    foreign = [
        f"{name}: {against}"
        for name, one in [(place, head), *earlier]
        if (against := _unproven(one, key) or _of_another(one, head))
    ]
    return (*foreign, *breaks(_entries(place), head.head, [one.head for _, one in earlier]))


def head_of(place: Path) -> SignedHead:
    """The head in a file's first line: it is all of a head's file, and begins an export."""
    try:
        with place.open() as lines:
            return SignedHead(**json.loads(lines.readline()))
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{place} does not begin with a signed head: {error}") from error


def line(content: dict[str, Any]) -> str:
    return canonical(content) + "\n"


def _entries(place: Path) -> Iterator[tuple[Entry, str]]:
    with place.open() as lines:
        next(lines)
        for number, text in enumerate(lines, start=2):
            try:
                told = json.loads(text)
                yield Entry(**{k: v for k, v in told.items() if k != "digest"}), told["digest"]
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise BadInput(f"{place} line {number} is no entry of an audit: {error}") from error


def _unproven(head: SignedHead, key: str) -> str:
    if not proves(head.public_key, head.text, head.signature):
        return f"the signature of the head of {head.at} does not hold"
    if fingerprint(head.public_key) != key:
        return f"signed by {fingerprint(head.public_key)}, expected is {key}"
    return ""


def _of_another(one: SignedHead, head: SignedHead) -> str:
    return "" if one.shop == head.shop else f"of the shop {one.shop}, the export is of {head.shop}"
