"""Backups of a real PostgreSQL: complete or absent, proven by restoring them, sealed, and few."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import psycopg
import pyrage  # type: ignore[import-untyped]
import pytest

from blocks.database import Database
from blocks.database.backup import Backup, proven, pruned, restored, taken
from blocks.database.backup.manifest import manifest
from blocks.database.backup.programs import PREFIX, program
from domain.errors import BadInput, Failed, Refused, Unavailable
from domain.schema.settings import Backups

DUMPED = Backups()
COPIED = Backups(physical_above_gb=0.000_001)
PERSONAL = "Ada Lovelace, 12 St James's Square"
NO_NEGATIVE = {"stock is not negative": "SELECT sku, quantity FROM stock WHERE quantity < 0"}
ALL_WAITS_SECONDS = 20


@pytest.fixture
def database(database_url: str) -> Database:
    """With customers and their stock in it."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE stock (sku text PRIMARY KEY, quantity int)")
        connection.execute("INSERT INTO stock VALUES ('TEA-001', 5)")
        connection.execute("CREATE SEQUENCE number")
        connection.execute("CREATE TABLE customer (id int, name text, at timestamptz)")
        connection.execute(
            "INSERT INTO customer SELECT n, %s || n, now() FROM generate_series(1, 2000) n",
            [PERSONAL],
        )
    return Database(database_url)


@pytest.fixture
def key() -> str:
    return str(pyrage.x25519.Identity.generate())


