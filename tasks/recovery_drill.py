"""The database's restore as a drill: a proven backup and the orders since, beside what serves."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.database import Database
from blocks.database.backup import Backup, pruned, restored, taken, upheld
from blocks.database.markers import found, moment, remove, write
from blocks.database.migrators import migrator
from blocks.database.recovery import counted, exported, replayed
from domain.drills.judgement import Measured, lost_seconds
from domain.errors import Refused
from domain.report import duration
from domain.schema.recovery import overlapping
from domain.schema.settings import Migrations
from tasks.deployment import executor
from tasks.drill import Drilling, undisturbed
from tasks.recover import backups
from tasks.runs import this_run

CHOSEN, WRITTEN = "choose a backup", "write orders of its own"
OWN_ORDERS = 5


def restore_beside(under_way: Drilling) -> Measured:
    """From the loss to a database that is proven; the one that serves is not touched."""
    settings_of(under_way)
    with undisturbed(under_way, executor(this_run())), tidied(under_way):
        backup = choose(under_way)
        written = write_own_orders(under_way)
        seen = recover_beside(under_way, backup, written)
    return Measured(seen["rto_seconds"], seen["rpo_seconds"], seen["told"])


def settings_of(under_way: Drilling) -> Migrations:
    """Refused where there is no database, or nothing says what came since a backup."""
    settings = under_way.live.shop.migrations
    if settings is None:
        raise Refused("migrations is not in shop.yaml: there is no database to restore")
    if not settings.deltas:
        raise Refused("migrations.deltas is empty: every order since a backup would be lost")
    return settings


@contextmanager
def tidied(under_way: Drilling) -> Iterator[None]:
    """Afterwards nothing of the drill is left, neither in the database nor on the disk."""
    try:
        yield
    finally:
        tidy(under_way)


@task(task_run_name="clear up after drill {under_way.row.id}", cache_policy=NO_CACHE)
def tidy(under_way: Drilling) -> None:
    """Asked again, nothing changes."""
    marker = under_way.settings.marker
    if marker is not None and under_way.journal.find(WRITTEN) is not None:
        remove(_database(under_way), marker, own_orders(under_way))
    pruned(_folder(under_way).parent, 0, ())


@task(task_run_name="choose a backup of {under_way.environment}", cache_policy=NO_CACHE)
def choose(under_way: Drilling) -> tuple[str, Backup]:
    """The newest with today's schema, by the name of its deployment; else one is taken now."""
    chosen = under_way.step(CHOSEN, lambda: _chosen(under_way))
    return str(chosen["name"]), Backup(**chosen["backup"])


def _chosen(under_way: Drilling) -> Mapping[str, Any]:
    live, place, settings = under_way.live, under_way.environment, settings_of(under_way)
    now = migrator(settings.migrator).state(_database(under_way))
    for name, (_, planned, known) in backups(live, place).items():
        if planned["migration"]["before"] == now:
            return {"name": name, "backup": dict(known)}
    folder = _folder(under_way) / "backup"
    backup = taken(_database(under_way), folder, settings.backups, live.backup_key())
    return {"name": "taken for the drill", "backup": asdict(backup)}


@task(task_run_name="write {under_way.environment} orders", cache_policy=NO_CACHE)
def write_own_orders(under_way: Drilling) -> tuple[float, ...]:
    """When each was committed; none where shop.yaml does not say how."""
    marker = under_way.settings.marker
    if marker is None:
        return ()
    keys = own_orders(under_way)
    times = under_way.step(WRITTEN, lambda: {"at": write(_database(under_way), marker, keys)})
    return tuple(times["at"])


def own_orders(under_way: Drilling) -> tuple[str, ...]:
    """Their keys, the same every time for the same drill."""
    return tuple(f"drill-{under_way.row.id}-{number}" for number in range(OWN_ORDERS))


@task(task_run_name="restore {under_way.environment} beside", cache_policy=NO_CACHE)
def recover_beside(
    under_way: Drilling, chosen: tuple[str, Backup], written: tuple[float, ...]
) -> dict[str, Any]:
    """Measured by the database's own clock and by this machine's, in seconds."""
    return under_way.step("restore beside", lambda: _recovered(under_way, chosen, written))


def _recovered(
    under_way: Drilling, chosen: tuple[str, Backup], written: tuple[float, ...]
) -> Mapping[str, Any]:
    settings, (name, backup) = settings_of(under_way), chosen
    database, since = _database(under_way), overlapping(backup.taken_at)
    delta_folder, key = _folder(under_way) / "delta", under_way.live.backup_key()
    loss_at, begun = moment(database), time.monotonic()
    delta = exported(database, settings.deltas, since, delta_folder)
    with restored(database, backup, settings.backups, key) as copy:
        rows = replayed(copy, settings.deltas, delta, delta_folder)
        upheld(copy, settings.invariants)
        rto_seconds = time.monotonic() - begun
        lost = _lost(copy, settings, delta, since)
        there = _there(under_way, copy)
    backup_at = datetime.fromisoformat(backup.taken_at).timestamp()
    markers = list(zip(written, there, strict=True))
    told = {
        "backup": f"{name}, {duration(loss_at - backup_at)} old, {backup.rows} rows",
        "put in again since the backup": ", ".join(f"{n} {one}" for one, n in rows.items()),
        "orders of the drill's own": f"{sum(there)} of {len(there)} are there again",
        "rows lost": str(lost),
        "were the server itself lost": f"the work of {duration(loss_at - backup_at)} would be",
    }
    rpo_seconds = lost_seconds(markers, lost, backup_at, loss_at)
    return {"rto_seconds": rto_seconds, "rpo_seconds": rpo_seconds, "told": told}


def _lost(
    copy: Database, settings: Migrations, delta: Mapping[str, list[int | str]], since: str
) -> int:
    """Exported rows that are not there again."""
    there = counted(copy, settings.deltas, since)
    return sum(max(0, int(rows) - there[name]) for name, (rows, _) in delta.items())


def _there(under_way: Drilling, copy: Database) -> list[bool]:
    marker = under_way.settings.marker
    if marker is None:
        return []
    keys = own_orders(under_way)
    again = set(found(copy, marker, keys))
    return [key in again for key in keys]


def _database(under_way: Drilling) -> Database:
    return under_way.live.database(under_way.environment)


def _folder(under_way: Drilling) -> Path:
    return under_way.live.state / "drills" / under_way.environment / f"drill-{under_way.row.id}"
