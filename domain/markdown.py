"""Text of others in Markdown, so that nothing in it is taken for markup."""

import re

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&])")
UNITS = ("B", "kB", "MB", "GB", "TB")


def plain(text: str) -> str:
    r"""Text on one line in which nothing is markup.

    >>> plain("a|b\n*c*")
    'a\\|b \\*c\\*'
    """
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    r"""Text as code within a cell of a table, whatever it contains.

    >>> print(code("SELECT 'a|`b`'"))
    `` SELECT 'a\|`b`' ``
    """
    line = " ".join(text.split()).replace("\\|", "\\ |").replace("|", "\\|")
    fence = "`" * (_longest_ticks(line) + 1)
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """Text as a block of code, whatever it contains."""
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def _longest_ticks(text: str) -> int:
    return max((len(ticks) for ticks in re.findall("`+", text)), default=0)


def size(count: float) -> str:
    """
    >>> size(512), size(48_200_000)
    ('512 B', '48.2 MB')
    """
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {UNITS[-1]}"
