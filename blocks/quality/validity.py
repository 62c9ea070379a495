"""PAG-01: why nothing may be concluded from a channel's answers."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg

from blocks.quality.landing import Answer
from blocks.quality.tables import OUTDATED, REPEATED, TWICE_THE_SAME
from domain.channel import Fetch


def problems(
    connection: psycopg.Connection[Any], answers: Mapping[str, Answer], at: datetime, settle: float
) -> dict[str, str]:
    """Per channel what is wrong with its answers, "" where they are whole.

    ``at`` is the moment of our rows, ``settle`` how many seconds a snapshot may be apart from it.
    Rows that came again because they had changed are left once, as they are now.
    """
    repeated = _repeated(connection)
    found = {}
    for channel, answer in answers.items():
        reasons = [answer.problem, repeated.get(channel, ""), *_of_answer(answer, at, settle)]
        found[channel] = "; ".join(reason for reason in reasons if reason)
    return found


def _repeated(connection: psycopg.Connection[Any]) -> dict[str, str]:
    if connection.execute(REPEATED.encode()).rowcount == 0:
        return {}
    twice = connection.execute(TWICE_THE_SAME.encode()).fetchall()
    for statement in OUTDATED:
        connection.execute(statement.encode())
    return {
        row["channel"]: f"{row['what']} repeats {row['count']} rows, {row['key']} is one"
        for row in twice
    }


def _of_answer(answer: Answer, at: datetime, settle: float) -> Iterator[str]:
    for name, fetch in (("stock", answer.stock), ("orders", answer.orders)):
        if fetch is not None:
            yield from (f"{name} {reason}" for reason in _of_fetch(fetch, at, settle))


def _of_fetch(fetch: Fetch, at: datetime, settle: float) -> Iterator[str]:
    if not fetch.complete:
        yield f"is not whole: {fetch.reason}"
    if fetch.reported is not None and fetch.rows != fetch.reported:
        yield f"has {fetch.rows} rows, {fetch.reported} are reported"
    apart = fetch.ended_at - at
    if apart > timedelta(seconds=settle):
        yield f"was read up to {apart.total_seconds():.0f} s after ours, {settle:.0f} s allowed"
    if fetch.skew_seconds is not None and abs(fetch.skew_seconds) > settle:
        yield (
            f"comes from a clock that is {fetch.skew_seconds:+.0f} s off, {settle:.0f} s allowed"
        )
