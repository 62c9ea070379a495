"""Images on a host: layers only where they are missing, pulled or loaded, kept while needed.

An image comes as a *listing*, as artifacts do: ``{"files": [[path, false, bytes, hex], …]}``, its
configuration first and then its layers, the lowest first. The configuration's sha256 is the image's
id, a layer's is its diff id: that of the uncompressed archive.
"""

from __future__ import annotations

import base64
import json
import tarfile
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

from .engine import TRANSFER_SECONDS, Call, ask, follow
from .files import Refusal
from .units import hex_of

SERVICE = "org.tradewind.service"
BLOCK_BYTES = 1 << 18


def has(at: str, image: str) -> bool:
    return ask(at, Call("GET", f"/images/{image}/json"), (404,)) is not None


def layers(at: str) -> list[list[str]]:
    """The diff ids of each image that the engine has, the lowest first."""
    found = [image["Id"] for image in ask(at, Call("GET", "/images/json"))]
    told = [ask(at, Call("GET", f"/images/{image}/json"), (404,)) for image in found]
    return [list(one["RootFS"].get("Layers") or ()) for one in told if one is not None]


def lacking(at: str, image: str, listing: dict[str, Any]) -> list[list[Any]]:
    """The files of the listing that the engine needs.

    A layer is there only on top of the same ones below it.
    """
    if has(at, image):
        return []
    configuration, *stack = listing["files"]
    wanted = [f"sha256:{file[3]}" for file in stack]
    known = max((_shared(wanted, chain) for chain in layers(at)), default=0)
    return [configuration, *stack[known:]]


def _shared(wanted: Sequence[str], chain: Sequence[str]) -> int:
    """
    >>> _shared(["a", "b", "c"], ["a", "b", "d", "c"])
    2
    """
    same = takewhile(lambda pair: pair[0] == pair[1], zip(wanted, chain))  # noqa: B905 Python 3.9
    return len(list(same))


def load(at: str, pieces: Path, image: str, listing: dict[str, Any]) -> int:
    """The image, from the engine's own layers and from pieces; answers bytes it was given."""
    files = lacking(at, image, listing)
    if not files:
        return 0
    absent = [file[3] for file in files if not (pieces / file[3]).exists()]
    if absent:
        raise Refusal("failed", f"{len(absent)} pieces of {image[:19]} are missing")
    coming = Call(
        "POST", "/images/load",
        content=_archive(pieces, files, listing["files"]), limit_seconds=TRANSFER_SECONDS,
    )  # fmt: skip
    for _line in follow(at, coming):
        pass
    if not has(at, image):
        raise Refusal("failed", f"the engine loaded something else than {image[:19]}")
    return sum(int(file[2]) for file in files)


def _archive(
    pieces: Path, coming: Sequence[list[Any]], files: Sequence[list[Any]]
) -> Iterator[bytes]:
    """What ``docker load`` reads. It opens no layer that it has, so those need not be in there."""
    configuration, *stack = [str(file[3]) for file in files]
    manifest = [{"Config": configuration, "RepoTags": None, "Layers": stack}]
    content = json.dumps(manifest).encode()
    yield from _member("manifest.json", len(content), iter([content]))
    for _, _, size, name in coming:
        with (pieces / name).open("rb") as piece:
            yield from _member(name, size, _blocks(piece))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, size: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
    entry = tarfile.TarInfo(name)
    entry.size = size
    yield entry.tobuf(tarfile.GNU_FORMAT)
    yield from blocks
    yield bytes(-size % tarfile.BLOCKSIZE)


def _blocks(piece: BinaryIO) -> Iterator[bytes]:
    while True:
        block = piece.read(BLOCK_BYTES)
        if not block:
            return
        yield block


def pull(at: str, reference: str, account: dict[str, str]) -> str:
    """The image of ``registry/repository@sha256:…``; answers its id. ``account`` may be empty."""
    repository, _, digest = reference.partition("@")
    if not digest.startswith("sha256:"):
        raise Refusal("refused", f"{reference} is no digest: images move by digest only")
    call = Call(
        "POST", "/images/create", {"fromImage": repository, "tag": digest},
        headers=_login(repository, account), limit_seconds=TRANSFER_SECONDS,
    )  # fmt: skip
    for _line in follow(at, call):
        pass
    return str(ask(at, Call("GET", f"/images/{reference}/json"))["Id"])


def _login(repository: str, account: dict[str, str]) -> dict[str, str]:
    if not account:
        return {}
    told = {**account, "serveraddress": repository.split("/")[0]}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(told).encode()).decode()}


def pin(at: str, owner: str, image: str) -> None:
    """A name for the image: it stays while ``owner`` needs it, whoever shares the engine."""
    ask(at, Call("POST", f"/images/{image}/tag", {"repo": owner, "tag": hex_of(image)}))


def prune(at: str, owner: str, keep: set[str]) -> list[str]:
    """Images that ``owner`` pinned and keeps no longer go, unless a container uses them."""
    used = {one["ImageID"] for one in ask(at, Call("GET", "/containers/json", {"all": 1}))}
    chosen = json.dumps({"reference": [owner], "label": [SERVICE]})
    pinned = {one["Id"] for one in ask(at, Call("GET", "/images/json", {"filters": chosen}))}
    unused = sorted(pinned - keep - used)
    for image in unused:
        _unpin(at, owner, image)
    return unused


def _unpin(at: str, owner: str, image: str) -> None:
    """Takes the name away. The engine drops an image with its last tag, but not a pulled one."""
    ask(at, Call("DELETE", f"/images/{owner}:{hex_of(image)}"), (404, 409))
    left = ask(at, Call("GET", f"/images/{image}/json"), (404,))
    if left is not None and not left["RepoTags"]:
        for digest in left["RepoDigests"]:
            ask(at, Call("DELETE", f"/images/{digest}"), (404, 409))