def biggest(backup: Backup) -> Path:
    return max(Path(backup.path).iterdir(), key=lambda path: path.stat().st_size)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + ALL_WAITS_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def waiting(database: Database) -> int:
    """How many sessions wait for a lock in this database."""
    query = (
        "SELECT count(*) AS number FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(database.rows(query, {})[0]["number"])


def sessions(database: Database) -> set[int]:
    """Of backups that are under way."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tradewind backup %%'"
    return {row["pid"] for row in database.rows(query, {})}


@contextmanager
def held(database: Database) -> Iterator[None]:
    """A table locked, so that a backup stops in its middle."""
    with psycopg.connect(database.url) as connection:
        connection.execute("LOCK TABLE stock IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_backup_is_proven_by_restoring_it(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")

    proven(database, backup, DUMPED, "", NO_NEGATIVE)

    assert {name: count for name, (count, _) in backup.tables.items()} == {
        "public.customer": 2000, "public.stock": 1,
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["first"]
    assert backup.size == sum(path.stat().st_size for path in (tmp_path / "first").iterdir())


def test_a_backup_survives_the_ledger_as_it_was(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")

    again = Backup(**json.loads(json.dumps(asdict(backup))))

    assert again == backup
    assert (again.digest, again.content) == (backup.digest, backup.content)


def test_a_shop_that_goes_on_writing_is_dumped_and_counted_at_one_moment(
    database: Database, tmp_path: Path
) -> None:
    over = threading.Event()
    writing = threading.Thread(target=lambda: write(database, over))
    writing.start()
    try:
        until(lambda: rows_of(database) > 2000)

        backup = taken(database, tmp_path / "first", DUMPED, "")
    finally:
        over.set()
        writing.join(ALL_WAITS_SECONDS)

    assert rows_of(database) > backup.tables["public.customer"][0] > 2000
    proven(database, backup, DUMPED, "", {})


def write(database: Database, over: threading.Event) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not over.is_set():
            connection.execute("INSERT INTO customer VALUES (0, 'new', now())")


def rows_of(database: Database) -> int:
    return int(database.rows("SELECT count(*) AS number FROM customer", {})[0]["number"])


def test_the_settings_of_a_database_do_not_make_its_backup_differ(
    database: Database, tmp_path: Path
) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'".encode())
        connection.execute(f"ALTER DATABASE {name} SET datestyle = 'German'".encode())

    proven(database, taken(database, tmp_path / "first", DUMPED, ""), DUMPED, "", {})


def test_a_flipped_byte_is_found(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")
    file = biggest(backup)
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])

    with pytest.raises(Failed, match=f"damaged: {file.name} is not what was written"):
        proven(database, backup, DUMPED, "", {})


def test_a_truncated_file_is_found(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")
    file = biggest(backup)
    os.truncate(file, 100)

    with pytest.raises(Failed, match=rf"damaged: {file.name} has 100 bytes instead of [\d,]+"):
        proven(database, backup, DUMPED, "", {})


def test_a_file_missing_and_one_too_many_are_both_named(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")
    file = biggest(backup)
    file.rename(file.with_name("z"))

    with pytest.raises(Failed, match=f"{file.name} is missing; z was not in it"):
        proven(database, backup, DUMPED, "", {})


def test_rows_that_differ_are_never_proven(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")
    count, checksum = backup.tables["public.stock"]
    other = replace(backup, tables={**backup.tables, "public.stock": [count, checksum + 1]})

    with pytest.raises(Failed, match=r"first differs in public\.stock"):
        proven(database, other, DUMPED, "", {})


def test_an_invariant_that_does_not_hold_is_named_with_its_row(
    database: Database, tmp_path: Path
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("INSERT INTO stock VALUES ('CUP-002', -3)")
    backup = taken(database, tmp_path / "first", DUMPED, "")

    with pytest.raises(Failed, match=r"stock is not negative does not hold: .*CUP-002.*-3"):
        proven(database, backup, DUMPED, "", NO_NEGATIVE)


def test_an_invariant_is_plain_sql_and_cannot_write(database: Database, tmp_path: Path) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")

    proven(database, backup, DUMPED, "", {"no cups": "SELECT 1 FROM stock WHERE sku LIKE 'CUP%';"})
    with pytest.raises(Failed, match="invariant wrong cannot be asked"):
        proven(database, backup, DUMPED, "", {"wrong": "SELECT nothing FROM nowhere"})
    with pytest.raises(Failed, match=r"cannot execute nextval.. in a read-only transaction"):
        proven(database, backup, DUMPED, "", {"writes": "SELECT nextval('number')"})


def test_a_restored_copy_can_be_changed_and_is_gone_afterwards(
    database: Database, tmp_path: Path
) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, "")

    with restored(database, backup, DUMPED, "") as found:
        found.rows("UPDATE stock SET quantity = 0 RETURNING sku", {})
        name = found.rows("SELECT current_database() AS name", {})[0]["name"]

    assert database.rows("SELECT quantity FROM stock", {}) == [{"quantity": 5}]
    assert not database.rows("SELECT 1 FROM pg_database WHERE datname = %(n)s", {"n": name})


def test_sealed_files_hold_no_plain_text_and_are_proven(
    database: Database, tmp_path: Path, key: str
) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, key)

    proven(database, backup, DUMPED, key, NO_NEGATIVE)

    assert backup.sealed
    for file in Path(backup.path).iterdir():
        assert file.read_bytes().startswith(b"age-encryption.org/v1\n"), file.name
        assert b"stock" not in file.read_bytes()
    assert set(backup.files) == {file.name for file in Path(backup.path).iterdir()}
    assert all(name.endswith(".age") for name in backup.files)


def test_the_wrong_key_opens_nothing_and_is_not_shown(
    database: Database, tmp_path: Path, key: str
) -> None:
    backup = taken(database, tmp_path / "first", DUMPED, key)
    other = str(pyrage.x25519.Identity.generate())

    with pytest.raises(BadInput, match=r"the backup key does not open .*\.age$"):
        proven(database, backup, DUMPED, other, {})
    with pytest.raises(BadInput, match="backup first is sealed, and no key is given"):
        proven(database, backup, DUMPED, "", {})


def test_a_malformed_key_is_refused_before_anything_and_not_shown(
    database: Database, tmp_path: Path, key: str
) -> None:
    with pytest.raises(BadInput) as refused:
        taken(database, tmp_path / "backups" / "first", DUMPED, key[:-1])

    assert key[16:30] not in str(refused.value)
    assert refused.value.__suppress_context__
    assert not (tmp_path / "backups").exists()


def test_no_room_is_refused_with_how_much_is_needed(
    database: Database, tmp_path: Path, small_disk: Path
) -> None:
    (small_disk / "other").write_bytes(bytes(15_000_000))

    with pytest.raises(Refused, match=r"first .* needs [\d.]+ MB, [\d.]+ MB are free .* too few"):
        taken(database, small_disk / "first", DUMPED, "")

    assert [path.name for path in small_disk.iterdir()] == ["other"]


def test_a_disk_that_fills_up_leaves_nothing(database: Database, small_disk: Path) -> None:
    failures: list[Failed] = []

    def take() -> None:
        with pytest.raises(Failed) as failed:
            taken(database, small_disk / "first", DUMPED, "")
        failures.append(failed.value)

    with held(database):
        taking = threading.Thread(target=take)
        taking.start()
        until(lambda: waiting(database) > 0)
        fill(small_disk / "other")
    taking.join(ALL_WAITS_SECONDS)

    assert "No space left on device" in str(failures[0])
    assert [path.name for path in small_disk.iterdir()] == ["other"]


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as other, suppress(OSError):
        while True:
            other.write(bytes(4096))


def test_files_that_may_not_grow_leave_nothing(database: Database, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
    try:
        with pytest.raises(Failed, match="pg_dump: "):
            taken(database, tmp_path / "first", DUMPED, "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB of its own."""
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], check=True)
    yield folder
    until(lambda: subprocess.run(["umount", folder], check=False).returncode == 0)


