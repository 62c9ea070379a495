"""The journal of one deployment or release: intent, observe, act, outcome."""

from collections.abc import Callable, Mapping
from typing import Any

from blocks.ledger.leases import Lease, guard
from blocks.ledger.store import Store
from blocks.redaction import redacted
from domain.digest import digest_of
from domain.journal import Step

Act = Callable[[], Mapping[str, Any]]


class Journal:
    """Steps of one ``scope``, under a lease: killed anywhere and run again, it converges."""

    def __init__(self, store: Store, scope: str, lease: Lease) -> None:
        self._store = store
        self.scope = scope
        self.lease = lease

    def once(self, name: str, act: Act) -> dict[str, Any]:
        """The step's outcome: the recorded one when it is done, else from acting now.

        ``act`` states a desired state or observes first, so that acting after a kill between the
        effect and its outcome changes nothing more. Raises Fenced without the newest lease.
        """
        known = self._intend(name)
        if known is not None:
            return known
        try:
            outcome = dict(act())
        except Exception as error:
            shown = redacted(f"{type(error).__name__}: {error}")
            self._finish(name, "failed", {"error": shown})
            raise
        self._finish(name, "done", outcome)
        return outcome

    def key(self, name: str) -> str:
        """The step's idempotency key: the same for every attempt at the same step."""
        return digest_of([self.scope, name])

    def find(self, name: str) -> Step | None:
        row = self._store.row(
            "SELECT * FROM steps WHERE scope = %s AND name = %s", self.scope, name
        )
        return _step(row) if row else None

    def _intend(self, name: str) -> dict[str, Any] | None:
        step = self.find(name)
        if step is not None and step.status == "done":
            return dict(step.outcome)
        with self._store.writing(f"intent: {name}", self.lease.owner) as writer:
            guard(writer, self.lease)
            begun = step.started_at if step else writer.now()
            writer.put(
                "steps",
                {
                    "scope": self.scope,
                    "name": name,
                    "status": "intent",
                    "key": self.key(name),
                    "epoch": self.lease.epoch,
                    "outcome": {},
                    "started_at": begun,
                    "finished_at": None,
                },
            )
        return None

    def _finish(self, name: str, status: str, outcome: dict[str, Any]) -> None:
        with self._store.writing(f"{status}: {name}", self.lease.owner) as writer:
            guard(writer, self.lease)
            writer.change(
                "steps",
                {"scope": self.scope, "name": name},
                {"status": status, "outcome": outcome, "finished_at": writer.now()},
            )


def steps_of(store: Store, scope: str) -> tuple[Step, ...]:
    rows = store.rows("SELECT * FROM steps WHERE scope = %s ORDER BY started_at, name", scope)
    return tuple(_step(row) for row in rows)


def _step(row: dict[str, Any]) -> Step:
    return Step(**{name: value for name, value in row.items() if name != "key"})
