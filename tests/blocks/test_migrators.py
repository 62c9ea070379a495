"""Alembic's revisions and files of SQL, planned and applied on a real PostgreSQL."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
import pytest

from blocks.database import Database
from blocks.database.migrators import Scripts, migrator, scripts
from domain.errors import BadInput, Failed, Refused, Unavailable
from domain.schema.migration import Migration, Revision

SHOP = Path(__file__).parents[2] / "examples" / "shop"
ENV = (SHOP / "migrations" / "env.py").read_text()
ALEMBIC = migrator("alembic")
SQL = migrator("sql")
LIMIT_SECONDS = 20.0
TABLE = "op.execute('CREATE TABLE stock (sku text PRIMARY KEY, quantity int)')"
GROWN = {"one": ("None", TABLE), "two": ("'one'", "op.execute('ALTER TABLE stock ADD n int')")}


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url)


def alembic(folder: Path, revisions: Mapping[str, tuple[str, str]], env: str = ENV) -> Scripts:
    """A commit with these revisions: what is below each, and the body of its upgrade."""
    versions = folder / "commit" / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    (versions.parent / "env.py").write_text(env)
    for name, (down, body) in revisions.items():
        (versions / f"{name}.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import context, op\n"
            f"revision = {name!r}\ndown_revision = {down}\n\ndef upgrade():\n    {body}\n"
        )
    (folder / "site").mkdir(exist_ok=True)
    return Scripts(folder / "commit", "migrations", folder / "site")


def files(folder: Path, texts: Mapping[str, str]) -> Scripts:
    """A commit with these files of SQL."""
    place = folder / "commit" / "sql"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, text in texts.items():
        (place / name).write_text(text)
    return Scripts(folder / "commit", "sql", folder / "site")


def execute(database: Database, text: str) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(text.encode())


def planned_and_applied(scripts: Scripts, database: Database) -> Migration:
    """Every revision in turn, checking that the database tells the states that were planned."""
    plan = ALEMBIC.planned(scripts, database)
    for revision in plan.revisions:
        assert ALEMBIC.state(database) == revision.before
        if revision.is_code:
            ALEMBIC.apply(scripts, revision, database.url)
        else:
            execute(database, revision.sql)
        assert ALEMBIC.state(database) == revision.after
    return plan


def test_the_sample_shops_revisions_are_applied_as_planned(
    database: Database, tmp_path: Path
) -> None:
    source = tmp_path / "shop"
    shutil.copytree(SHOP, source, ignore=shutil.ignore_patterns("changes", "__pycache__"))
    shop = Scripts(source, "migrations", tmp_path)

    first = planned_and_applied(shop, database)
    patch = SHOP / "changes" / "0001-gift-notes.patch"
    subprocess.run(["git", "apply", str(patch)], cwd=source, check=True)
    second = planned_and_applied(shop, database)

    assert [(one.name, one.before, one.after) for one in first.revisions] == [("0001", "", "0001")]
    assert second.revisions == (
        Revision(
            "0002",
            "0001",
            "0002",
            "ALTER TABLE orders ADD COLUMN gift_note text;\n"
            "CREATE INDEX orders_placed_at ON orders (placed_at);\n"
            "UPDATE alembic_version SET version_num='0002'"
            " WHERE alembic_version.version_num = '0001';",
        ),
    )
    assert ALEMBIC.planned(shop, database) == Migration("0002", "0002", ())


def test_branches_are_applied_in_alembics_order_and_merged(
    database: Database, tmp_path: Path
) -> None:
    branches = {
        **GROWN,
        "side": ("'one'", "op.execute('CREATE TABLE labels (id int)')"),
        "both": ("('two', 'side')", "pass"),
    }

    plan = planned_and_applied(alembic(tmp_path, branches), database)

    assert plan.states == ("", "one", "side", "side,two", "both")


def test_a_plan_goes_on_between_two_branches(database: Database, tmp_path: Path) -> None:
    branches = {**GROWN, "side": ("'one'", "pass"), "both": ("('two', 'side')", "pass")}
    commit = alembic(tmp_path, branches)
    for revision in ALEMBIC.planned(commit, database).revisions[:3]:
        execute(database, revision.sql)

    plan = planned_and_applied(commit, database)

    assert plan.states == ("side,two", "both")


def test_an_empty_version_table_is_an_empty_database(database: Database, tmp_path: Path) -> None:
    execute(database, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")

    plan = planned_and_applied(alembic(tmp_path, GROWN), database)

    assert plan.states == ("", "one", "two")


def test_several_heads_are_refused_by_name(database: Database, tmp_path: Path) -> None:
    commit = alembic(tmp_path, {**GROWN, "side": ("'one'", "pass")})

    with pytest.raises(Refused, match=r"2 heads \(side, two\), 1 is needed"):
        ALEMBIC.planned(commit, database)


CODE = {
    "a result": "[op.execute(f'DELETE FROM stock WHERE sku = {row[0]}')"
    " for row in op.get_bind().execute(sa.text('SELECT 1 WHERE false'))]",
    "whether there is one": "op.get_bind().execute(sa.text('SELECT 1')).scalar() or None",
    "a result, swallowed": "try: op.get_bind().execute(sa.text('SELECT 1')).all()\n"
    "    except Exception: pass",
    "a parameter": "op.get_bind().execute(sa.text('UPDATE stock SET quantity = :n'), {'n': 1})",
    "the catalogue": "sa.inspect(op.get_bind()).get_table_names()",
    "what is there": "sa.Enum('a', name='kind').create(op.get_bind(), checkfirst=True)",
    "a session": "from sqlalchemy.orm import Session; Session(op.get_bind()).execute(sa.text("
    "'SELECT 1')).scalar()",
    "to be online": "context.is_offline_mode() or op.execute('UPDATE stock SET quantity = 2')",
}


@pytest.mark.parametrize("body", CODE.values(), ids=CODE.keys())
def test_a_revision_that_asks_the_database_is_code(
    database: Database, tmp_path: Path, body: str
) -> None:
    commit = alembic(tmp_path, {**GROWN, "asks": ("'two'", body), "last": ("'asks'", "pass")})

    plan = planned_and_applied(commit, database)

    assert [one.name for one in plan.revisions if one.is_code] == ["asks"]
    assert plan.after == "last"


SAID = {
    "the dialect's name": (
        "op.get_bind().dialect.name == 'postgresql' and op.execute('SELECT 1')",
        "SELECT 1;",
    ),
    "a statement": (
        "op.get_bind().execute(sa.text('UPDATE stock SET quantity = 1'))",
        "UPDATE stock SET quantity = 1;",
    ),
    "a percent": (
        "op.execute(\"DELETE FROM stock WHERE sku LIKE 'a%'\")",
        "DELETE FROM stock WHERE sku LIKE 'a%';",
    ),
    "a bound value": (
        "op.execute(sa.text('UPDATE stock SET quantity = :n').bindparams(n=7))",
        "UPDATE stock SET quantity = 7;",
    ),
    "a comment": ("op.execute('SELECT 1 -- one')", "SELECT 1 -- one\n;"),
    "a commit": ("op.execute('COMMIT'); op.execute('SELECT 2')", "SELECT 2;"),
}


@pytest.mark.parametrize(("body", "sql"), SAID.values(), ids=SAID.keys())
def test_a_revision_that_only_says_statements_is_sql(
    database: Database, tmp_path: Path, body: str, sql: str
) -> None:
    plan = planned_and_applied(alembic(tmp_path, {**GROWN, "says": ("'two'", body)}), database)

    record = "UPDATE alembic_version SET version_num='says'"
    assert plan.revisions[-1].sql.startswith(f"{sql}\n{record}")


def test_an_index_built_concurrently_has_no_transaction_of_alembics(
    database: Database, tmp_path: Path
) -> None:
    body = (
        "with op.get_context().autocommit_block():\n"
        "        op.create_index('by_n', 'stock', ['n'], postgresql_concurrently=True)"
    )

    plan = ALEMBIC.planned(alembic(tmp_path, {**GROWN, "index": ("'two'", body)}), database)

    assert plan.revisions[-1].sql.splitlines()[0] == "CREATE INDEX CONCURRENTLY by_n ON stock (n);"


COUNTED = "op.get_bind().execute(sa.text('UPDATE stock SET quantity = quantity + 1')).rowcount"


def test_code_that_was_applied_is_not_applied_again(database: Database, tmp_path: Path) -> None:
    commit = alembic(tmp_path, {**GROWN, "code": ("'two'", COUNTED)})
    code = ALEMBIC.planned(commit, database).revisions[-1]
    for revision in ALEMBIC.planned(commit, database).revisions[:-1]:
        execute(database, revision.sql)
    execute(database, "INSERT INTO stock VALUES ('TEA-001', 5)")

    ALEMBIC.apply(commit, code, database.url)
    ALEMBIC.apply(commit, code, database.url)

    assert database.rows("SELECT quantity FROM stock", {}) == [{"quantity": 6}]


def test_code_is_not_applied_from_another_state(database: Database, tmp_path: Path) -> None:
    commit = alembic(tmp_path, {**GROWN, "code": ("'two'", COUNTED)})
    first, _, code = ALEMBIC.planned(commit, database).revisions
    execute(database, first.sql)

    with pytest.raises(Failed, match="revision code failed: the schema is at one, not two"):
        ALEMBIC.apply(commit, code, database.url)

    assert ALEMBIC.state(database) == "one"


def test_code_that_takes_too_long_is_ended(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "op.get_bind().execute(sa.text('SELECT pg_sleep(60)')).all()"
    commit = alembic(tmp_path, {"slow": ("None", slow)})
    (code,) = ALEMBIC.planned(commit, database).revisions
    monkeypatch.setattr(scripts, "APPLY_SECONDS", 2.0)

    with pytest.raises(Failed, match="revision slow did not end within 2 s and was ended"):
        ALEMBIC.apply(commit, code, database.url)

    assert ALEMBIC.state(database) == ""


def test_code_dies_with_whoever_started_it(database: Database, tmp_path: Path) -> None:
    slow = (
        "import os, pathlib; pathlib.Path('child').write_text(str(os.getpid()));"
        "op.get_bind().execute(sa.text('SELECT pg_sleep(600)')).all()"
    )
    commit = alembic(tmp_path, {"slow": ("None", slow)})
    starts = (
        "from pathlib import Path; from blocks.database.migrators import Scripts, migrator\n"
        "from domain.schema.migration import Revision; import sys\n"
        "scripts = Scripts(Path(sys.argv[1]), 'migrations', Path(sys.argv[2]))\n"
        "migrator('alembic').apply(scripts, Revision('slow', '', 'slow', ''), sys.argv[3])"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", starts, str(commit.source), str(commit.site), database.url],
        cwd=SHOP.parents[1],
    )
    child = psutil.Process(int(_read(commit.source / "child")))

    starter.send_signal(signal.SIGKILL)
    starter.wait(LIMIT_SECONDS)

    _, alive = psutil.wait_procs([child], LIMIT_SECONDS)
    assert alive == []


def _read(path: Path) -> str:
    """What a file says, once it says something."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} was not written in {LIMIT_SECONDS:.0f} s"
        time.sleep(0.02)
    return path.read_text()


