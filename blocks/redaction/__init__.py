"""Redaction: every secret value that this process was told is kept out of what it writes."""

import re
from urllib.parse import unquote, urlsplit

from blocks.redaction import logs
from blocks.redaction.redactor import Redactor, Stream

__all__ = ["KNOWN", "Redactor", "Stream", "install", "learn", "redacted"]

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/?")
KNOWN = Redactor()
"""The values of this process: one for all of its threads."""


def learn(value: str) -> None:
    """From now on ``value``, and the password if it is an address, are shown as ``***``.

    An address that is nothing but scheme, host and port is no secret: people need it at night.
    """
    if _ADDRESS.fullmatch(value):
        return
    for one in (value, *_passwords(value)):
        KNOWN.add(one)
    install()


def redacted(text: str) -> str:
    """``text`` as it may be shown, kept or sent."""
    return KNOWN.redacted(text)


def install() -> None:
    """Makes every log record of this process pass here; calling it again takes in new handlers."""
    logs.install(KNOWN)


def _passwords(value: str) -> tuple[str, ...]:
    try:
        found = urlsplit(value).password or ""
    except ValueError:
        return ()
    return found, unquote(found)
