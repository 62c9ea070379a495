"""Plain SQL: a folder of files in name order, recorded by name and digest in the database."""

from hashlib import sha256
from pathlib import Path

from blocks.database import Database
from blocks.database.migrators.scripts import Scripts, only_postgresql
from domain.errors import Refused
from domain.schema.migration import Migration, Revision

TABLE = """CREATE SCHEMA IF NOT EXISTS tradewind;
CREATE TABLE IF NOT EXISTS tradewind.schema_version (
    name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
);
"""


class SqlFiles:
    """The state is the name of the last file applied."""

    def state(self, database: Database) -> str:
        return max(_applied(database), default="")

    def planned(self, scripts: Scripts, database: Database) -> Migration:
        files = {path.name: _text(path) for path in sorted(scripts.path.glob("*.sql"))}
        applied = _applied(database)
        objections = _objections({name: _digest(text) for name, text in files.items()}, applied)
        if objections:
            raise Refused(*objections)
        before = max(applied, default="")
        fresh = [name for name in files if name not in applied]
        revisions = tuple(
            Revision(name, earlier, name, _sql(name, files[name], "" if earlier else TABLE))
            for earlier, name in zip([before, *fresh], fresh, strict=False)
        )
        return Migration(before, fresh[-1] if fresh else before, revisions)

    def apply(self, scripts: Scripts, revision: Revision, database_url: str) -> None:
        """Raises Refused: a file of SQL is never code."""
        raise Refused(f"{revision.name} is SQL, nothing of it is run as code")

    def finish(self, scripts: Scripts, database_url: str) -> None:
        """Nothing: a file is all there is."""


def _applied(database: Database) -> dict[str, str]:
    """Digests by name; none while there is no table."""
    only_postgresql(database.url)
    there = database.rows("SELECT to_regclass('tradewind.schema_version') AS found", {})
    if there[0]["found"] is None:
        return {}
    rows = database.rows("SELECT name, digest FROM tradewind.schema_version", {})
    return {row["name"]: row["digest"] for row in rows}


def _objections(files: dict[str, str], applied: dict[str, str]) -> tuple[str, ...]:
    last = max(applied, default="")
    gone = (f"{name} was applied and is not here" for name in sorted(applied.keys() - files))
    changed = (
        f"{name} changed after it was applied: {digest[:19]} instead of {applied[name][:19]}"
        for name, digest in files.items()
        if name in applied and digest != applied[name]
    )
    late = (
        f"{name} was not applied and sorts before {last}, which was"
        for name in files
        if name not in applied and name < last
    )
    return (*gone, *changed, *late)


def _sql(name: str, text: str, table: str) -> str:
    ended = text.strip() + ("" if text.rstrip().endswith(";") else "\n;")
    quoted = name.replace("'", "''")
    record = (
        "INSERT INTO tradewind.schema_version (name, digest)"
        f" VALUES ('{quoted}', '{_digest(text)}');"
    )
    return f"{ended}\n{table}{record}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}") from error


def _digest(text: str) -> str:
    return "sha256:" + sha256(text.encode()).hexdigest()
