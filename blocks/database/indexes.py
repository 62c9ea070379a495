"""Indexes made beside the traffic: what a statement asks for, what is there, what is INVALID."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from domain.errors import Refused

Session = psycopg.Connection[tuple[Any, ...]]
NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
START = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
CREATE = re.compile(
    rf"{START}CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?P<mode>CONCURRENTLY)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"(?:(?P<name>(?!ON\s){NAME})\s+)?ON\s+(?:ONLY\s+)?(?P<table>{NAME}(?:\.{NAME})?)",
    re.IGNORECASE | re.DOTALL,
)
DROP = re.compile(
    rf"{START}DROP\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?(?P<name>{NAME}(?:\.{NAME})?)",
    re.IGNORECASE | re.DOTALL,
)
REINDEX = re.compile(rf"{START}REINDEX\b.*?\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
FOUND = """
SELECT i.indexrelid, i.indisvalid, i.indrelid, pg_get_indexdef(i.indexrelid)
  FROM pg_class t JOIN pg_class c ON c.relnamespace = t.relnamespace
  JOIN pg_index i ON i.indexrelid = c.oid
 WHERE t.oid = to_regclass(%s) AND c.relname = (parse_ident(%s))[1]
"""
INVALID = """
SELECT i.indexrelid, i.indexrelid::regclass::text, i.indrelid::regclass::text FROM pg_index i
 WHERE NOT i.indisvalid
   AND NOT EXISTS (SELECT 1 FROM pg_inherits p WHERE p.inhparent = i.indexrelid)
   AND NOT EXISTS (
       SELECT 1 FROM pg_stat_progress_create_index b WHERE b.index_relid = i.indexrelid)
"""
"""Partitioned indexes are INVALID until every partition has theirs; those being built will be."""


@dataclass(frozen=True)
class Index:
    """One that is there: its definition as PostgreSQL tells it, and its table's oid."""

    oid: int
    valid: bool
    table: int
    definition: str

    @property
    def shape(self) -> tuple[bool, str]:
        """What makes it this index, whatever it and its table are called."""
        unique = self.definition.startswith("CREATE UNIQUE")
        return unique, self.definition.partition(" USING ")[2]


@dataclass(frozen=True)
class Asked:
    """A CREATE INDEX CONCURRENTLY, with the names in it as written."""

    text: str
    name: str
    table: str

    def found(self, connection: Session) -> Index | None:
        row = connection.execute(FOUND, (self.table, self.name)).fetchone()
        return Index(*row) if row else None

    def is_met_by(self, connection: Session, index: Index) -> bool:
        """Whether ``index`` is what is asked for: the same one made on an empty table tells."""
        same = connection.execute("SELECT to_regclass(%s)::oid", [self.table]).fetchone()
        if same is None or same[0] != index.table:
            return False
        with connection.transaction(force_rollback=True):
            copy = f"CREATE TEMP TABLE tradewind_asked (LIKE {self.table})"
            connection.execute(copy.encode())
            connection.execute(self._on("pg_temp.tradewind_asked").encode())
            row = connection.execute(
                "SELECT indexrelid, true, indrelid, pg_get_indexdef(indexrelid) FROM pg_index"
                " WHERE indrelid = 'pg_temp.tradewind_asked'::regclass"
            ).fetchone()
        return row is not None and Index(*row).shape == index.shape

    def _on(self, table: str) -> str:
        """The statement for another table, within a transaction."""
        match = CREATE.match(self.text)
        assert match is not None
        first, (start, end) = match.span("mode")[0], match.span("table")
        rest = self.text[match.span("mode")[1] : start]
        return f"{self.text[:first]}{rest}{table}{self.text[end:]}"


def asked(text: str) -> Asked | None:
    """None when ``text`` creates no index; Refused when it leaves the name to the server."""
    match = CREATE.match(text)
    if match is None:
        return None
    if match["name"] is None:
        raise Refused(f"nobody could tell whether it is there, it has no name: {text.strip()}")
    return Asked(text, match["name"], match["table"])


def drop(connection: Session, oid: int) -> None:
    """Drops it beside the traffic, if it is still there."""
    row = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s",
        [oid],
    ).fetchone()
    if row:
        statement = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}")
        connection.execute(statement.format(sql.Identifier(*row)))


def invalid(connection: Session) -> list[tuple[int, str, str]]:
    """Oid, name and table of every index that a build left INVALID."""
    return [(oid, name, table) for oid, name, table in connection.execute(INVALID).fetchall()]
