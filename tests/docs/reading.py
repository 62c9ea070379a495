"""The documentation as tests read it: blocks of code, headings and links, each with its line."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
HOW_TO, CHINESE = DOCS / "how-to", DOCS / "zh-CN"
MADE = DOCS / "reference"
"""Made from the code, so that there is nothing in it to be tried."""

PAGES = tuple(sorted((*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "README.zh-CN.md")))
WRITTEN = tuple(one for one in PAGES if MADE not in one.parents)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\s*$")
_PLACE = re.compile(r"<!--\s*(.+?)\s*-->")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """``marked`` is the comment on the line before, such as ``shop.yaml: migrations``."""

    page: Path
    line: int
    language: str
    marked: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, language: str = "") -> Iterator[Block]:
    """Those of a language, or all."""
    opened: tuple[int, str, str, str] | None = None
    kept: list[str] = []
    before = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            mark = _PLACE.fullmatch(before.strip())
            opened = number, fence["language"], fence["indent"], mark[1] if mark else ""
            kept = []
        elif opened is not None and fence and not fence["language"]:
            at, kind, indent, marked = opened
            opened = None
            if language in ("", kind):
                text = "".join(f"{one.removeprefix(indent)}\n" for one in kept)
                yield Block(page, at, kind, marked, text)
        elif opened is not None:
            kept.append(line)
        before = line


def prose(page: Path) -> str:
    """Everything outside of blocks, its lines where they were."""
    lines, inside = [], False
    for line in page.read_text().splitlines():
        if _FENCE.match(line):
            inside = not inside
            line = ""
        lines.append("" if inside else line)
    return "\n".join(lines)


def headings(page: Path) -> tuple[str, ...]:
    """With their level: ``## Why``."""
    return tuple(re.findall(r"^#{1,6} .+$", prose(page), re.MULTILINE))


def links(page: Path) -> tuple[str, ...]:
    return tuple(_LINK.findall(prose(page)))


def anchors(page: Path) -> set[str]:
    """What a link may name after ``#``."""
    told = (re.sub(r"^#+ ", "", one).lower() for one in headings(page))
    kept = ("".join(c for c in one if c.isalnum() or c in " -_") for one in told)
    return {one.replace(" ", "-") for one in kept}


def spoken(page: Path) -> tuple[str, ...]:
    """What stands as code within a sentence, each on one line."""
    return tuple(" ".join(one.split()) for one in _INLINE.findall(prose(page)))


def mentioned(page: Path) -> tuple[str, ...]:
    """Commands of ours within a sentence."""
    return tuple(one for one in spoken(page) if one.startswith("tradewind "))


def lines(block: Block) -> Iterator[str]:
    """The lines that a person types, each whole; in a console those with ``$`` before them."""
    if block.language != "console":
        yield from re.sub(r"\\\n\s*", " ", block.text).splitlines()
        return
    for whole in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        yield _closed(re.sub(r"\\\n\s*", " ", whole).splitlines())


def _closed(following: list[str]) -> str:
    """The first line, and those after it as long as a quotation is open."""
    line = following[0]
    for more in following[1:]:
        if not _open(line):
            break
        line = f"{line}\n{more}"
    return line


def _open(line: str) -> bool:
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return True
    return False


def commands(line: str) -> Iterator[list[str]]:
    """Each command of a line, in words, without variables, redirections and what is answered.

    >>> list(commands('A=1 make demo && tradewind audit --csv > a.csv   # all'))
    [['make', 'demo'], ['tradewind', 'audit', '--csv']]
    """
    reader = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
    reader.whitespace_split, reader.commenters = True, "#"
    words: list[str] = []
    skipped = False
    for word in (*reader, ";"):
        if skipped:
            skipped = False
        elif word in (">", ">>", "<"):
            skipped = True
        elif word and set(word) <= set("&|;"):
            if words:
                yield words
            words = []
        elif words or not re.fullmatch(r"[A-Z_]+=.*", word):
            words.append(word)
