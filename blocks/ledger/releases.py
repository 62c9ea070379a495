"""Releases in the ledger: numbered when cut, their manifest written once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from blocks.ledger.store import Row, Store
from domain.digest import digest_of
from domain.errors import Refused
from domain.journal import Release
from domain.version import following


@dataclass(frozen=True)
class Cut:
    """What a release is cut from: the request, resolved."""

    flow_run: str
    ref: str
    commit: str
    committed_at: datetime
    requested_by: str
    reason: str
    services: tuple[str, ...]
    route: tuple[str, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the forge answered about the commit."""


class Releases:
    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, cut: Cut, day: date) -> Release:
        """The next number of the day; the same flow run gets the same release again."""
        with self._store.writing("cut", cut.requested_by) as writer:
            writer.connection.execute("LOCK TABLE releases IN SHARE ROW EXCLUSIVE MODE")
            known = writer.row("SELECT * FROM releases WHERE flow_run = %s", cut.flow_run)
            if known is not None:
                return _release(known)
            versions = writer.connection.execute("SELECT version FROM releases").fetchall()
            version = following(day, [row["version"] for row in versions])
            values = {**vars(cut), "services": list(cut.services), "route": list(cut.route)}
            evidence = values.pop("evidence")
            made = _release(writer.put("releases", {"version": version, **values}))
            if evidence:
                writer.put("protections", {"version": version, "evidence": dict(evidence)})
            return made

    def evidence(self, version: str) -> dict[str, Any]:
        """What the forge answered when it was cut; empty where it was not asked."""
        row = self._store.row("SELECT evidence FROM protections WHERE version = %s", version)
        return dict(row["evidence"]) if row else {}

    def get(self, version: str) -> Release:
        """Raises Refused when there is no such release."""
        return _release(self._row(version))

    def of_flow_run(self, flow_run: str) -> Release | None:
        row = self._store.row("SELECT * FROM releases WHERE flow_run = %s", flow_run)
        return _release(row) if row else None

    def all(self) -> tuple[Release, ...]:
        """Newest first."""
        rows = self._store.rows("SELECT * FROM releases ORDER BY created_at DESC")
        return tuple(_release(row) for row in rows)

    def record_manifest(self, version: str, record: Mapping[str, Any]) -> None:
        """Immutable: Refused when another one is recorded; the same again changes nothing."""
        known = self._row(version)["manifest"]
        if known is not None and digest_of(known) != digest_of(record):
            raise Refused(
                f"{version} has the manifest {digest_of(known)[:19]}, which never changes"
            )
        if known is None:
            with self._store.writing("manifest", "tradewind") as writer:
                writer.change(
                    "releases",
                    {"version": version},
                    {"manifest": dict(record), "state": "built"},
                )

    def manifest(self, version: str) -> dict[str, Any]:
        """Raises Refused when the release was never built."""
        found = self._row(version)["manifest"]
        if found is None:
            raise Refused(f"{version} was never built: it has no manifest")
        return dict(found)

    def finish(self, version: str, state: str, outcome: str) -> None:
        if self.get(version).finished_at is not None:
            return
        with self._store.writing(f"release {state}", "tradewind") as writer:
            writer.change(
                "releases",
                {"version": version},
                {"state": state, "outcome": outcome, "finished_at": writer.now()},
            )

    def _row(self, version: str) -> Row:
        row = self._store.row("SELECT * FROM releases WHERE version = %s", version)
        if row is None:
            raise Refused(f"there is no release {version!r}")
        return row


def _release(row: Row) -> Release:
    fields = {name: value for name, value in row.items() if name != "manifest"}
    return Release(**{**fields, "services": tuple(row["services"]), "route": tuple(row["route"])})
