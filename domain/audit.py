"""The audit's hash chain: every entry carries the digest of all before it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from domain.digest import digest_of

START = "sha256:" + "0" * 64


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


def digest_of_entry(entry: Entry) -> str:
    return digest_of(asdict(entry))


def breaks(chain: Iterable[tuple[Entry, str]], head: Head) -> tuple[str, ...]:
    """Every place where the chain (entries with their recorded digests, by id) does not hold."""
    found: list[str] = []
    previous, expected = START, 1
    for entry, recorded in chain:
        if entry.id != expected:
            found.append(f"audit: entry {expected} is missing or out of order (found {entry.id})")
        if entry.previous != previous:
            found.append(f"audit: entry {entry.id} does not follow the one before it")
        if digest_of_entry(entry) != recorded:
            found.append(f"audit: entry {entry.id} was changed")
        previous, expected = recorded, entry.id + 1
    if (expected - 1, previous) != (head.count, head.digest):
        found.append(f"audit: ends at entry {expected - 1}, its head says {head.count}")
    return tuple(found)


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
