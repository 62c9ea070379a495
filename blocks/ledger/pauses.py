"""Environments that a person holds still: long work stops at its next safe point, until let go."""

from blocks.ledger.store import Store


class Pauses:
    def __init__(self, store: Store) -> None:
        self._store = store

    def hold(self, environment: str, by: str, reason: str) -> None:
        self._write(f"hold {environment}", environment, (True, by, reason))

    def let_go(self, environment: str, by: str, reason: str) -> None:
        self._write(f"let {environment} go", environment, (False, by, reason))

    def held_by(self, environment: str) -> str:
        """Who holds it and why, in a sentence; "" when nobody does."""
        row = self._store.row("SELECT * FROM pauses WHERE environment = %s", environment)
        return f"held by {row['by']}: {row['reason']}" if row and row["paused"] else ""

    def _write(self, what: str, environment: str, said: tuple[bool, str, str]) -> None:
        paused, by, reason = said
        with self._store.writing(what, by) as writer:
            values = {"environment": environment, "paused": paused, "by": by, "reason": reason}
            writer.put("pauses", values)
