"""A schema change as a value: exactly the SQL that will run, and what to know of it."""

import re
from dataclasses import dataclass

from domain.digest import digest_of

_TABLE = re.compile(
    r"\b(?:CREATE TABLE|ALTER TABLE|DROP TABLE|TRUNCATE|UPDATE|INSERT INTO|DELETE FROM)\s+"
    r"(?:IF (?:NOT )?EXISTS\s+|ONLY\s+)*([\w.\"]+)"
    r"|\bCREATE (?:UNIQUE )?INDEX\b.*?\bON\s+(?:ONLY\s+)?([\w.\"]+)",
    re.IGNORECASE | re.DOTALL,
)
_BREAKS = re.compile(
    r"\bDROP (?:TABLE|COLUMN|CONSTRAINT)\b|\bRENAME\b|\bSET NOT NULL\b"
    r"|\bALTER COLUMN\b[^;]*\bTYPE\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Migration:
    """From one revision to another; nothing to do when they are the same."""

    before: str
    after: str
    sql: str

    @property
    def digest(self) -> str:
        return digest_of([self.before, self.after, self.sql])

    @property
    def empty(self) -> bool:
        return self.before == self.after


def tables_touched(sql: str) -> tuple[str, ...]:
    """
    >>> tables_touched("ALTER TABLE orders ADD COLUMN x int; CREATE INDEX i ON lines (sku);")
    ('lines', 'orders')
    """
    names = {(one or other).strip('"') for one, other in _TABLE.findall(sql)}
    return tuple(sorted(names - {"alembic_version"}))


def breaking(sql: str) -> tuple[str, ...]:
    """Statements after which the version before no longer fits the schema.

    >>> breaking("ALTER TABLE orders ADD COLUMN x int; ALTER TABLE orders DROP COLUMN y;")
    ('ALTER TABLE orders DROP COLUMN y',)
    """
    statements = (" ".join(statement.split()) for statement in sql.split(";"))
    return tuple(statement for statement in statements if _BREAKS.search(statement))
