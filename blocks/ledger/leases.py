"""Leases: who may change an environment now, by an epoch that only rises."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from blocks.ledger.store import Store, Writer
from domain.errors import Fenced, Unavailable

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Lease:
    """Held by ``owner`` (unique per executor) since ``epoch``; all times are the database's."""

    name: str
    epoch: int
    owner: str
    seconds: float


class Leases:
    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, name: str, owner: str, seconds: float) -> Lease | None:
        """The lease with a higher epoch, or None while somebody else's has not lapsed."""
        with self._store.writing(f"take lease {name}", owner) as writer:
            writer.connection.execute(
                "SELECT pg_advisory_xact_lock(hashtext('lease'), hashtext(%s))", [name]
            )
            held = writer.row(
                "SELECT epoch, until > clock_timestamp() AS held FROM leases WHERE name = %s", name
            )
            if held and held["held"]:
                return None
            epoch = held["epoch"] + 1 if held else 1
            row = {
                "name": name,
                "epoch": epoch,
                "owner": owner,
                "until": writer.now() + timedelta(seconds=seconds),
            }
            writer.put("leases", row)
        return Lease(name, epoch, owner, seconds)

    def renew(self, lease: Lease) -> bool:
        """Sets the term anew; False when a newer epoch owns it."""
        with self._store.connection() as connection:
            return _renewed(connection, lease)

    def release(self, lease: Lease) -> None:
        """Ends the term now, if it is still this one's."""
        with self._store.connection() as connection:
            connection.execute(
                "UPDATE leases SET until = clock_timestamp() WHERE name = %s AND epoch = %s",
                (lease.name, lease.epoch),
            )

    def held(self, name: str) -> bool:
        row = self._store.row(
            "SELECT until > clock_timestamp() AS held FROM leases WHERE name = %s", name
        )
        return bool(row and row["held"])

    def epoch(self, name: str) -> int:
        """The highest that was given out; 0 when none was."""
        row = self._store.row("SELECT epoch FROM leases WHERE name = %s", name)
        return int(row["epoch"]) if row else 0

    def idle_seconds(self, names: Sequence[str]) -> float | None:
        """Since the last of these leases ended; negative while one is held, None when never."""
        row = self._store.row(
            "SELECT extract(epoch FROM clock_timestamp() - max(until))::float AS idle"
            " FROM leases WHERE name = ANY(%s)",
            list(names),
        )
        return row["idle"] if row else None


def guard(writer: Writer, lease: Lease) -> None:
    """Raises Fenced unless ``lease`` is the newest; a write renews it, in the same transaction."""
    if not _renewed(writer.connection, lease):
        raise Fenced(f"{lease.name}: epoch {lease.epoch} is over, somebody else has the lease")


def _renewed(connection: "psycopg.Connection[dict[str, object]]", lease: Lease) -> bool:
    renewed = connection.execute(
        "UPDATE leases SET until = clock_timestamp() + make_interval(secs => %s)"
        " WHERE name = %s AND epoch = %s AND owner = %s",
        (lease.seconds, lease.name, lease.epoch, lease.owner),
    )
    return renewed.rowcount == 1


@contextmanager
def exclusive(
    leases: Leases, name: str, owner: str, seconds: float, wait_seconds: float
) -> Iterator[Lease]:
    """Inside, nobody else has ``name``: waited for ``wait_seconds``, renewed while alive.

    Raises Fenced when it is not free in time.
    """
    lease = _waited_for(leases, name, owner, seconds, wait_seconds)
    over = threading.Event()
    renewal = threading.Thread(target=_keep, args=(leases, lease, over), daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        over.set()
        renewal.join()
        leases.release(lease)


def _waited_for(
    leases: Leases, name: str, owner: str, seconds: float, wait_seconds: float
) -> Lease:
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        if not leases.held(name) and (lease := leases.take(name, owner, seconds)):
            return lease
        time.sleep(POLL_SECONDS)
    raise Fenced(f"{name} is held by another executor, waited {wait_seconds:.0f} s")


def _keep(leases: Leases, lease: Lease, over: threading.Event) -> None:
    """Renews until told to stop, or until the lease is lost: then every write says so."""
    while not over.wait(lease.seconds / 3):
        try:
            if not leases.renew(lease):
                return
        except Unavailable:  # the next write will tell; until then keep asking
            continue
