"""In the service's environment: its Alembic revisions as SQL, or one of them run as code."""

import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine.mock import MockConnection

DRIVERS = ("psycopg2", "psycopg", "asyncpg", "pg8000")
ASKS_FOR_OFFLINE = ("is_offline_mode", "as_sql")
"""A revision with these words may leave out in SQL what it does with a connection."""


def answer(request: dict[str, Any]) -> Any:
    """The revisions from ``before`` to the head, or nothing once a revision is applied."""
    config = _configured(request)
    script = ScriptDirectory.from_config(config)
    if request["verb"] == "apply":
        return _applied(config, script, request)
    return _planned(config, script, request["before"])


def _configured(request: dict[str, Any]) -> Config:
    config = Config(request["ini"] or None)
    section = config.config_ini_section
    declared = config.file_config.get(section, "sqlalchemy.url", raw=True, fallback="")
    options = {"script_location": request["location"], "sqlalchemy.url": _address(declared)}
    for name, value in options.items():
        config.set_main_option(name, value.replace("%", "%%"))
    return config


def _address(declared: str) -> str:
    """DATABASE_URL for SQLAlchemy, with the driver that alembic.ini names, or one that is there."""
    kind, _, driver = declared.partition("://")[0].partition("+")
    if declared and kind not in ("postgresql", "postgres", "driver"):
        raise SystemExit(f"database is {kind}: only postgresql is supported")
    driver = driver or next((name for name in DRIVERS if find_spec(name)), DRIVERS[0])
    return f"postgresql+{driver}://{os.environ['DATABASE_URL'].partition('://')[2]}"


def _planned(config: Config, script: ScriptDirectory, before: str) -> list[dict[str, str]]:
    heads = script.get_heads()
    if len(heads) != 1:
        raise SystemExit(
            f"migrations have {len(heads)} heads ({', '.join(sorted(heads))}), 1 is needed"
        )
    if before == heads[0]:
        return []
    rendering = Rendering(script, heads[0])
    start = tuple(before.split(",")) if before else None
    with EnvironmentContext(
        config, script, fn=rendering.steps, as_sql=True,
        starting_rev=start, destination_rev=heads[0],
    ):  # fmt: skip
        script.run_env()
    if rendering.at != heads[0]:
        raise SystemExit(f"env.py runs no migrations offline: {heads[0]} was not reached")
    return rendering.revisions


class Rendering:
    """What Alembic says offline, revision by revision."""

    def __init__(self, script: ScriptDirectory, head: str) -> None:
        self.script = script
        self.head = head
        self.at = ""
        self.revisions: list[dict[str, str]] = []
        self._said: list[str] = []
        self._is_code = False

    def steps(self, heads: Any, context: Any) -> Iterator[Any]:
        """Alembic runs each step that this yields, and its record of it."""
        _supported(context)
        self.at = _state(heads)
        self._listen(context)
        for step in self.script._upgrade_revs(self.head, heads):
            step.migration_fn = self._guarded(step)
            yield step

    def _listen(self, context: Any) -> None:
        dialect, impl = context.dialect, context.impl
        dialect.paramstyle = "named"  # others double every %
        dialect.identifier_preparer = dialect.preparer(dialect)
        impl.literal_binds = True  # without it parameters stay names
        impl.static_output = self._say
        context.connection = impl.connection = Offline(
            dialect, impl._exec, self._needs_connection, context._version
        )
        callbacks = context.on_version_apply_callbacks
        context.on_version_apply_callbacks = (*callbacks, self._recorded)

    def _guarded(self, step: Any) -> Any:
        source = Path(step.revision.path).read_text()
        upgrade = step.migration_fn

        def rendered(**options: Any) -> None:
            self._is_code = any(word in source for word in ASKS_FOR_OFFLINE)
            try:
                upgrade(**options)
            except Exception:  # whatever cannot be rendered is run instead
                self._is_code = True

        return rendered

    def _needs_connection(self) -> Exception:
        self._is_code = True
        return RuntimeError("this needs a connection")

    def _say(self, text: str) -> None:
        """One statement; transactions are not Alembic's business here."""
        bare = text.strip().rstrip("; \n")
        if bare.upper() in ("BEGIN", "COMMIT", "") or bare.startswith("-- Running "):
            return
        if bare.startswith("CREATE TABLE alembic_version "):
            bare = bare.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1)
        commented = "--" in bare.rpartition("\n")[2]
        self._said.append(f"{bare}\n;" if commented else f"{bare};")

    def _recorded(self, step: Any, heads: Any, **_: Any) -> None:
        before, self.at = self.at, _state(heads)
        sql = "" if self._is_code else "\n".join(self._said)
        name = step.up_revision_id
        self.revisions.append({"name": name, "before": before, "after": self.at, "sql": sql})
        self._said = []


class Offline(MockConnection):
    """Says statements; for whoever wants an answer, a look at the catalogue or more, it is none."""

    def __init__(self, dialect: Any, say: Any, needs: Any, version: Any) -> None:
        super().__init__(dialect, say)
        self._needs = needs
        self._version = version

    def execute(self, obj: Any, *parameters: Any, **options: Any) -> Any:
        if any(parameters) or any(options.values()):
            raise self._needs()
        self._execute_impl(obj)
        return Unknown(self._needs)

    def _run_ddl_visitor(self, visitorcallable: Any, element: Any, **kwargs: Any) -> None:
        """Alembic's own table is made as if it were missing; other tables may be looked for."""
        if kwargs.get("checkfirst") and element is not self._version:
            raise self._needs()
        super()._run_ddl_visitor(visitorcallable, element, **kwargs)

    def in_transaction(self) -> bool:
        """Alembic asks before an autocommit_block."""
        return False

    def __getattr__(self, name: str) -> Any:
        raise self._needs()


class Unknown:
    """A result that nobody has: to use it is to need a connection."""

    def __init__(self, needs: Any) -> None:
        self.__dict__["needs"] = needs

    def _used(self, *_: Any) -> Any:
        raise self.__dict__["needs"]()

    __getattr__ = __iter__ = __next__ = __bool__ = __len__ = __getitem__ = __eq__ = _used
    __hash__ = object.__hash__


def _applied(config: Config, script: ScriptDirectory, request: dict[str, Any]) -> None:
    def once(heads: Any, context: Any) -> Iterable[Any]:
        _supported(context)
        _same_database(context, request["database"])
        at = _state(heads)
        if at == request["after"]:
            return []
        if at != request["before"]:
            raise SystemExit(f"the schema is at {at or 'nothing'}, not {request['before']}")
        steps = script._upgrade_revs(request["name"], heads)
        if len(steps) != 1:
            raise SystemExit(f"{len(steps)} revisions would run, 1 is meant")
        return steps

    with EnvironmentContext(config, script, fn=once, destination_rev=request["name"]):
        script.run_env()


def _supported(context: Any) -> None:
    kind = context.dialect.name
    if kind != "postgresql":
        raise SystemExit(f"database is {kind}: only postgresql is supported")
    table, schema = context.version_table, context.version_table_schema
    if (table, schema) != ("alembic_version", None):
        named = f"{schema}.{table}" if schema else table
        raise SystemExit(f"version_table is {named}: only alembic_version is supported")


def _same_database(context: Any, meant: str) -> None:
    """An env.py with an address of its own would change another database."""
    found = context.connection.exec_driver_sql("SELECT current_database()").scalar()
    if found != meant:
        raise SystemExit(f"env.py connects to database {found}, DATABASE_URL says {meant}")


def _state(heads: Any) -> str:
    return ",".join(sorted(heads))