KILLED = """
import sys
from pathlib import Path
from blocks.database import Database
from blocks.database.backup import taken
from domain.schema.settings import Backups
taken(Database(sys.argv[1]), Path(sys.argv[2]), Backups(), "")
"""


def test_what_is_killed_in_the_middle_never_counts_and_is_ended(
    database: Database, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path / "first"
    elsewhere = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("killed"))}
    with held(database):
        command = [sys.executable, "-c", KILLED, database.url, str(folder)]
        child = subprocess.Popen(command, env=elsewhere)
        until(lambda: waiting(database) > 0 and bool(list(tmp_path.iterdir())))
        child.send_signal(signal.SIGKILL)
        child.wait(ALL_WAITS_SECONDS)
        left = [path.name for path in tmp_path.iterdir()]
        orphans = sessions(database)
        begun = threading.Thread(target=lambda: taken(database, folder, DUMPED, ""))
        begun.start()
        until(lambda: not (tmp_path / left[0]).exists())
        until(lambda: not orphans & sessions(database))
    begun.join(ALL_WAITS_SECONDS)

    assert left[0].endswith(".incomplete")
    assert orphans
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_password_is_on_no_command_line(database: Database, tmp_path: Path) -> None:
    guarded = Database(database.url.replace("postgres:@", "postgres:opensesame@"))
    begun = threading.Thread(target=lambda: taken(guarded, tmp_path / "first", DUMPED, ""))
    with held(database):
        begun.start()
        until(lambda: waiting(database) > 1)  # the counting, and pg_dump
        commands = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    begun.join(ALL_WAITS_SECONDS)

    assert any("pg_dump" in command[0] for command in commands if command)
    assert "opensesame" in guarded.url
    assert "opensesame" not in str(commands)
    assert (tmp_path / "first").exists()


def test_a_database_that_does_not_answer_leaves_nothing(tmp_path: Path) -> None:
    nowhere = Database(f"postgresql://postgres@/shop?host={tmp_path}")

    with pytest.raises(Unavailable, match="the database does not answer"):
        taken(nowhere, tmp_path / "first", DUMPED, "")

    assert not list(tmp_path.iterdir())


