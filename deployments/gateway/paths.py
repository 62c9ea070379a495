"""Which paths a request may have: one spelling each, so that a rule and Prefect read the same."""

from urllib.parse import quote, unquote_to_bytes

SAFE = "/-._~!$&'()*+,;=:@"
MOST_CHARACTERS = 2000


def straight(raw: bytes) -> str | None:
    """The decoded path when ``raw`` is its only sensible spelling; None for every odd one.

    Odd are encoded slashes, dots and letters, dot segments, empty segments, backslashes, control
    characters, what is no UTF-8, and ``/API`` for ``/api``.

    >>> straight(b"/api/flows/name/a%20b")
    '/api/flows/name/a b'
    >>> straight(b"/api/%2e%2e/admin"), straight(b"//api"), straight(b"/API/flows")
    (None, None, None)
    """
    try:
        text = raw.decode("ascii")
        path = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return None
    if len(raw) > MOST_CHARACTERS or quote(path, safe=SAFE) != text or _odd(path):
        return None
    return path


def _odd(path: str) -> bool:
    first, *segments = path.split("/")
    return (
        first != ""
        or not segments
        or any(one in (".", "..") for one in segments)
        or "" in segments[:-1]
        or any(not one.isprintable() or one in "\\%" for one in path)
        or (segments[0] != "api" and segments[0].casefold() == "api")
    )


def local(target: str) -> str:
    """A path of this gateway to go on to; the home page for anything else.

    >>> local("/v2/dashboard?tab=1"), local("//elsewhere.example"), local("https://a.example")
    ('/v2/dashboard?tab=1', '/gate/', '/gate/')
    """
    path, _, _ = target.partition("?")
    plain = target.isascii() and target.isprintable() and not set('\\"<>^`{|} ') & set(target)
    return target if plain and straight(path.encode()) else "/gate/"
