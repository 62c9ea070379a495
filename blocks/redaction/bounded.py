"""A file that keeps the beginning and the end of what is written to it, however much that is."""

from typing import BinaryIO

MOST_BYTES = 16 << 20


class Bounded:
    """Around a file open for reading and writing; beyond ``most_bytes`` its middle goes."""

    def __init__(self, file: BinaryIO, most_bytes: int = MOST_BYTES) -> None:
        self._file, self._most_bytes = file, most_bytes
        self._end_bytes = most_bytes // 4
        self._size = self._left_out = 0
        self._note = b""

    def write(self, content: bytes) -> None:
        """Raises OSError when the disk is full."""
        self._file.write(content)
        self._size += len(content)
        if self._size > self._most_bytes:
            self._shorten()

    def flush(self) -> None:
        self._file.flush()

    def _shorten(self) -> None:
        """Seldom, as three quarters of the room come free."""
        self._file.seek(self._size - self._end_bytes)
        tail = self._file.read()
        self._left_out += self._size - self._end_bytes - len(self._note) - len(tail)
        self._file.seek(self._end_bytes)
        self._file.truncate()
        self._note = f"\n… {self._left_out} bytes are left out here …\n".encode()
        self._file.write(self._note + tail)
        self._size = self._end_bytes + len(self._note) + len(tail)
