"""How a secret value looks once programs have quoted, escaped or encoded it."""

import base64
import html
import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

SHORTEST = 6
"""Characters of a value that is looked for; a shorter one would be found in innocent words."""

SHORTEST_LINE = 16
LONGEST = 4096
"""Bytes of one piece: a longer value is looked for piece by piece."""

STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
URLSAFE = STANDARD[:-2] + b"-_"


@dataclass(frozen=True)
class Needle:
    """Bytes to find; a neighbour that is one of ``before`` or ``after`` is a part of them.

    Base64 shares its first and last character with what stands beside the value.
    """

    text: bytes
    before: bytes = b""
    after: bytes = b""


def needles(value: str) -> Iterator[Needle]:
    """Every form of a value; none of a value shorter than ``SHORTEST``."""
    for piece in _pieces(value.strip()):
        for form in _written(piece):
            yield Needle(form.encode("utf-8", "surrogatepass"))
        raw = piece.encode("utf-8", "surrogatepass")
        yield from map(Needle, _escaped(raw))
        for alphabet in (STANDARD, URLSAFE):
            yield from (_base64(raw, skipped, alphabet) for skipped in range(3))


def _pieces(value: str) -> Iterator[str]:
    """The whole, or what covers it; each line, too, since logs indent and wrap."""
    if len(value) < SHORTEST:
        return
    size = LONGEST // 4  # characters have up to four bytes
    starts = range(0, max(len(value) - size, 0) + 1, size)
    yield from (value[start : start + size] for start in starts)
    yield value[-size:]
    for line in map(str.strip, value.splitlines()):
        if SHORTEST_LINE <= len(line) < min(len(value), size) and not line.startswith("-----"):
            yield line


def _written(value: str) -> Iterable[str]:
    """As Python, JSON, a shell and HTML write it, without the quotes around."""
    ascii_json, wide_json = (json.dumps(value, ensure_ascii=only)[1:-1] for only in (True, False))
    return {
        value,
        ascii_json,
        wide_json,
        ascii_json.replace("/", "\\/"),
        wide_json.replace("/", "\\/"),
        repr(value)[1:-1],
        ascii(value)[1:-1],
        value.replace("'", "\\'"),
        shlex.quote(value).removeprefix("'").removesuffix("'"),
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    }


def _escaped(raw: bytes) -> Iterable[bytes]:
    """Percent-encoded in either case, as a form's field, hexadecimal, and as Python's bytes."""
    percent = {quote_from_bytes(raw, safe=safe) for safe in ("", "/", "/:@", "!~*'()", "/!~*'()")}
    percent |= {text.replace("%20", "+") for text in percent}
    forms = percent | {_lower(text) for text in percent}
    forms |= {raw.hex(), raw.hex().upper(), repr(raw)[2:-1]}
    return {form.encode() for form in forms}


def _lower(percent: str) -> str:
    first, *others = percent.split("%")
    return "%".join((first, *(other[:2].lower() + other[2:] for other in others)))


def _base64(raw: bytes, skipped: int, alphabet: bytes) -> Needle:
    """With ``skipped`` bytes of others before it in its group of three (RFC 4648)."""
    coded = base64.b64encode(bytes(skipped) + raw).rstrip(b"=")
    values = [STANDARD.index(letter) for letter in coded]
    first, foreign = divmod(8 * skipped, 6)
    last, own = divmod(8 * (skipped + len(raw)), 6)
    whole = values[first + bool(foreign) : last]
    before = (
        [values[first] | high << (6 - foreign) for high in range(2**foreign)] if foreign else ()
    )
    after = [values[last] | low for low in range(2 ** (6 - own))] if own else ()
    return Needle(*(bytes(alphabet[one] for one in part) for part in (whole, before, after)))
