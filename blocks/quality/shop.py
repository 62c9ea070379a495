"""The shop's own rows of one moment: its declared queries, checked, and piped as they come."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from domain.checks.settings import OPTIONAL, QUERIES
from domain.errors import BadInput, Unavailable

REQUIRED = ("stock", "orders", "lines", "movements")
WHOLE = ("int2", "int4", "int8", "numeric")
FITTING: Mapping[str, tuple[str, ...]] = {
    "bigint": WHOLE,
    "numeric": WHOLE,
    "timestamptz": ("timestamptz",),
    "boolean": ("bool",),
}
"""What a column's type may be in the shop; text may be anything. No money in floating point."""
REFUSED = (
    psycopg.ProgrammingError,
    psycopg.DataError,
    psycopg.NotSupportedError,
    psycopg.errors.ReadOnlySqlTransaction,
)
MOST_CHUNK_BYTES = 1 << 16

Shop = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Ours:
    """The shop's database, its declared queries by name, and since when orders are looked at.

    Each query has the parameters ``%(channel)s`` and ``%(since)s``, and answers the columns of
    ``domain.checks.settings``.
    """

    url: str
    queries: Mapping[str, str]
    since: datetime

    @property
    def declared(self) -> tuple[str, ...]:
        """The queries that say something."""
        return tuple(name for name, query in self.queries.items() if query.strip())

    def values(self, channel: str) -> dict[str, object]:
        return {"channel": channel, "since": self.since}


@dataclass(frozen=True)
class Assortment:
    """A channel's SKUs, those first that sell most, and which changed since ``since``."""

    best_first: tuple[str, ...]
    changed: frozenset[str]


@contextmanager
def moment(ours: Ours) -> Iterator[Shop]:
    """A transaction in which every query sees the same moment, and nothing can be changed.

    Raises Unavailable when the shop's database does not answer, BadInput where a query is missing.
    """
    missing = [name for name in REQUIRED if name not in ours.declared]
    if missing:
        raise BadInput(*(f"query {name} is not declared: every comparison needs it"
                         for name in missing))  # fmt: skip
    try:
        with psycopg.connect(ours.url, options="-c timezone=UTC", connect_timeout=5) as shop:
            shop.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            shop.read_only = True
            yield shop
    except psycopg.OperationalError as error:
        raise Unavailable(f"the shop's database does not answer: {error}") from error


def columns(name: str) -> Iterator[tuple[str, str]]:
    """Every column of a query with its type, required ones first."""
    for column in (*QUERIES[name], *OPTIONAL.get(name, ())):
        column, kind = column.split()
        yield column, kind


def answered(shop: Shop, ours: Ours, name: str, channel: str) -> dict[str, str]:
    """The columns that a query answers, with their types in PostgreSQL's short words.

    Raises BadInput when it cannot be run, lacks a required column, or answers another type.
    """
    with explained(name):
        asked = f"SELECT * FROM ({inner(ours, name)}) q LIMIT 0"
        found = shop.execute(asked.encode(), ours.values(channel)).description or ()
    there = {one.name: _type(shop, one.type_code) for one in found}
    required = {column.split()[0] for column in QUERIES[name]}
    objections = [
        objection
        for column, kind in columns(name)
        if (objection := _objection(column, kind, there, column in required))
    ]
    if objections:
        raise BadInput(*(f"query {name}: {objection}" for objection in objections))
    return there


def _type(shop: Shop, oid: int) -> str:
    known = shop.adapters.types.get(oid)
    return known.name if known else f"type {oid}"


def _objection(column: str, kind: str, there: Mapping[str, str], required: bool) -> str:
    found = there.get(column)
    if found is None:
        shown = ", ".join(there) or "none"
        return f"column {column} ({kind}) is missing, there are {shown}" if required else ""
    if kind in FITTING and found not in FITTING[kind]:
        return f"column {column} has to be {kind}, it is {found}"
    return ""


def selected(ours: Ours, name: str, there: Mapping[str, str]) -> str:
    """The channel and the query's columns in their order; NULL for an optional one it lacks."""
    shown = ", ".join(
        f"q.{column}::{kind}" if column in there else f"NULL::{kind}"
        for column, kind in columns(name)
    )
    return f"SELECT %(channel)s::text, {shown} FROM ({inner(ours, name)}) q"


def inner(ours: Ours, name: str) -> str:
    """To be put in brackets: without a last semicolon; a last comment ends with its line."""
    return f"{ours.queries[name].strip().rstrip(';')}\n"


@contextmanager
def explained(name: str) -> Iterator[None]:
    """What PostgreSQL says against a declared query, as BadInput that names it."""
    try:
        yield
    except REFUSED as error:
        raise BadInput(f"query {name}: {error}") from error


def piped(shop: Shop, query: str, values: Mapping[str, object], target: psycopg.Copy) -> None:
    """A query's rows as PostgreSQL's own bytes; none of them is taken apart here."""
    with shop.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT binary)".encode(), values) as rows:
        held: list[bytes | bytearray | memoryview] = []
        size = 0
        for row in rows:
            held.append(row)
            size += len(row)
            if size > MOST_CHUNK_BYTES:
                target.write(b"".join(held))
                held, size = [], 0
        target.write(b"".join(held))


ASSORTMENT = """
SELECT s.sku::text, bool_or(s.changed_at >= %(since)s) FROM ({stock}) s
LEFT JOIN (SELECT sku, sum(quantity) AS sold FROM ({lines}) l GROUP BY sku) l
ON l.sku::text = s.sku::text
GROUP BY 1 ORDER BY max(l.sold) DESC NULLS LAST, 1
"""


def assortment(ours: Ours, channel: str) -> Assortment:
    """See ``Quality.assortment``."""
    query = ASSORTMENT.format(stock=inner(ours, "stock"), lines=inner(ours, "lines"))
    with moment(ours) as shop:
        for name in ("stock", "lines"):
            answered(shop, ours, name, channel)
        found = shop.execute(query.encode(), ours.values(channel)).fetchall()
    return Assortment(
        tuple(sku for sku, _ in found), frozenset(sku for sku, changed in found if changed)
    )
