"""Alembic: its revisions as the SQL that it says offline, its record of each included."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from blocks.database import Database
from blocks.database.migrators.scripts import Child, Scripts, only_postgresql
from domain.schema.migration import Migration, Revision

READ_ONLY = {"PGOPTIONS": "-c default_transaction_read_only=on"}
"""Planning needs no connection; a script that opens one all the same cannot write."""


class Alembic:
    """The state is the version, several joined by commas while branches are apart.

    A revision that asks the database, or asks whether it is offline, is code.
    """

    def state(self, database: Database) -> str:
        only_postgresql(database.url)
        there = database.rows("SELECT to_regclass('alembic_version') AS found", {})
        if there[0]["found"] is None:
            return ""
        rows = database.rows("SELECT version_num FROM alembic_version", {})
        return ",".join(sorted(row["version_num"] for row in rows))

    def planned(self, scripts: Scripts, database: Database) -> Migration:
        before = self.state(database)
        reading = replace(scripts, variables={**scripts.variables, **READ_ONLY})
        request = {"verb": "plan", "before": before, **_configuration(scripts)}
        revisions = _child(reading, database.url).asked(request)
        made = tuple(Revision(**revision) for revision in revisions)
        return Migration(before, made[-1].after if made else before, made)

    def apply(self, scripts: Scripts, revision: Revision, database_url: str) -> None:
        only_postgresql(database_url)
        asked = {name: getattr(revision, name) for name in ("name", "before", "after")}
        request = {"verb": "apply", **asked, **_configuration(scripts)}
        _child(scripts, database_url).told(f"revision {revision.name}", request)

    def finish(self, scripts: Scripts, database_url: str) -> None:
        """Nothing: a revision is all that Alembic does."""


def _child(scripts: Scripts, database_url: str) -> Child:
    found = _ini(scripts)
    return Child(scripts, "alembic", found.parent if found else scripts.source, database_url)


def _configuration(scripts: Scripts) -> dict[str, Any]:
    return {"location": str(scripts.path), "ini": str(_ini(scripts) or "")}


def _ini(scripts: Scripts) -> Path | None:
    """The commit's own alembic.ini, in the folder of the migrations or above it."""
    files = (folder / "alembic.ini" for folder in scripts.upwards())
    return next((file for file in files if file.exists()), None)
