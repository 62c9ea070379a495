"""Environments that a person holds still, one or all: nothing new begins, what runs waits."""

from blocks.ledger.store import Row, Store
from domain.errors import BadInput

EVERYWHERE = "*"
"""In place of an environment: all of them."""


class Pauses:
    def __init__(self, store: Store) -> None:
        self._store = store

    def hold(self, environment: str, by: str, reason: str) -> None:
        """At once; ``*`` holds every environment. BadInput without who and why."""
        self._write(f"hold {environment}", environment, (True, by, reason))

    def let_go(self, environment: str, by: str, reason: str) -> None:
        """Of what was held by the same name: ``*`` is let go as ``*``. BadInput as for `hold`."""
        self._write(f"let {environment} go", environment, (False, by, reason))

    def held_by(self, environment: str) -> str:
        """Who holds it, by its name or with all, and why, in a sentence; "" when nobody does."""
        rows = self._store.rows(
            "SELECT * FROM pauses WHERE paused AND environment IN (%s, %s)"
            " ORDER BY environment = %s",
            environment,
            EVERYWHERE,
            EVERYWHERE,
        )
        return "; ".join(map(_sentence, rows))

    def held(self) -> dict[str, str]:
        """Everything that is held, each with who and why."""
        rows = self._store.rows("SELECT * FROM pauses WHERE paused ORDER BY environment")
        return {row["environment"]: _sentence(row) for row in rows}

    def last_word(self, environment: str) -> str:
        """Who let it go last, and why; "" when nobody ever held it."""
        row = self._store.row(
            "SELECT p.* FROM pauses p JOIN audit a ON a.row = 'pauses ' || p.environment"
            " WHERE NOT p.paused AND p.environment IN (%s, %s) ORDER BY a.id DESC LIMIT 1",
            environment,
            EVERYWHERE,
        )
        return f"let go by {row['by']}: {row['reason']}" if row else ""

    def _write(self, what: str, environment: str, said: tuple[bool, str, str]) -> None:
        paused, by, reason = said[0], said[1].strip(), said[2].strip()
        if not by or not reason:
            empty = "by" if not by else "reason"
            raise BadInput(f"{empty} is empty: holding and letting go say who and why")
        with self._store.writing(f"{what}: {reason}", by) as writer:
            values = {"environment": environment, "paused": paused, "by": by, "reason": reason}
            writer.put("pauses", values)


def _sentence(row: Row) -> str:
    where = " with every environment" if row["environment"] == EVERYWHERE else ""
    return f"held{where} by {row['by']}: {row['reason']}"