def test_a_backup_that_was_complete_but_not_noted_is_taken_again(
    database: Database, tmp_path: Path
) -> None:
    taken(database, tmp_path / "first", DUMPED, "")
    database.rows("UPDATE stock SET quantity = 4 RETURNING sku", {})

    backup = taken(database, tmp_path / "first", DUMPED, "")

    proven(database, backup, DUMPED, "", {})
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_big_database_is_copied_file_by_file_and_started(
    database: Database, tmp_path: Path
) -> None:
    backup = taken(database, tmp_path / "first", COPIED, "")

    with restored(database, backup, COPIED, "") as found:
        places = found.rows("SHOW data_directory", {})
        assert found.rows("SELECT quantity FROM stock", {}) == [{"quantity": 5}]
        assert found.rows("UPDATE stock SET quantity = 0 RETURNING sku", {})

    assert backup.kind == "physical"
    assert backup.tables["public.customer"][0] == 2000
    assert not Path(places[0]["data_directory"]).parent.exists()
    assert Path(places[0]["data_directory"]).parent.name.startswith(PREFIX)


def test_a_physical_backup_is_sealed_and_its_invariants_are_asked(
    database: Database, tmp_path: Path, key: str
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("INSERT INTO stock VALUES ('CUP-002', -3)")
    backup = taken(database, tmp_path / "first", COPIED, key)

    with pytest.raises(Failed, match=r"stock is not negative does not hold: .*CUP-002"):
        proven(database, backup, COPIED, key, NO_NEGATIVE)

    assert set(backup.files) == {"base.tar.age", "pg_wal.tar.age", "backup_manifest.age"}
    assert not any(PERSONAL.encode() in file.read_bytes() for file in Path(backup.path).iterdir())


def test_a_physical_backup_whose_files_postgresql_does_not_know_is_not_proven(
    database: Database, tmp_path: Path
) -> None:
    backup = taken(database, tmp_path / "first", COPIED, "")
    file = tmp_path / "first" / "base.tar"
    file.write_bytes(file.read_bytes().replace(PERSONAL.encode(), PERSONAL[::-1].encode()))
    forged = replace(backup, files=manifest(tmp_path / "first"))

    with pytest.raises(Failed, match=r"pg_verifybackup: .*checksum mismatch"):
        proven(database, forged, COPIED, "", {})


def test_a_copy_that_a_dead_process_left_is_cleared_away(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, used = tmp_path / f"{PREFIX}1000000000-x", tmp_path / f"{PREFIX}{int(time.time())}-y"
    for place in (left, used):
        place.mkdir()
        (place / "toc.dat").write_text(PERSONAL)

    proven(database, taken(database, tmp_path / "first", DUMPED, key), DUMPED, key, {})

    assert {path.name for path in tmp_path.iterdir()} == {"first", used.name}


def test_programs_of_another_major_version_are_not_used() -> None:
    assert "(PostgreSQL) 18" in subprocess.check_output([program("pg_dump", 18), "-V"], text=True)
    with pytest.raises(Refused, match="no pg_dump of PostgreSQL 99 on this machine"):
        program("pg_dump", 99)


def test_the_oldest_backups_beyond_those_to_keep_go(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c", "d", "e")):
        folder(tmp_path / name, 1_000_000_000 + number)

    assert pruned(tmp_path, 2, {"b"}) == ("a", "c")

    assert {path.name for path in tmp_path.iterdir()} == {"b", "d", "e"}
    assert pruned(tmp_path, 2, {"b"}) == ()


def test_incomplete_ones_go_after_a_day_and_never_count(tmp_path: Path) -> None:
    folder(tmp_path / "a", 1_000_000_000)
    folder(tmp_path / "b.1.incomplete", int(time.time()) - 25 * 3600)
    folder(tmp_path / "c.2.incomplete", int(time.time()) - 3600)

    assert pruned(tmp_path, 1, ()) == ("b.1.incomplete",)

    assert {path.name for path in tmp_path.iterdir()} == {"a", "c.2.incomplete"}


def folder(path: Path, made: int) -> None:
    path.mkdir()
    (path / "toc.dat").write_text("x")
    os.utime(path, (made, made))
