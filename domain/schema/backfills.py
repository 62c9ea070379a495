"""UPDATE statements taken apart: what they set, and which rows they leave alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.schema.judgement import NAME, OWN, Judgement, Made
from domain.schema.tokens import outermost, parts, plain, shape, significant, word

_UPDATE = re.compile(
    rf"update (?:only )?(?P<table>{NAME}) (?:\* )?"
    r"(?:as (?P<alias>[^ ]+) |(?!set )(?P<bare>[^ ]+) )?set (?P<rest>.*)"
)
_CLAUSES = ("from", "where", "returning")


@dataclass(frozen=True)
class Update:
    """``columns`` are set; of rows that are changed, those that are ``tested`` were NULL before.

    A ``simple`` one reads and names no other table, so that it can go through the rows in parts.
    """

    table: str
    columns: tuple[str, ...]
    tested: frozenset[str]
    simple: bool


def update_in(statement: str) -> Update | None:
    """None for what is no UPDATE, or has a WITH before it."""
    found = _UPDATE.fullmatch(shape(statement))
    if found is None:
        return None
    clauses = _clauses(found["rest"].split(" "))
    columns = [column for part in parts(clauses["set"], ",") for column in _assigned(part)]
    name = found["alias"] or found["bare"]
    tested = _tested(clauses.get("where", []), name or found["table"])
    simple = not (name or "from" in clauses or "returning" in clauses)
    return Update(found["table"], tuple(columns), tested, simple)


def judged_update(update: Update, made: Made) -> Judgement:
    if made.has("table", update.table):
        return OWN
    old = [
        column for column in update.columns
        if made.column(update.table, column) is None and column not in update.tested
    ]  # fmt: skip
    if old:
        return Judgement("irreversible", f"UPDATE overwrites what is in {', '.join(old)}")
    return Judgement("backfill", "UPDATE fills what is new or NULL")


def batchable(statement: str) -> bool:
    """Whether it can go through the rows in parts, and again over those that are done."""
    update = update_in(statement)
    return bool(update and update.simple and update.tested & set(update.columns))


def batched(statement: str) -> str:
    """A batchable UPDATE for the rows in [%(low)s, %(high)s) by ``ctid``, for psycopg.

    >>> batched("UPDATE t SET a = b % 2 WHERE a IS NULL OR b = 1")
    'UPDATE t SET a = b %% 2 WHERE (a IS NULL OR b = 1) AND ctid >= %(low)s AND ctid < %(high)s'
    """
    found = significant(statement)
    outer = outermost([word(token) for token in found])
    end = next(found[at].end for at, one in outer if one == "where")
    head, condition = (
        part.replace("%", "%%") for part in (statement[:end], statement[end : found[-1].end])
    )
    return f"{head} ({condition.strip()}) AND ctid >= %(low)s AND ctid < %(high)s"


def _clauses(rest: Sequence[str]) -> dict[str, list[str]]:
    """The words of SET and of each clause after it."""
    starts = [(-1, "set")]
    for at, one in outermost(rest):
        if one in _CLAUSES and rest[at - 1] != "distinct":  # IS DISTINCT FROM is no clause
            starts.append((at, one))
    ends = [*(at for at, _ in starts[1:]), len(rest)]
    return {
        name: list(rest[start + 1 : end])
        for (start, name), end in zip(starts, ends, strict=True)
    }  # fmt: skip


def _assigned(part: Sequence[str]) -> list[str]:
    """The columns of ``a = 1``, ``a [ 1 ] = 1`` or ``( a , b ) = ( 1 , 2 )``."""
    if part[:1] != ["("]:
        return [plain(name) for name in part[:1]]
    names = parts(part[1 : part.index(")")], ",")
    return [plain(name[0]) for name in names]


def _tested(condition: Sequence[str], table: str) -> frozenset[str]:
    """The columns that must be NULL for the condition to hold."""
    if any(one == "or" for _, one in outermost(condition)):
        return frozenset()
    terms = _terms(condition)
    if len(terms) > 1:
        return frozenset().union(*(_tested(term, table) for term in terms))
    if _is_enclosed(condition):
        return _tested(condition[1:-1], table)
    owner, column = " ".join(condition[:-3]), condition[-3:-2]
    of_table = owner in ("", f"{table} .", f"{table.split(' . ')[-1]} .")
    is_test = list(condition[-2:]) == ["is", "null"] and of_table
    return frozenset(map(plain, column if is_test else ()))


def _terms(condition: Sequence[str]) -> list[list[str]]:
    """What AND joins; the AND of a BETWEEN joins nothing."""
    marked, between = list(condition), False
    for at, one in outermost(condition):
        between = between or one == "between"
        if one == "and":
            marked[at] = "and" if not between else "between-and"
            between = False
    return parts(marked, "and")


def _is_enclosed(condition: Sequence[str]) -> bool:
    inside = condition[1:-1]
    if condition[:1] != ["("] or condition[-1:] != [")"]:
        return False
    depth = 0
    for one in inside:
        depth += {"(": 1, ")": -1}.get(one, 0)
        if depth < 0:
            return False
    return True
