"""Text of others in a message: one short line, in which no chat finds a mention, link or secret."""

import re

_LOOKALIKES = str.maketrans(
    {"@": "＠", "<": "‹", ">": "›", "[": "［", "]": "］", "*": "∗", "`": "ˋ", "~": "∼",
     "#": "＃", "!": "！", "&": "＆", "|": "｜", "\\": "＼"}
)  # fmt: skip
"""Every chat has its own escapes, and shows other chats' as they are: so nothing is escaped."""
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_ACCOUNT = re.compile(r"(?<=://)[^\s/@]*:[^\s/]*@")
_NAMED = re.compile(
    r"(?i)(passw(?:or)?d|pwd|secret|token|api[_-]?key|access[_-]?key|\bsign(?:ature)?"
    r"|authorization)(['\"]?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?(?:'[^']*'|\"[^\"]*\"|[^\s&]+)"
)
_KEY = re.compile(r"AGE-SECRET-KEY-\w+|-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)
MOST_READ = 4000
"""Characters of a text that are looked at."""


def plain(text: str, most_bytes: int) -> str:
    """
    >>> plain("@all see [here](https://evil.example)", 80)
    '＠all see ［here］(https：//evil.example)'
    >>> plain("postgresql://shop:4711@db/shop: no route", 80)
    'postgresql：//…＠db/shop: no route'
    """
    line = "".join(one for one in _unsaid(_begun(text)) if one.isprintable())
    line = line.replace("://", "：//").translate(_LOOKALIKES)
    return cut(_EMPHASIS.sub("＿", line), most_bytes)


def cut(text: str, most_bytes: int) -> str:
    """At most so many bytes of UTF-8, and it says so where something is missing.

    >>> cut("库存检查", 9)
    '库存…'
    """
    content = text.encode(errors="replace")
    if len(content) <= most_bytes:
        return content.decode()
    return f"{content[: most_bytes - 3].decode(errors='ignore')}…"


def _begun(text: str) -> str:
    """Of long text the whole words at its beginning, on one line: half a secret looks like none."""
    words = text[:MOST_READ].split()
    return " ".join(words if len(text) <= MOST_READ else words[:-1] or ["…"])


def _unsaid(text: str) -> str:
    """Without what reads like a secret: accounts in addresses, passwords, tokens and keys."""
    return _NAMED.sub(r"\1\2…", _ACCOUNT.sub("…@", _KEY.sub("…", text)))
