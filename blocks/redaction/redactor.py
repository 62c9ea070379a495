"""Secrets found in text of any length, in time that grows with the text alone (Aho-Corasick)."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from blocks.redaction.encodings import Needle, needles

MARK = b"***"


class Redactor:
    """The values it was told, shown as ``***`` in every form that ``encodings`` knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, tuple[Needle, ...]] = {}
        self._patterns: Patterns | None = None

    def add(self, value: str) -> None:
        """Shorter than six characters, or known already: nothing is changed."""
        with self._lock:
            if value not in self._values:
                self._values[value] = tuple(needles(value))
                self._patterns = None

    def redacted(self, text: str) -> str:
        """The same text where it holds no secret."""
        whole = text.encode("utf-8", "surrogatepass")
        spans = self.patterns.spans(whole)
        shown = b"".join(_parts(whole, spans)) if spans else whole
        return shown.decode("utf-8", "surrogatepass")

    def stream(self) -> "Stream":
        return Stream(self)

    @property
    def patterns(self) -> "Patterns":
        with self._lock:
            if self._patterns is None:
                self._patterns = Patterns(one for forms in self._values.values() for one in forms)
            return self._patterns


@dataclass(frozen=True)
class Edges:
    """Neighbours of a match that belong to it."""

    before: frozenset[int]
    after: frozenset[int]


class Patterns:
    """All forms of all values; ``longest`` is the most bytes that a match can have."""

    def __init__(self, wanted: Iterable[Needle]) -> None:
        edges: dict[bytes, Edges] = {}
        for one in wanted:
            known = edges.get(one.text, Edges(frozenset(), frozenset()))
            edges[one.text] = Edges(known.before | {*one.before}, known.after | {*one.after})
        self._edges = tuple(edges.values())
        self._found = BytesAhoCorasick(list(edges), matchkind=MatchKind.Standard)
        self.longest = max(map(len, edges), default=0)

    def spans(self, text: bytes) -> list[tuple[int, int]]:
        """Where secrets are, in order, none touching another."""
        matches = self._found.find_matches_as_indexes(text, overlapping=True)
        return merged(self._widened(text, *match) for match in matches)

    def _widened(self, text: bytes, index: int, start: int, end: int) -> tuple[int, int]:
        edges = self._edges[index]
        start -= start > 0 and text[start - 1] in edges.before
        end += end < len(text) and text[end] in edges.after
        return start, end


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that overlap or touch made one."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


class Stream:
    """Output in pieces, cut anywhere: what comes out is as if it had been one text.

    It keeps back as many bytes as the longest secret's longest form has, a few thousand at most.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""
        self._covered = 0  # bytes of what is held that belong to a secret begun before
        self._inside = False  # whether the last byte that was let go was secret

    def passed(self, piece: bytes) -> bytes:
        """What can be told of everything so far."""
        text, patterns = self._held + piece, self._redactor.patterns
        margin = patterns.longest + 1 if patterns.longest else 0
        return self._let_go(text, max(0, len(text) - margin), patterns)

    def rest(self) -> bytes:
        """The end: nothing follows."""
        return self._let_go(self._held, len(self._held), self._redactor.patterns)

    def _let_go(self, text: bytes, until: int, patterns: Patterns) -> bytes:
        """Every match that begins up to ``until`` is complete in ``text``."""
        self._held = text[until:]
        if not until:
            return b""
        known = [(0, self._covered)] if self._covered else []
        spans = [one for one in merged([*known, *patterns.spans(text)]) if one[0] < until]
        shown = b"".join(_parts(text[:until], spans, self._inside))
        end = spans[-1][1] if spans else 0
        self._covered, self._inside = max(0, end - until), end >= until
        return shown


def _parts(text: bytes, spans: list[tuple[int, int]], inside: bool = False) -> Iterator[bytes]:
    """What is shown; ``inside`` when a secret that touches the beginning was shown before."""
    position = 0
    for start, end in spans:
        yield text[position:start]
        if start or not inside:
            yield MARK
        position = end
    yield text[position:]
