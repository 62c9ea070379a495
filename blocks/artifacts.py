"""Artifacts by digest: a listing of files, and the files themselves, each complete or absent.

FOLDER/HEX.json holds a listing, FOLDER/pieces/HEX a file by the digest of its content; versions
that share files share their pieces, here and on the hosts.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from blocks.hosts import Parcel
from domain.artifact import Artifact
from domain.digest import digest_of
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
        self.pieces = folder / "pieces"

    def build(self, made_of: Ingredients) -> Artifact:
        """The same ingredients give the same digest; a full disk leaves no listing behind."""
        self.pieces.mkdir(parents=True, exist_ok=True)
        files = [self._kept(path, name) for path, name in _files(made_of)]
        listing = {"files": files}
        digest = digest_of(listing)
        self._write(self._place(digest), json.dumps(listing).encode())
        size = sum(int(file[2]) for file in files)
        return Artifact(
            made_of.service, digest, size, made_of.source_digest, made_of.requirements_digest
        )

    def parcel(self, digest: str) -> Parcel:
        """What hosts are sent; BadInput when it is not here, or its content is another."""
        place = self._place(digest)
        if not place.exists():
            raise BadInput(f"artifact {digest[:19]} is not in {self.folder}")
        listing = json.loads(place.read_text())
        pieces = {str(file[3]) for file in listing["files"]}
        damaged = [one for one in sorted(pieces) if digest_of_file(self.pieces / one) != one]
        if digest_of(listing) != digest or damaged:
            what = f"piece {damaged[0][:12]}" if damaged else "its listing"
            raise BadInput(
                f"artifact {digest[:19]} in {self.folder} is damaged: {what} is not"
                " what its digest says"
            )
        return Parcel(digest, listing, self.pieces)

    def _place(self, digest: str) -> Path:
        return self.folder / f"{digest.removeprefix('sha256:')}.json"

    def _kept(self, path: Path, name: str) -> list[Any]:
        """The file's line of the listing; its content is a piece from now on."""
        digest = digest_of_file(path)
        piece = self.pieces / digest
        if not piece.exists():
            with path.open("rb") as content:
                self._write(piece, content.read())
        executable = bool(path.stat().st_mode & 0o100)
        return [name, executable, path.stat().st_size, digest]

    def _write(self, place: Path, content: bytes) -> None:
        """Complete or absent."""
        handle, name = tempfile.mkstemp(prefix="incomplete-", dir=place.parent)
        fresh = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            fresh.rename(place)
        finally:
            fresh.unlink(missing_ok=True)


def digest_of_file(path: Path) -> str:
    """Hexadecimal; "" when there is no such file."""
    seen = sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                seen.update(chunk)
    except FileNotFoundError:
        return ""
    return seen.hexdigest()


def _files(made_of: Ingredients) -> Iterator[tuple[Path, str]]:
    """Every file that goes in, with its name in the artifact, in order."""
    for root, top in ((made_of.source, "app"), (made_of.site, "site")):
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            if path.is_file() and not path.is_symlink() and _belongs(top, parts):
                yield path, "/".join((top, *parts))


def _belongs(top: str, parts: tuple[str, ...]) -> bool:
    """Without what differs from one place to another."""
    if NOT_NEEDED.intersection(parts) or (top == "site" and parts[0] == "bin"):
        return False
    installed = len(parts) == 2 and parts[0].endswith(".dist-info")
    return not (installed and parts[1] in OF_AN_INSTALLATION)