def test_planning_does_not_write_to_the_database(database: Database, tmp_path: Path) -> None:
    writes = (
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "    connection.execute('CREATE TABLE written (id int)')\n"
    )

    with pytest.raises(Refused, match="read-only transaction"):
        ALEMBIC.planned(alembic(tmp_path, GROWN, writes + ENV), database)


def test_an_env_py_with_an_address_of_its_own_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    elsewhere = f"{database.url.partition('@')[0]}@/postgres?{database.url.partition('?')[2]}"
    own = ENV.replace('os.environ["DATABASE_URL"]', repr(elsewhere))
    commit = alembic(tmp_path, {"code": ("None", COUNTED)}, own)
    (code,) = ALEMBIC.planned(commit, database).revisions

    with pytest.raises(Failed, match=r"env\.py connects to database postgres, DATABASE_URL says"):
        ALEMBIC.apply(commit, code, database.url)


def test_what_the_scripts_wrote_is_shown_without_secrets(
    database: Database, tmp_path: Path
) -> None:
    secret = database.url.replace("postgres:@", "postgres:s%26same@")
    fails = "import os; raise RuntimeError(dict(os.environ), 's&same', 'at the end')\n"
    commit = alembic(tmp_path, GROWN, fails)
    commit = Scripts(commit.source, "migrations", commit.site, {"API_TOKEN": "t0psecret"})

    with pytest.raises(Refused, match="'at the end'") as refused:
        ALEMBIC.planned(commit, Database(secret))

    text = str(refused.value)
    assert len(text) <= len("alembic: ") + 1000
    assert "***" in text
    assert not any(word in text for word in ("s%26same", "s&same", "t0psecret"))


