"""Log lines leave this process: structured, redacted, in bounded queues, waited for by nobody."""

import atexit
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from blocks import redaction
from blocks.logs.context import carried, labelled, labels, noted
from blocks.logs.ecs import EcsFormatter, Sealed, Writer
from blocks.logs.outbox import Counts, Outbox
from blocks.logs.sinks import opened
from domain.logs.record import Document
from domain.logs.settings import Logs

__all__ = [
    "EcsFormatter", "Sealed", "Shipping", "Writer", "begin", "carried", "end", "labelled",
    "labels", "noted", "structured",
]  # fmt: skip
CHATTY = ("httpx", "httpcore")
"""They write of every request, also of those that carry lines."""


class Shipping(logging.Handler):
    """Every record of this process to every sink of shop.yaml."""

    def __init__(
        self, limits: Logs, resolve: Callable[[str], str], state: Path, writer: Writer
    ) -> None:
        super().__init__(limits.level)
        self.of, self._writer = (limits, state), writer
        self._outboxes = [
            Outbox(name, partial(opened, one, resolve, state, limits.timeout_seconds), limits)
            for name, one in limits.sinks.items()
        ]

    def emit(self, record: logging.LogRecord) -> None:
        own = any(one.mine for one in self._outboxes)
        if own and record.name.partition(".")[0] in CHATTY:
            return
        try:
            self.put(self._writer.document(record))
        except Exception:
            self.handleError(record)

    def put(self, document: Document) -> None:
        """A line that somebody else wrote, as it is."""
        for one in self._outboxes:
            one.put(document)

    def has_room(self, until: float) -> bool:
        """Every queue is at most half full; waits for it up to a time of ``time.monotonic``."""
        return all(one.has_room(until) for one in self._outboxes)

    def finish(self) -> dict[str, Counts]:
        """What waits is sent, for a few seconds at most; by sink, what came of all lines."""
        for one in self._outboxes:
            one.ending()
        return {one.name: one.close() for one in self._outboxes}


class _Active:
    shipping: Shipping | None = None


def begin(
    limits: Logs | None, resolve: Callable[[str], str], state: Path, dataset: str = "tradewind.flow"
) -> Shipping | None:
    """From now on this process's lines are sent; asked again with the same settings, it stays.

    None where shop.yaml has no sinks.
    """
    now = _Active.shipping
    if now is not None and (limits, state) == now.of:
        logging.root.addHandler(now)  # Prefect's own set-up may have taken it away
        return now
    end()
    if limits is None or not limits.sinks:
        return None
    _Active.shipping = shipping = Shipping(limits, resolve, state, Writer(dataset))
    logging.root.addHandler(shipping)
    redaction.install()
    return shipping


def end() -> dict[str, Counts]:
    """The last lines are sent; nothing is from then on."""
    shipping, _Active.shipping = _Active.shipping, None
    if shipping is None:
        return {}
    logging.root.removeHandler(shipping)
    return shipping.finish()


def structured(dataset: str) -> None:
    """This process writes its own output as lines of JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(EcsFormatter(Writer(dataset)))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    redaction.install()


atexit.register(end)
