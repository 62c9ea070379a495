"""Findings in the ledger: what a comparison of contracts showed, who accepted it, what is gone."""

from collections.abc import Sequence

from blocks.ledger.store import Row, Store, Writer
from domain.contracts.findings import Finding, Found, finding_id
from domain.errors import BadInput, Refused


class Findings:
    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, channel: str, source: str, found: Sequence[Found]) -> tuple[Finding, ...]:
        """All that a comparison of the source showed; what it no longer shows is gone.

        The same finding is the same row. One that comes again has to be accepted again.
        """
        with self._store.writing(f"compare {source}", "contracts") as writer:
            writer.connection.execute("LOCK TABLE findings IN SHARE ROW EXCLUSIVE MODE")
            known = {row["id"]: row for row in _of_source(writer, channel, source)}
            new = {finding_id(channel, source, one): one for one in found}
            for name, one in new.items():
                if name not in known or known[name]["gone_at"] is not None:
                    writer.put("findings", _row(writer, (name, channel, source), one))
            for name, row in known.items():
                if name not in new and row["gone_at"] is None:
                    writer.change("findings", {"id": name}, {"gone_at": writer.now()})
        return tuple(one for one in self.all() if (one.channel, one.source) == (channel, source))

    def accept(self, number: str, by: str, reason: str) -> Finding:
        """Somebody answers for it. Refused when there is no such finding, or nothing to accept."""
        if not by.strip() or not reason.strip():
            raise BadInput("by and reason are empty: an acceptance says who and why")
        with self._store.writing(f"accept finding {number}", by) as writer:
            finding = _locked(writer, number)
            if not finding.open:
                gone = finding.gone_at is not None
                state = "is gone" if gone else f"was accepted by {finding.accepted_by}"
                raise Refused(f"finding {number} {state}")
            said = {"accepted_by": by.strip(), "accepted_reason": reason.strip()}
            changes = {**said, "accepted_at": writer.now()}
            return Finding(**writer.change("findings", {"id": number}, changes))

    def told(self, number: str, days: int) -> None:
        """People know that it ends within so many days."""
        with self._store.writing(f"tell of {days} days", "contracts") as writer:
            writer.change("findings", {"id": number}, {"told_days": days})

    def all(self) -> tuple[Finding, ...]:
        """Newest first, gone ones included."""
        rows = self._store.rows("SELECT * FROM findings ORDER BY found_at DESC, id")
        return tuple(Finding(**row) for row in rows)


def _row(writer: Writer, key: tuple[str, str, str], found: Found) -> Row:
    """As on its first day, whatever the row was before."""
    number, channel, source = key
    fresh = {"told_days": None, "accepted_by": "", "accepted_reason": "", "accepted_at": None}
    return {
        "id": number, "channel": channel, "source": source, **vars(found), **fresh,
        "found_at": writer.now(), "gone_at": None,
    }  # fmt: skip


def _of_source(writer: Writer, channel: str, source: str) -> list[Row]:
    query = "SELECT * FROM findings WHERE channel = %s AND source = %s"
    return writer.connection.execute(query, (channel, source)).fetchall()


def _locked(writer: Writer, number: str) -> Finding:
    row = writer.row("SELECT * FROM findings WHERE id = %s FOR UPDATE", number)
    if row is None:
        raise Refused(f"there is no finding {number!r}")
    return Finding(**row)
