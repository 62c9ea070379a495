"""Freezes lifted in the ledger: one person asks for it, a second one agrees."""

from dataclasses import dataclass
from datetime import datetime

from blocks.ledger.store import Row, Store
from domain.calendar.overrides import Override
from domain.errors import Refused


@dataclass(frozen=True)
class Lifting:
    """A freeze that somebody wants lifted; ``override.second`` is "" until another one agrees."""

    id: int
    environment: str
    override: Override
    asked_at: datetime
    seconded_at: datetime | None


class Overrides:
    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(self, environment: str, override: Override) -> Lifting:
        """Counts for nothing before a second person agrees."""
        with self._store.writing("ask to override a freeze", override.by) as writer:
            number = writer.row("SELECT nextval('overrides_id_seq') AS id")
            assert number is not None
            values = {
                **number, "environment": environment, "events": list(override.events),
                "by": override.by, "reason": override.reason, "until": override.until,
                "asked_at": writer.now(),
            }  # fmt: skip
            return _lifting(writer.put("overrides", values))

    def agree(self, number: int, second: str) -> Lifting:
        """Refused when there is none, when it is over, or when somebody agreed already."""
        with self._store.writing("agree to override a freeze", second) as writer:
            row = writer.row("SELECT * FROM overrides WHERE id = %s FOR UPDATE", number)
            if row is None:
                raise Refused(f"there is no override {number}")
            if row["second"]:
                raise Refused(f"override {number} was agreed to by {row['second']}")
            if row["until"] <= writer.now():
                raise Refused(f"override {number} ended at {row['until']:%F %R} UTC")
            changes = {"second": second, "seconded_at": writer.now()}
            return _lifting(writer.change("overrides", {"id": number}, changes))

    def get(self, number: int) -> Lifting:
        """Raises Refused when there is none."""
        row = self._store.row("SELECT * FROM overrides WHERE id = %s", number)
        if row is None:
            raise Refused(f"there is no override {number}")
        return _lifting(row)

    def during(
        self, environment: str, begins: datetime, ends: datetime | None
    ) -> tuple[Lifting, ...]:
        """Those agreed to that could lift something in that time, oldest first."""
        rows = self._store.rows(
            "SELECT * FROM overrides WHERE environment = %s AND seconded_at IS NOT NULL"
            " AND until >= %s AND seconded_at <= coalesce(%s, clock_timestamp()) ORDER BY id",
            environment,
            begins,
            ends,
        )
        return tuple(map(_lifting, rows))

    def open(self, environment: str) -> tuple[Lifting, ...]:
        """Those that are not over, newest first, agreed to or not."""
        rows = self._store.rows(
            "SELECT * FROM overrides WHERE environment = %s AND until > clock_timestamp()"
            " ORDER BY id DESC",
            environment,
        )
        return tuple(map(_lifting, rows))


def _lifting(row: Row) -> Lifting:
    said = Override(row["by"], row["second"], row["reason"], row["until"], tuple(row["events"]))
    return Lifting(row["id"], row["environment"], said, row["asked_at"], row["seconded_at"])
