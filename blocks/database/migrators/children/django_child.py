"""In the service's environment: its Django migrations as SQL, or one of them run as code."""
# mypy: disable-error-code="import-not-found,import-untyped"
# Django is the service's, so it need not be installed here.

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import django
from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, transaction
from django.db.migrations import RunPython, SeparateDatabaseAndState
from django.db.migrations.executor import MigrationExecutor

READS = re.compile(r"\s*(SELECT|WITH|SHOW|SAVEPOINT|RELEASE|ROLLBACK)\b", re.IGNORECASE)
ALIAS = "default"


def answer(request: dict[str, Any]) -> Any:
    """The migrations that are not applied, in order; nothing once one is applied or finished."""
    django.setup()
    _supported(request["database"])
    if request["verb"] == "plan":
        return _planned(request["applied"])
    if request["verb"] == "apply":
        return _applied(request["name"])
    return emit_post_migrate_signal(0, False, ALIAS, apps=apps, plan=[])


def _supported(database: str) -> None:
    """Settings with an address of their own would change another database."""
    if connection.vendor != "postgresql":
        raise SystemExit(f"database is {connection.vendor}: only postgresql is supported")
    named = connection.settings_dict["NAME"]
    if named != database:
        raise SystemExit(f"settings connect to database {named}, DATABASE_URL says {database}")


def _planned(applied: list[str]) -> list[dict[str, Any]]:
    """Builds each migration in this scratch database, so that the next finds what it changed."""
    table = _recorded(applied)
    executor = MigrationExecutor(connection)
    _consistent(executor.loader)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return []
    state = executor._create_project_state(with_applied_migrations=True)
    emit_pre_migrate_signal(0, False, ALIAS, apps=state.apps, plan=plan)
    steps = [_said(migration, state) for migration, _ in plan]
    if steps[0]["sql"]:
        steps[0]["sql"] = "\n".join((*table, steps[0]["sql"]))
    return steps


def _recorded(applied: list[str]) -> list[str]:
    """Django's own table as it is in the real database; what makes it, where it is not there."""
    recorder = MigrationExecutor(connection).recorder
    made: list[str] = []
    if not recorder.has_table():
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            editor.create_model(recorder.Migration)
        made = editor.collected_sql
        recorder.ensure_schema()
    for name in applied:
        recorder.record_applied(*name.split(".", 1))
    return made


def _consistent(loader: Any) -> None:
    loader.check_consistent_history(connection)
    conflicts = loader.detect_conflicts()
    if conflicts:
        named = "; ".join(f"{app}: {', '.join(sorted(names))}" for app, names in conflicts.items())
        raise SystemExit(f"migrations have several ends ({named}), 1 for each is needed")


def _said(migration: Any, state: Any) -> dict[str, Any]:
    """One migration as SQL with its record, "" where it has to be run; moves ``state`` on."""
    records = [*migration.replaces, (migration.app_label, migration.name)]
    statements = _statements(migration, state)
    sql = "" if statements is None else "\n".join((*statements, *map(_record, records)))
    named = [".".join(record) for record in records]
    return {"name": named[-1], "records": named, "sql": sql}


def _statements(migration: Any, state: Any) -> list[str] | None:
    """None for code. What can be said of it is built all the same, for the migrations after it."""
    code: list[Any] = []
    with _watched(code), connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for operation in migration.operations:
            before = state.clone()
            operation.state_forwards(migration.app_label, state)
            if _is_code(operation):
                code.append(operation)
            else:
                _forwards(operation, (migration.app_label, editor, before, state), code)
    _build(editor.collected_sql, migration.atomic, code)
    return None if code else editor.collected_sql


def _is_code(operation: Any) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return any(map(_is_code, operation.database_operations))
    if isinstance(operation, RunPython):
        return operation.code is not RunPython.noop
    return not operation.reduces_to_sql


def _forwards(operation: Any, arguments: tuple[Any, ...], code: list[Any]) -> None:
    try:
        operation.database_forwards(*arguments)
    except Exception as error:  # whatever cannot be said is run instead
        code.append(error)


def _build(statements: list[str], atomic: bool, code: list[Any]) -> None:
    try:
        with transaction.atomic() if atomic else nullcontext(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except Exception as error:  # SQL that does not run alone is run by Django
        code.append(error)


@contextmanager
def _watched(code: list[Any]) -> Iterator[None]:
    """An operation that writes by itself instead of saying its SQL is code."""

    def noted(execute: Any, sql: Any, *arguments: Any) -> Any:
        if not READS.match(str(sql)):
            code.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(noted):
        yield


def _record(record: tuple[str, str]) -> str:
    app, name = (part.replace("'", "''") for part in record)
    return (
        "INSERT INTO django_migrations (app, name, applied)"
        f" VALUES ('{app}', '{name}', now());"
    )  # fmt: skip


def _applied(name: str) -> None:
    """As ``manage.py migrate app name``, with its record in one transaction where it may be."""
    executor = MigrationExecutor(connection)
    _consistent(executor.loader)
    key = tuple(name.split(".", 1))
    plan = executor.migration_plan([key])
    if not plan:
        return
    if len(plan) != 1:
        raise SystemExit(f"{len(plan)} migrations would run, 1 is meant: {plan}")
    state = executor._create_project_state(with_applied_migrations=True)
    emit_pre_migrate_signal(0, False, ALIAS, apps=state.apps, plan=plan)
    executor.check_replacements = lambda: None  # it would record others than this one
    with transaction.atomic() if plan[0][0].atomic else nullcontext():
        executor.migrate([key], plan=plan, state=state)
        if plan[0][0].replaces:
            executor.recorder.record_applied(*key)