def test_a_plan_that_takes_too_long_is_given_up(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = alembic(tmp_path, GROWN, "import threading; threading.Event().wait()")
    monkeypatch.setattr(scripts, "PLAN_SECONDS", 1.0)

    with pytest.raises(Unavailable, match="alembic did not end within 1 s"):
        ALEMBIC.planned(commit, database)


@pytest.mark.parametrize("name", ["alembic", "django", "sql"])
def test_another_database_than_postgresql_is_refused(name: str, tmp_path: Path) -> None:
    elsewhere = Database("mysql://shop:sesame@db/shop")

    with pytest.raises(Refused, match=r"^database is mysql: only postgresql is supported$"):
        migrator(name).planned(Scripts(tmp_path, ".", tmp_path), elsewhere)


def test_scripts_for_another_dialect_are_refused(database: Database, tmp_path: Path) -> None:
    other = ENV.replace('dialect_name="postgresql"', 'dialect_name="sqlite"')

    with pytest.raises(Refused, match="database is sqlite: only postgresql is supported"):
        ALEMBIC.planned(alembic(tmp_path, GROWN, other), database)


def test_an_alembic_ini_for_another_dialect_is_refused(database: Database, tmp_path: Path) -> None:
    commit = alembic(tmp_path, GROWN)
    (commit.source / "alembic.ini").write_text("[alembic]\nsqlalchemy.url = mysql+pymysql://x/y\n")

    with pytest.raises(Refused, match="database is mysql: only postgresql is supported"):
        ALEMBIC.planned(commit, database)


GENERIC = """
from alembic import context
from sqlalchemy import engine_from_config, pool

if context.is_offline_mode():
    context.configure(url=context.config.get_main_option("sqlalchemy.url"))
    with context.begin_transaction():
        context.run_migrations()
else:
    section = context.config.get_section(context.config.config_ini_section, {})
    engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


def test_an_env_py_as_alembic_generates_it_works(database: Database, tmp_path: Path) -> None:
    commit = alembic(tmp_path, {**GROWN, "code": ("'two'", COUNTED)}, GENERIC)
    (commit.source / "alembic.ini").write_text(
        "[alembic]\nsqlalchemy.url = postgresql+psycopg://localhost/development\n"
    )

    plan = planned_and_applied(commit, database)

    assert plan.states == ("", "one", "two", "code")


def test_a_version_table_elsewhere_is_refused(database: Database, tmp_path: Path) -> None:
    other = ENV.replace("dialect_name=", "version_table='versions', dialect_name=")

    with pytest.raises(Refused, match="version_table is versions: only alembic_version"):
        ALEMBIC.planned(alembic(tmp_path, GROWN, other), database)


ONE = "CREATE TABLE stock (sku text PRIMARY KEY)"
TWO = "ALTER TABLE stock ADD quantity int; -- how many\n"


def test_files_are_applied_in_the_order_of_their_names(database: Database, tmp_path: Path) -> None:
    plan = SQL.planned(
        files(tmp_path, {"0002_quantity.sql": TWO, "0001_o'brien.sql": ONE}), database
    )
    for revision in plan.revisions:
        execute(database, revision.sql)
        assert SQL.state(database) == revision.after

    assert plan.states == ("", "0001_o'brien.sql", "0002_quantity.sql")
    assert database.rows("SELECT sku, quantity FROM stock", {}) == []


def test_only_new_files_are_planned(database: Database, tmp_path: Path) -> None:
    for revision in SQL.planned(files(tmp_path, {"0001.sql": ONE}), database).revisions:
        execute(database, revision.sql)
    both = files(tmp_path, {"0001.sql": ONE, "0002.sql": TWO})

    plan = SQL.planned(both, database)
    for revision in plan.revisions:
        execute(database, revision.sql)

    assert plan.states == ("0001.sql", "0002.sql")
    assert "CREATE TABLE" not in plan.sql
    assert SQL.planned(both, database) == Migration("0002.sql", "0002.sql", ())


def test_a_history_that_changed_is_refused_file_by_file(database: Database, tmp_path: Path) -> None:
    names = {"0001.sql": ONE, "0003.sql": TWO, "0004.sql": ""}
    for revision in SQL.planned(files(tmp_path, names), database).revisions:
        execute(database, revision.sql)
    changed = files(tmp_path, {"0001.sql": ONE + ";", "0002.sql": "", "0003.sql": TWO})

    with pytest.raises(Refused) as refused:
        SQL.planned(changed, database)

    gone, other, late = refused.value.objections
    assert gone == "0004.sql was applied and is not here"
    assert other.startswith("0001.sql changed after it was applied: sha256:")
    assert late == "0002.sql was not applied and sorts before 0004.sql, which was"


def test_a_migrator_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInput, match="migrator is 'flyway', known are alembic, django, sql"):
        migrator("flyway")
