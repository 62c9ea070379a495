"""Speaking to an agent over a stream: it arrives by its digest, then a line out, a line back."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from blocks.hosts.bundle import bundle
from blocks.logs.context import labels
from blocks.redaction import redacted
from domain.errors import Failed, Fenced, Refused, TradewindError, Unavailable

MARGIN_SECONDS = 3.0
MOST_LINE_BYTES = 64 << 20
KINDS: Mapping[str, type[TradewindError]] = {
    "fenced": Fenced,
    "refused": Refused,
    "failed": Failed,
}


class Stream(Protocol):
    """Bytes to and from one door; OSError or EOFError when it does not go on, or not in time."""

    def send(self, block: bytes, limit_seconds: float) -> None: ...
    def receive(self, limit_seconds: float) -> bytes: ...
    def complaint(self) -> str: ...
    def close(self) -> None: ...


class Conversation:
    """One agent, kept for as long as it answers; asked by several threads, it answers in turn.

    Every verb says what should be, so that one whose answer was lost is simply asked again.
    """

    def __init__(self, name: str, connect: Callable[[], Stream], step_seconds: float) -> None:
        self.name = name
        self._connect = connect
        self._step_seconds = step_seconds
        self._stream: Stream | None = None
        self._left = b""
        self._turn = threading.RLock()

    def ask(
        self, verb: str, asked: Mapping[str, Any], content: Iterable[bytes] = ()
    ) -> dict[str, Any]:
        """The agent's answer; its refusals come back as our errors, silence as Unavailable.

        A refusal may quote what a service wrote: Prefect keeps an error's message as it is.
        """
        deadline = asked.get("limit_seconds", 0) + self._step_seconds
        request = {**asked, "verb": verb, "deadline_seconds": deadline, "labels": dict(labels())}
        line = json.dumps(request).encode() + b"\n"
        with self._turn:
            try:
                told = self._exchanged(line, content, deadline + MARGIN_SECONDS)
            except (OSError, EOFError, ValueError) as error:
                reason = f"{self.name} does not answer {verb}: {error or type(error).__name__}"
                complaint = self._stream.complaint() if self._stream else ""
                self.close()
                raise Unavailable(f"{reason} {complaint}".strip()) from error
            if "refusal" in told:
                if content:
                    self.close()  # the rest of what was being sent is of no use
                raise KINDS[told["refusal"]](f"{self.name}: {redacted(told['message'])}")
        answer: dict[str, Any] = told["answer"]
        return answer

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._left = None, b""

    def _exchanged(
        self, line: bytes, content: Iterable[bytes], limit_seconds: float
    ) -> dict[str, Any]:
        fresh = self._stream is None
        try:
            return self._told(line, content, limit_seconds)
        except TimeoutError:
            raise
        except (OSError, EOFError, ValueError):
            if fresh or content:
                raise
        self.close()  # it was idle for long, and gone: once more, from the beginning
        return self._told(line, content, limit_seconds)

    def _told(self, line: bytes, content: Iterable[bytes], limit_seconds: float) -> dict[str, Any]:
        stream = self._open()
        stream.send(line, limit_seconds)
        try:
            for block in content:
                stream.send(block, limit_seconds)
        except OSError:  # refused in the middle: the answer says why
            return self._answer(stream, limit_seconds)
        return self._answer(stream, limit_seconds)

    def _answer(self, stream: Stream, limit_seconds: float) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._line(stream, limit_seconds))
        return told

    def _open(self) -> Stream:
        """The stream, its agent being the one that this orchestrator has."""
        if self._stream is not None:
            return self._stream
        packed, stream = bundle(), self._connect()
        self._stream, self._left = stream, b""
        limit = self._step_seconds
        stream.send(f"{packed.digest} {len(packed.content)}\n".encode(), limit)
        word = self._line(stream, limit)
        if word == b"send":
            stream.send(packed.content, limit)
            word = self._line(stream, limit)
        if word != b"ready":
            raise OSError(f"the door says {word[:200]!r}")
        return stream

    def _line(self, stream: Stream, limit_seconds: float) -> bytes:
        while b"\n" not in self._left:
            block = stream.receive(limit_seconds)
            if not block:
                raise ConnectionError("the connection ended")
            self._left += block
            if len(self._left) > MOST_LINE_BYTES:
                raise OSError(f"an answer of over {MOST_LINE_BYTES} bytes")
        line, _, self._left = self._left.partition(b"\n")
        return line
