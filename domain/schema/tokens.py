"""PostgreSQL's SQL as tokens and as plain words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

TokenKind = Literal["comment", "string", "quoted", "word", "number", "parameter", "operator"]

_GOES_ON = r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*"
"""Between two quotes, this makes the second go on with the first's string."""
_ESCAPED, _PLAIN = r"'(?:[^'\\]|''|\\.)*+'", r"'(?:[^']|'')*+'"
_LETTER = r"A-Za-z_\x80-\U0010ffff"
_PATTERNS = {
    "space": r"[ \t\n\r\f\v]+",
    "comment": r"--[^\n\r]*",
    "block": r"/\*",
    "escaped": f"[eE]{_ESCAPED}(?:{_GOES_ON}{_ESCAPED})*+",
    "string": f"(?:[bBxXnN]|[uU]&)?{_PLAIN}(?:{_GOES_ON}{_PLAIN})*+",
    "quoted": '(?:[uU]&)?"(?:[^"]|"")*+"',
    "endless": "(?:[eEbBxXnN]|[uU]&)?['\"]",
    "dollar": rf"\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$",
    "parameter": r"\$[0-9]+",
    "based": "0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+",
    "number": r"(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?",
    "word": f"[{_LETTER}][{_LETTER}0-9$]*",
    "mark": r"::|:=|\.\.",
    "operator": r"(?:(?!--|/\*)[-+*/<>=~!@#%^&|`?])+",
    "psql": r"\\\S*",
    "other": ".",
}
_TOKEN = re.compile("|".join(f"(?P<{name}>{p})" for name, p in _PATTERNS.items()), re.DOTALL)
_KINDS: dict[str, TokenKind] = {
    "comment": "comment",
    "block": "comment",
    "escaped": "string",
    "string": "string",
    "dollar": "string",
    "quoted": "quoted",
    "parameter": "parameter",
    "based": "number",
    "number": "number",
    "word": "word",
}
_BLOCK = re.compile(r"/\*|\*/")
_RESERVED_WORDS = (
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check"
    " collate collation column concurrently constraint create cross current_catalog current_date"
    " current_role current_schema current_time current_timestamp current_user default deferrable"
    " desc distinct do else end except false fetch for foreign freeze from full grant group having"
    " ilike in initially inner intersect into is isnull join lateral leading left like limit"
    " localtime localtimestamp natural not notnull null offset on only or order outer overlaps"
    " placing primary references returning right select session_user similar some symmetric"
    " system_user table tablesample then to trailing true union unique user using variadic verbose"
    " when where window with"
)
RESERVED = frozenset(_RESERVED_WORDS.split())
"""Words that are names only in quotes."""


@dataclass(frozen=True)
class Token:
    """One token; ``start`` counts characters from the text's beginning."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Every token, comments included, without white space.

    Backslashes are escapes only in E'': standard_conforming_strings is on. Raises ValueError for
    what has no end, and for psql's own commands.
    """
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None  # "other" matches anything
        kind = found.lastgroup or "other"
        if kind in ("endless", "psql"):
            what = "is a command of psql's" if kind == "psql" else "has no end"
            raise ValueError(f"line {_line(text, at)}: {found[0]} {what}")
        end = _end(text, found)
        if kind != "space":
            yield Token(_KINDS.get(kind, "operator"), text[at:end], at)
        at = end


def _end(text: str, found: "re.Match[str]") -> int:
    match found.lastgroup:
        case "block":
            return _block_end(text, found.start())
        case "dollar":
            closing = text.find(found[0], found.end())
            if closing < 0:
                raise ValueError(f"line {_line(text, found.start())}: {found[0]} has no end")
            return closing + len(found[0])
        case "operator" if not set(found[0]) & set("~!@#%^&|`?"):
            # only with one of these may a longer operator end in a sign: "=-1" is "=" and "-1"
            return found.start() + max(1, len(found[0].rstrip("+-")))
    return found.end()


def _block_end(text: str, start: int) -> int:
    depth = 0
    for found in _BLOCK.finditer(text, start):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    raise ValueError(f"line {_line(text, start)}: /* has no end")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def significant(text: str) -> list[Token]:
    """The tokens without comments."""
    return [token for token in tokens(text) if token.kind != "comment"]


def word(token: Token) -> str:
    """For comparing: a word in lower case, a string empty, a quoted name without spaces."""
    match token.kind:
        case "word":
            return token.text.lower()
        case "string":
            return "''"
        case "quoted":
            return token.text.replace(" ", "\x1f")
    return token.text


@lru_cache(maxsize=64)
def shape(text: str) -> str:
    """A statement's words with one space between them, for patterns that see only whole words.

    >>> shape("DROP /* now */ table shop.Orders;")
    'drop table shop . orders ;'
    """
    return " ".join(map(word, significant(text)))


def plain(name: str) -> str:
    """A name of ``shape`` as one writes it, without quotes where it needs none.

    >>> plain('public . "orders"'), plain('"Orders"'), plain('"order"')
    ('public.orders', '"Orders"', '"order"')
    """
    return ".".join(_unquoted(part) for part in name.split(" . "))


def _unquoted(name: str) -> str:
    inner = name.strip('"')
    needless = re.fullmatch(r'"[a-z_][a-z0-9_$]*"', name) and inner not in RESERVED
    return inner if needless else name.replace("\x1f", " ")


def outermost(found: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The words outside brackets and CASE, with their positions."""
    depth = 0
    for at, one in enumerate(found):
        if one in ("(", "[", "case"):
            depth += 1
        elif one in (")", "]", "end"):
            depth = max(0, depth - 1)
        elif depth == 0:
            yield at, one


def parts(found: Sequence[str], separator: str) -> list[list[str]]:
    """The words between the outermost separators."""
    cuts = [at for at, one in outermost(found) if one == separator]
    starts, ends = [0, *(at + 1 for at in cuts)], [*cuts, len(found)]
    return [list(found[start:end]) for start, end in zip(starts, ends, strict=True)]
