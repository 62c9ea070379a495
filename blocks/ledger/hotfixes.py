"""Hotfixes in the ledger: the deadline of each, and when it was merged back."""

from blocks.ledger.store import Store
from domain.hotfix import Hotfix


class Hotfixes:
    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, version: str, service: str, incident: str, seconds: float) -> Hotfix:
        """The release is one from now on; the deadline runs from when it was cut."""
        known = self.of(version)
        if known is not None:
            return known
        with self._store.writing(f"hotfix for {incident}", "tradewind") as writer:
            times = writer.row(
                "SELECT created_at AS asked_at,"
                " created_at + make_interval(secs => %s) AS deadline_at"
                " FROM releases WHERE version = %s",
                seconds,
                version,
            )
            assert times is not None  # it was cut
            values = {"version": version, "service": service, "incident": incident, **times}
            return Hotfix(**writer.put("hotfixes", values))

    def of(self, version: str) -> Hotfix | None:
        row = self._store.row("SELECT * FROM hotfixes WHERE version = %s", version)
        return Hotfix(**row) if row else None

    def unmerged(self) -> tuple[Hotfix, ...]:
        """Those that serve and whose commit was not seen in the main branch yet."""
        rows = self._store.rows(
            "SELECT h.* FROM hotfixes h JOIN releases r USING (version)"
            " WHERE r.state = 'released' AND h.merged_at IS NULL ORDER BY h.version"
        )
        return tuple(Hotfix(**row) for row in rows)

    def merged(self, version: str) -> None:
        with self._store.writing("merged back", "tradewind") as writer:
            writer.change("hotfixes", {"version": version}, {"merged_at": writer.now()})
