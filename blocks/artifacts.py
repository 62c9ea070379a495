"""Artifacts by digest: reproducible archives, each complete or absent."""

import gzip
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from domain.artifact import Artifact
from domain.errors import BadInput

NOT_NEEDED = {"__pycache__", ".lock"}
OF_AN_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
"""Say where, when or by whom a package was installed; scripts in ``site/bin`` do, too."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Ingredients:
    """What goes in: ``app/`` from the exported source, ``site/`` from the locked requirements."""

    service: str
    source: Path
    site: Path
    source_digest: str
    requirements_digest: str


class Artifacts:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self, made_of: Ingredients) -> Artifact:
        """The same ingredients give the same digest; a full disk leaves nothing behind."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="incomplete-", dir=self.folder)
        fresh = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                _write(made_of, file)
                file.flush()
                os.fsync(file.fileno())
            digest, size = digest_of_file(fresh), fresh.stat().st_size
            fresh.rename(self._place(digest))
        finally:
            fresh.unlink(missing_ok=True)
        return Artifact(
            made_of.service, digest, size, made_of.source_digest, made_of.requirements_digest
        )

    def path(self, digest: str) -> Path:
        """Raises BadInput when there is no such artifact or its content is another."""
        place = self._place(digest)
        if not place.exists():
            raise BadInput(f"artifact {digest[:19]} is not in {self.folder}")
        if digest_of_file(place) != digest:
            raise BadInput(f"artifact {digest[:19]} in {self.folder} is damaged: digests differ")
        return place

    def _place(self, digest: str) -> Path:
        return self.folder / f"{digest.removeprefix('sha256:')}.tar.gz"


def digest_of_file(path: Path) -> str:
    seen = sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            seen.update(chunk)
    return f"sha256:{seen.hexdigest()}"


def _write(made_of: Ingredients, file: BinaryIO) -> None:
    with (
        gzip.GzipFile(fileobj=file, mode="wb", compresslevel=3, mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for root, top in ((made_of.source, "app"), (made_of.site, "site")):
            for path in _files(root):
                if top == "site" and path.relative_to(root).parts[0] == "bin":
                    continue
                with path.open("rb") as content:
                    tar.addfile(_plain(path, f"{top}/{path.relative_to(root)}"), content)


def _files(root: Path) -> Iterator[Path]:
    """Regular files in the order of their names, without what differs from one place to another."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and _belongs(path.relative_to(root).parts):
            yield path


def _belongs(parts: tuple[str, ...]) -> bool:
    if NOT_NEEDED.intersection(parts):
        return False
    installed = len(parts) == 2 and parts[0].endswith(".dist-info")
    return not (installed and parts[1] in OF_AN_INSTALLATION)


def _plain(path: Path, name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    return entry
