"""An image taken apart: its configuration and its layers as files named by their digests."""

import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

CHUNK_BYTES = 1 << 20


def taken_apart(saved: Iterable[bytes], folder: Path, wanted: frozenset[str]) -> frozenset[str]:
    """Keeps what is ``wanted`` (sha256, hexadecimal) of an archive made by ``docker save``.

    Each becomes a file of ``folder``, complete or absent. Answers what was not in the archive.
    """
    found = set()
    stream = io.BufferedReader(Chunks(iter(saved)), CHUNK_BYTES)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                found.add(_kept(content, folder, wanted))
    return wanted - found


def _kept(content: IO[bytes], folder: Path, wanted: frozenset[str]) -> str:
    """The content's digest; one that is wanted is a file from now on."""
    seen = sha256()
    handle, name = tempfile.mkstemp(dir=folder, prefix="incomplete-")
    try:
        with open(handle, "wb") as fresh:
            while chunk := content.read(CHUNK_BYTES):
                seen.update(chunk)
                fresh.write(chunk)
        if seen.hexdigest() in wanted:
            Path(name).rename(folder / seen.hexdigest())
    finally:
        Path(name).unlink(missing_ok=True)
    return seen.hexdigest()


class Chunks(io.RawIOBase):
    """What comes in chunks, read like a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        """0 at the end only."""
        while not self._left and (chunk := next(self._chunks, None)) is not None:
            self._left = memoryview(chunk)
        size = min(len(into), len(self._left))
        into[:size], self._left = self._left[:size], self._left[size:]
        return size
