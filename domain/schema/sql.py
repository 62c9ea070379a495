"""A psql script as the statements in it."""

import re
from collections.abc import Iterator, Sequence

from domain.schema.tokens import Token, shape, tokens, word

_ROUTINE = re.compile(r"create (?:or replace )?(?:function|procedure) ")
_FROM_CLIENT = re.compile(r"copy .* from stdin\b")
_TRANSACTION = re.compile(r"(?:begin|commit|end|start transaction)(?! prepared)(?!.* and chain)\b")
_ENDS_OURS = re.compile(
    r"(?:rollback(?!(?: work| transaction)? to )|abort|prepare transaction|commit|end)\b"
)


def statements(text: str) -> tuple[str, ...]:
    """A script's statements as they are written, without the comments around them.

    The script's own BEGIN and COMMIT are left out: what is one transaction is not its choice.
    Raises ValueError for what only psql can run, and for what would end our transaction.

    >>> statements("BEGIN; SELECT ';'; -- one\\n COMMIT;")
    ("SELECT ';'",)
    """
    found = (text[own[0].start : own[-1].end] for own in _split(text))
    return tuple(statement for statement in found if not _TRANSACTION.match(shape(statement)))


def _split(text: str) -> Iterator[list[Token]]:
    """The tokens of each statement; checks one before it reads on, as COPY's rows are no SQL."""
    current: list[Token] = []
    for token in tokens(text):
        if token.text == ";" and not _is_open(current):
            yield from _whole(current)
            current = []
        elif token.kind != "comment":
            current.append(token)
    yield from _whole(current)


def _is_open(current: Sequence[Token]) -> bool:
    """Whether brackets or a routine's BEGIN ATOMIC are open, counted as psql does."""
    found = [word(token) for token in current]
    routine = _ROUTINE.match(" ".join(found[:5]) + " ")
    brackets = bodies = 0
    for one in found:
        brackets = max(0, brackets + {"(": 1, ")": -1}.get(one, 0))
        if routine and not brackets:
            opens = one == "begin" or (one == "case" and bodies)
            bodies = max(0, bodies + (1 if opens else -1 if one == "end" else 0))
    return bool(brackets or bodies)


def _whole(current: list[Token]) -> Iterator[list[Token]]:
    found = " ".join(word(token) for token in current)
    if _FROM_CLIENT.match(found):
        raise ValueError("COPY FROM STDIN has its rows in the script: write INSERT")
    if _ENDS_OURS.match(found) and not _TRANSACTION.match(found):
        raise ValueError(f"{found.upper()} would end a transaction that is not the script's")
    if current:
        yield current
