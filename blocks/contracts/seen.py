"""The text of every specification that the client agrees with, by digest, in the state folder."""

import gzip
import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote


class Seen:
    """Texts stay; what a source was agreed with last is a small file that names one of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, source: str) -> bytes | None:
        """The text that the source was agreed with; None the first time."""
        pointer = self._pointer(source)
        if not pointer.exists():
            return None
        return gzip.decompress(self._text(pointer.read_text().strip()).read_bytes())

    def agree(self, source: str, content: bytes) -> str:
        """From now on the source is compared with this text; answers its digest."""
        digest = sha256(content).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._text(digest).exists():
            _written(self._text(digest), gzip.compress(content, mtime=0))
        _written(self._pointer(source), digest.encode())
        return f"sha256:{digest}"

    def _text(self, digest: str) -> Path:
        return self._folder / f"{digest}.gz"

    def _pointer(self, source: str) -> Path:
        return self._folder / f"{quote(source, safe='')}.last"


def _written(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
