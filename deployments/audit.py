"""What `tradewind audit` does: find, export, and prove what was done, by whom and when."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blocks.shop import Live
from blocks.signed_heads import verify_export
from blocks.signing import Signing, fingerprint
from domain.audit import Wanted
from domain.errors import BadInput
from domain.spreadsheet import harmless
from tasks.audit import heads_of

COLUMNS = ("id", "at", "actor", "action", "version", "environment", "row", "content")


def wanted(since: str, until: str, others: dict[str, str]) -> Wanted:
    """From what was typed; a date alone begins at midnight UTC. BadInput names what is no time."""
    return Wanted(_moment("since", since), _moment("until", until), **others)


def find(live: Live, asked: Wanted) -> Iterator[dict[str, Any]]:
    """Entries, oldest first."""
    return live.ledger.audit.find(asked)


def find_csv(live: Live, asked: Wanted) -> Iterator[str]:
    """The same for a spreadsheet, each a line with its end; a heading first."""
    yield _line(COLUMNS)
    for row in find(live, asked):
        yield _line([str(row[name]) for name in COLUMNS])


def export(live: Live) -> Iterator[str]:
    """The whole audit in lines of JSON, with its signed head first."""
    return heads_of(live).export(datetime.now(UTC))


def key(live: Live) -> str:
    """The fingerprint that whoever verifies elsewhere has to know."""
    return fingerprint(Signing(live.state).public_key)


def verify_live(live: Live) -> tuple[str, ...]:
    """The ledger against its audit, and the audit against every head that was signed."""
    return live.ledger.verify([one.head for one in heads_of(live).kept()])


def verify(place: Path, older: Sequence[Path], known_key: str) -> tuple[str, ...]:
    """An export, by nothing but the files and the signer's fingerprint."""
    if not known_key:
        raise BadInput("key is empty: the fingerprint that `tradewind audit key` shows is needed")
    return verify_export(place, older, known_key)


def _moment(field: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{field} is {text!r}: a date, or a time as 2026-11-24T02:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([harmless(cell) for cell in cells])
    return written.getvalue()
