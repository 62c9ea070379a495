"""Lines on their way to one sink: nobody ever waits for it, and no more wait than may."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from blocks.logs.ecs import Sealed
from blocks.logs.sinks import Sink
from domain.errors import TradewindError, Unavailable
from domain.logs.record import Document, stamp
from domain.logs.settings import Logs

MOST_CHARACTERS, BATCH_CHARACTERS = 16_000_000, 1_000_000
"""Of all lines that wait, and of those that are sent at once."""

PAUSE_SECONDS, CLOSE_SECONDS, SAY_SECONDS = 0.2, 5.0, 60.0
LOGGER = "tradewind.logs"


@dataclass
class Counts:
    """Lines since the beginning; ``dropped`` did not fit, ``lost`` were not taken in time."""

    sent: int = 0
    dropped: int = 0
    lost: int = 0
    refused: int = 0

    @property
    def missing(self) -> int:
        return self.dropped + self.lost + self.refused


class Outbox:
    """One sink's queue and the thread that empties it; the sink is opened by that thread."""

    def __init__(self, name: str, open_sink: Callable[[], Sink], limits: Logs) -> None:
        self.name, self.counts = name, Counts()
        self._open, self._limits = open_sink, limits
        self._sink: Sink | None = None
        self._waiting: deque[tuple[Document, int]] = deque()
        self._characters, self._told, self._said_at = 0, 0, 0.0
        self._changed, self._over = threading.Condition(), threading.Event()
        self._ends_at = float("inf")
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"logs {name}")
        self._thread.start()

    def put(self, document: Document) -> None:
        """At once, whatever the sink does; the oldest make room."""
        size = sum(len(str(value)) for value in document.values())
        with self._changed:
            self._waiting.append((document, size))
            self._characters += size
            while len(self._waiting) > self._limits.max_queue or self._characters > MOST_CHARACTERS:
                self._characters -= self._waiting.popleft()[1]
                self.counts.dropped += 1
            if len(self._waiting) >= self._limits.batch_lines:
                self._changed.notify()

    def has_room(self, until: float) -> bool:
        """At most half of the queue is taken; waits for it up to a time of ``time.monotonic``."""
        with self._changed:
            while not self._half_empty():
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, self._limits.flush_seconds))
        return time.monotonic() < until

    def _half_empty(self) -> bool:
        few = len(self._waiting) <= self._limits.max_queue // 2
        return few and self._characters <= MOST_CHARACTERS // 2

    def close(self, limit_seconds: float = CLOSE_SECONDS) -> Counts:
        """What waits is sent, for at most ``limit_seconds``; the rest is lost, and counted."""
        self.ending(limit_seconds)
        self._thread.join(max(0.0, self._ends_at - time.monotonic()))
        with self._changed:
            self.counts.lost += len(self._waiting)
            self._waiting.clear()
        return self.counts

    def ending(self, limit_seconds: float = CLOSE_SECONDS) -> None:
        """Nobody waits yet: several may end at the same time. The first limit counts."""
        self._ends_at = min(self._ends_at, time.monotonic() + limit_seconds)
        self._over.set()
        with self._changed:
            self._changed.notify_all()

    @property
    def mine(self) -> bool:
        """This thread is the one that sends."""
        return threading.get_ident() == self._thread.ident

    def _run(self) -> None:
        while (batch := self._batch()) or not self._over.is_set():
            if batch:
                self._deliver([*self._confession(), *map(Sealed, batch)])
        if self._sink is not None:
            self._sink.close()

    def _batch(self) -> list[Document]:
        with self._changed:
            if len(self._waiting) < self._limits.batch_lines and not self._over.is_set():
                self._changed.wait(self._limits.flush_seconds)
            batch: list[Document] = []
            size = 0
            while self._waiting and len(batch) < self._limits.batch_lines:
                if batch and size + self._waiting[0][1] > BATCH_CHARACTERS:
                    break
                document, characters = self._waiting.popleft()
                batch.append(document)
                size, self._characters = size + characters, self._characters - characters
            return batch

    def _deliver(self, lines: Sequence[Sealed]) -> None:
        """A bounded number of attempts; what is left after them is lost."""
        reason = ""
        for attempt in range(self._limits.attempts):
            lines, reason = self._sent(lines, reason)
            if not lines or time.monotonic() > self._ends_at:
                break
            self._over.wait(PAUSE_SECONDS * 2**attempt)
        self.counts.lost += len(lines)
        if reason:
            self._say(reason)

    def _sent(self, lines: Sequence[Sealed], reason: str) -> tuple[Sequence[Sealed], str]:
        """Those to be sent again, and the latest reason why."""
        try:
            self._sink = self._sink or self._open()
            outcome = self._sink.send(lines)
        except Unavailable as error:
            return lines, str(error)
        except TradewindError as error:
            self.counts.refused += len(lines)
            return (), str(error)
        except Exception as error:  # a sink's own mistake must not end what a release never needs
            self.counts.refused += len(lines)
            return (), f"{type(error).__name__}: {error}"
        self.counts.refused += outcome.refused
        self.counts.sent += len(lines) - len(outcome.again) - outcome.refused
        return outcome.again, outcome.reason or ("it is busy" if outcome.again else reason)

    def _confession(self) -> list[Sealed]:
        """Where the sink's own readers find that something is missing."""
        missing, self._told = self.counts.missing - self._told, self.counts.missing
        if not missing:
            return []
        said = f"{missing} log lines are missing before this one: {self.counts}"
        now = stamp(datetime.now(UTC))
        fields = {"log.level": "warning", "service.name": "tradewind", "log.logger": LOGGER}
        return [Sealed({"@timestamp": now, "message": said, **fields})]

    def _say(self, reason: str) -> None:
        """To this process's other handlers, once a minute at most."""
        if time.monotonic() - self._said_at > SAY_SECONDS or not self._said_at:
            self._said_at = time.monotonic()
            said = "%s has not taken %d log lines so far: %s"
            logging.getLogger(LOGGER).warning(said, self.name, self.counts.missing, reason)
