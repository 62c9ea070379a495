"""The audit's hash chain: every entry carries the digest of all before it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from domain.digest import canonical, digest_of

START = "sha256:" + "0" * 64
KIND = "tradewind audit head 1"


@dataclass(frozen=True)
class Entry:
    """One line of the audit: ``row`` is the table and key it speaks of, ``content`` its digest."""

    id: int
    at: str
    action: str
    actor: str
    row: str
    content: str
    previous: str


@dataclass(frozen=True)
class Head:
    """Where the chain ends: how many entries, and the last one's digest."""

    count: int
    digest: str


@dataclass(frozen=True)
class SignedHead:
    """Where a shop's chain ended at a time, signed: from then on nothing before it can change."""

    shop: str
    count: int
    digest: str
    at: str
    public_key: str
    signature: str = ""

    @property
    def head(self) -> Head:
        return Head(self.count, self.digest)

    @property
    def text(self) -> str:
        """What is signed."""
        return canonical({"kind": KIND, **asdict(replace(self, signature=""))})


@dataclass(frozen=True)
class Wanted:
    """Which entries: ``who`` is the actor, ``what`` a part of the action; "" and None are all."""

    since: datetime | None = None
    until: datetime | None = None
    who: str = ""
    what: str = ""
    version: str = ""
    environment: str = ""


def digest_of_entry(entry: Entry) -> str:
    return digest_of(asdict(entry))


def breaks(
    chain: Iterable[tuple[Entry, str]], head: Head, older: Iterable[Head] = ()
) -> tuple[str, ...]:
    """Every place where the chain (entries with their recorded digests, by id) does not hold.

    ``older`` are ends that it once had: the entries until there must be the same ones.
    """
    return tuple(_breaks(chain, head, older))


def _breaks(chain: Iterable[tuple[Entry, str]], head: Head, older: Iterable[Head]) -> Iterator[str]:
    once = defaultdict[int, set[str]](set)
    for one in older:
        once[one.count].add(one.digest)
    last = Head(0, START)
    for entry, recorded in chain:
        yield from _misplaced(entry, recorded, last)
        last = Head(entry.id, recorded)
        if once.pop(entry.id, {recorded}) != {recorded}:
            yield f"audit: entry {entry.id} is not the one that a head was signed for"
    if last != head:
        yield f"audit: ends at entry {last.count}, its head says {head.count}"
    for count in sorted(count for count in once if count > 0):
        yield f"audit: ends at entry {last.count}, a head was signed for {count}: it was cut off"


def _misplaced(entry: Entry, recorded: str, last: Head) -> Iterator[str]:
    expected = last.count + 1
    if entry.id != expected:
        yield f"audit: entry {expected} is missing or out of order (found {entry.id})"
    if entry.previous != last.digest:
        yield f"audit: entry {entry.id} does not follow the one before it"
    if digest_of_entry(entry) != recorded:
        yield f"audit: entry {entry.id} was changed"


def unlike(recorded: dict[str, str], found: dict[str, str]) -> tuple[str, ...]:
    """Rows (name to digest) that are not as the audit last saw them."""
    changed = (row for row in recorded if row in found and found[row] != recorded[row])
    missing = (row for row in recorded if row not in found)
    unknown = (row for row in found if row not in recorded)
    return (
        *(f"{row} was changed behind the ledger's back" for row in changed),
        *(f"{row} is missing" for row in missing),
        *(f"{row} was added behind the ledger's back" for row in unknown),
    )
