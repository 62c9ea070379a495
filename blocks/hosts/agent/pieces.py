"""What a host receives: files by their digest, only those it lacks, each complete or resumable.

An artifact is a *listing*: ``{"files": [[path, executable, bytes, sha256 hex], …]}``; its digest is
that of the listing. Pieces are shared by hard links, so that versions with the same files take
their space once. A piece that was cut off goes on at its offset.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .files import Refusal
from .units import hex_of

BLOCK_BYTES = 1 << 18
MOST_FILES, MOST_BYTES = 100_000, 8 << 30
UNTOUCHED_NS = 1_000_000_000
"""The time of change that every piece is given: whoever writes into it is found out."""


def digest_of(listing: dict[str, Any]) -> str:
    text = json.dumps(listing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def checked(listing: dict[str, Any], digest: str) -> dict[str, Any]:
    """The listing, if it is what its digest says and only plain files inside are in it."""
    if digest_of(listing) != digest:
        raise Refusal("refused", f"the listing is {digest_of(listing)[:19]}, not {digest[:19]}")
    files = listing["files"]
    if len(files) > MOST_FILES or sum(file[2] for file in files) > MOST_BYTES:
        raise Refusal("refused", f"the artifact has over {MOST_FILES} files or 8 GiB")
    for path, _, size, digest_hex in files:
        parts = path.split("/")
        if path.startswith("/") or not {"", ".", ".."}.isdisjoint(parts) or "\0" in path:
            raise Refusal("refused", f"the artifact has {path!r}: plain files inside only")
        if size < 0 or len(digest_hex) != 64 or not set(digest_hex) <= set("0123456789abcdef"):
            raise Refusal("refused", f"{path!r} has {size} bytes and the digest {digest_hex!r}")
    return listing


def artifact_path(home: Path, digest: str) -> Path:
    return home / "artifacts" / hex_of(digest)


def piece_path(home: Path, name: str) -> Path:
    return home / "pieces" / name


def name_of(file: list[Any]) -> str:
    """Of a file's piece: mode bits belong to the inode that links share."""
    return f"{file[3]}.x" if file[1] else str(file[3])


def missing(home: Path, files: list[list[Any]]) -> dict[str, int]:
    """Pieces that are not here, each with the offset at which to go on."""
    folder = str(home / "pieces")  # texts, not Paths: there may be many thousands
    absent = {
        name: file[2]
        for file in files
        for name in (name_of(file),)
        if not whole(f"{folder}/{name}", file[2])
    }
    return {name: min(_begun(home, name), size) for name, size in absent.items()}


def _begun(home: Path, name: str) -> int:
    part = part_path(home, name)
    return part.stat().st_size if part.exists() else 0


def part_path(home: Path, name: str) -> Path:
    return home / "pieces" / f"{name}.part"


def whole(place: str, size: int) -> bool:
    """There, with its size, and nobody wrote into it since it was received."""
    try:
        found = os.stat(place)
    except FileNotFoundError:
        return False
    return found.st_size == size and found.st_mtime_ns == UNTOUCHED_NS


def take(home: Path, coming: list[list[Any]], stream: BinaryIO) -> int:
    """Reads pieces [name, offset, bytes in all], one after the other; answers bytes received."""
    (home / "pieces").mkdir(parents=True, exist_ok=True)
    for name, offset, size in coming:
        if size <= BLOCK_BYTES:
            _taken_whole(home, name, stream, size - offset)
            continue
        with _part(home, name, offset) as file:
            seen = _copied(stream, file, size - offset)
        _complete(home, name, seen)
    return sum(size - offset for _, offset, size in coming)


def _taken_whole(home: Path, name: str, stream: BinaryIO, size: int) -> None:
    """A small piece in one go; it was never begun, since nothing of it is kept when it is cut."""
    content = stream.read(size)
    if len(content) < size:
        raise Refusal("failed", f"the transfer was cut off with {size - len(content)} bytes to go")
    part = part_path(home, f"{name}.{os.getpid()}")
    with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    _complete(home, name, hashlib.sha256(content).hexdigest(), part)


@contextlib.contextmanager
def _part(home: Path, name: str, offset: int) -> Iterator[BinaryIO]:
    """The piece's unfinished file at ``offset``; one transfer of it at a time."""
    opened = os.open(part_path(home, name), os.O_CREAT | os.O_RDWR, 0o600)
    with os.fdopen(opened, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal("failed", f"piece {name[:12]} is being received already") from None
        file.truncate(offset)
        yield file


def _copied(stream: BinaryIO, file: BinaryIO, count: int) -> str:
    """Goes on at the end of the file with ``count`` bytes; the digest of all that is in it then."""
    seen = hashlib.sha256()
    while True:
        block = file.read(BLOCK_BYTES)
        if not block:
            break
        seen.update(block)
    while count:
        block = stream.read(min(count, BLOCK_BYTES))
        if not block:
            raise Refusal("failed", f"the transfer was cut off with {count} bytes to go")
        seen.update(block)
        file.write(block)
        count -= len(block)
    return seen.hexdigest()


def _complete(home: Path, name: str, seen: str, part: Path | None = None) -> None:
    """Becomes a piece if it is what its name says; otherwise it is thrown away."""
    part = part or part_path(home, name)
    if seen != name.split(".")[0]:
        part.unlink()
        raise Refusal("refused", f"a piece is {seen[:12]}, expected {name[:12]}")
    part.chmod(0o555 if name.endswith(".x") else 0o444)
    os.utime(part, ns=(UNTOUCHED_NS, UNTOUCHED_NS))
    part.rename(piece_path(home, name))


def compose(home: Path, listing: dict[str, Any], digest: str) -> None:
    """The artifact's folder, from pieces that are all here: complete or not at all."""
    place = artifact_path(home, digest)
    if holds(home, listing, digest):
        return
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        for folder in sorted({file[0].rpartition("/")[0] for file in listing["files"]}):
            (fresh / folder).mkdir(parents=True, exist_ok=True)
        for file in listing["files"]:
            os.link(f"{home}/pieces/{name_of(file)}", f"{fresh}/{file[0]}")
        _remove(place)
        fresh.rename(place)
    finally:
        _remove(fresh)


def _remove(place: Path) -> None:
    if place.exists():
        from shutil import rmtree  # late, as it is seldom needed

        rmtree(place)


def holds(home: Path, listing: dict[str, Any], digest: str) -> bool:
    """The artifact is here, and nobody wrote into it."""
    place = artifact_path(home, digest)
    return place.is_dir() and all(whole(f"{place}/{file[0]}", file[2]) for file in listing["files"])


def prune(home: Path, used: set[str]) -> int:
    """Artifacts that no unit uses go, then the pieces that no artifact has; how many artifacts."""
    names = {hex_of(digest) for digest in used}
    unused = [place for place in (home / "artifacts").glob("*") if place.name not in names]
    for place in unused:
        _remove(place)
    for piece in (home / "pieces").glob("*"):
        if piece.stat().st_nlink == 1:
            piece.unlink()
    return len(unused)
