"""A child's output on its way into a file: redacted, in bounded memory, never waited for."""

import fcntl
import os
import select
import struct
import termios
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from blocks.redaction.redactor import Redactor, Stream

PIECE_BYTES = 65_536


class Written(Protocol):
    """Where it goes: a file, or one with a bound."""

    def write(self, content: bytes, /) -> object: ...
    def flush(self) -> None: ...


@contextmanager
def redacted_into(output: Written, redactor: Redactor) -> Iterator[int]:
    """The end of a pipe to write to; leaving takes what is in the pipe and waits for nobody.

    Whoever still has the pipe then cannot write any more. Raises OSError when ``output`` is full.
    """
    (reading, writing), (over, told) = os.pipe(), os.pipe()
    pump = _Pump(reading, over, output, redactor.stream())
    with ThreadPoolExecutor(1, "output") as threads:
        pumped = threads.submit(pump.run)
        try:
            yield writing
        finally:
            os.close(writing)
            os.close(told)
        pumped.result()


@dataclass(frozen=True)
class _Pump:
    """From the pipe ``reading`` until everybody has closed it, or until ``over`` is closed."""

    reading: int
    over: int
    output: Written
    stream: Stream

    def run(self) -> None:
        try:
            self._until_over()
            left = _waiting(self.reading)
            while left > 0 and (taken := self._took(min(left, PIECE_BYTES))):
                left -= taken
            self._write(self.stream.rest())
        finally:
            os.close(self.reading)  # a writer learns of it, instead of waiting for a reader
            os.close(self.over)

    def _until_over(self) -> None:
        ready = select.poll()
        for pipe in (self.reading, self.over):
            ready.register(pipe, select.POLLIN)
        while self.over not in dict(ready.poll()):
            if not self._took(PIECE_BYTES):
                return

    def _took(self, most: int) -> int:
        piece = os.read(self.reading, most)
        self._write(self.stream.passed(piece))
        return len(piece)

    def _write(self, shown: bytes) -> None:
        self.output.write(shown)
        self.output.flush()


def _waiting(pipe: int) -> int:
    """Bytes that can be read at once."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))
    return int(count)
