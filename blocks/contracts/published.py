"""Specifications and feeds as they are published: read from a URL or a file, and understood."""

import json
import time
import zlib
from pathlib import Path
from typing import Any

import httpx
import yaml

from domain.errors import BadInput, Unavailable

MOST_BYTES = 200_000_000
"""Of a text, as it comes and unpacked; Shopify's schema has about 11 MB."""
GZIP = b"\x1f\x8b"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C where there is one: ten times as fast."""
WORTH_ANOTHER = (408, 425, 429)


def text_at(place: str, folder: Path, timeout_seconds: float) -> bytes:
    """What is at a URL or in a file, unpacked; a relative path begins at ``folder``.

    Raises Unavailable when nobody answers in time, BadInput when there is no such text.
    """
    if place.startswith(("http://", "https://")):
        content = _downloaded(place, timeout_seconds)
    else:
        content = _read(folder / place)
    return _unpacked(content, place)


def understood(content: bytes, place: str) -> Any:
    """JSON or YAML; BadInput when it is neither."""
    try:
        if content.lstrip()[:1] in (b"{", b"["):
            return json.loads(content)
        return yaml.load(content, Loader=LOADER)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadInput(f"{place} is neither JSON nor YAML: {said}") from error


def _downloaded(url: str, timeout_seconds: float) -> bytes:
    deadline = time.monotonic() + timeout_seconds
    try:
        with httpx.stream("GET", url, timeout=timeout_seconds, follow_redirects=True) as answer:
            _refused(answer)
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                _bounded(len(content), url)
                if time.monotonic() > deadline:
                    raise Unavailable(f"{url} did not end within {timeout_seconds:g} s")
            return bytes(content)
    except httpx.InvalidURL as error:
        raise BadInput(f"{url} is no URL: {error}") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer: {error}") from error


def _refused(answer: httpx.Response) -> None:
    status = answer.status_code
    if status >= 500 or status in WORTH_ANOTHER:
        raise Unavailable(f"{answer.url} answered {status}")
    if not answer.is_success:
        raise BadInput(f"{answer.url} answered {status}")


def _read(path: Path) -> bytes:
    try:
        _bounded(path.stat().st_size, str(path))
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _unpacked(content: bytes, place: str) -> bytes:
    if not content.startswith(GZIP):
        return content
    unpacking = zlib.decompressobj(wbits=31)
    try:
        whole = unpacking.decompress(content, MOST_BYTES + 1)
    except zlib.error as error:
        raise BadInput(f"{place} is not gzip: {error}") from error
    _bounded(len(whole), place)
    if not unpacking.eof:
        raise BadInput(f"{place} is cut short: its gzip has no end")
    return whole


def _bounded(size: int, place: str) -> None:
    if size > MOST_BYTES:
        raise BadInput(f"{place} is over {MOST_BYTES} bytes")
