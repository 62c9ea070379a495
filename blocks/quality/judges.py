"""Who evaluates what persists: Great Expectations in a child process, or the same by plain SQL."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from blocks.quality.database import Ledger, Schema
from blocks.quality.episodes import PERSISTING, Span, limits, persisting
from domain.checks.catalogue import CHECKS
from domain.checks.looks import New

LIMIT_SECONDS = 300.0
TABLE = "persisting"
CREATE = f"CREATE UNLOGGED TABLE {TABLE} AS SELECT * {PERSISTING}"
UNEXPECTED = "SELECT key FROM {batch} WHERE check_id = '%s'"
"""The definition that both evaluate; ``{batch}`` is the table."""

Engine = Literal["great expectations", "sql"]


@dataclass(frozen=True)
class Judged:
    """``new`` per channel and check, and which ``engine`` counted it.

    ``problem`` says why nothing may be concluded, "" when all was evaluated.
    """

    new: Mapping[str, Mapping[str, New]] = field(default_factory=dict)
    engine: Engine = "sql"
    problem: str = ""


def judged(ledger: Ledger, environment: str, span: Span, sql_above_rows: int) -> Judged:
    """See ``Quality.judge``."""
    new = persisting(ledger, environment, span)
    rows = sum(one.count for checks in new.values() for one in checks.values())
    if rows > sql_above_rows:
        return Judged(new)
    with Schema(ledger).opened() as schema:
        with schema.connection() as connection:
            connection.execute(CREATE.encode(), {"environment": environment, **limits(span)})
        found, problem = by_expectations(schema, TABLE, [check.id for check in CHECKS], rows)
    problem = problem or _otherwise(new, found)
    return Judged({} if problem else new, "great expectations", problem)


def _otherwise(new: Mapping[str, Mapping[str, New]], found: Mapping[str, int]) -> str:
    """What the two counted differently."""
    differing = []
    for check, count in found.items():
        counted = sum(checks[check].count for checks in new.values() if check in checks)
        if counted != count:
            differing.append(f"{check}: {count} unexpected rows, {counted} by plain SQL")
    return "; ".join(differing)


def by_sql(schema: Schema, table: str, checks: Sequence[str]) -> Mapping[str, int]:
    """Per check how many rows of a schema's table are not expected."""
    with schema.connection() as connection:
        return {
            check: connection.execute(
                f"SELECT count(*) AS count FROM ({_query(check, table)}) q".encode()
            ).fetchall()[0]["count"]
            for check in checks
        }


def by_expectations(
    schema: Schema, table: str, checks: Sequence[str], rows: int
) -> tuple[Mapping[str, int], str]:
    """The same by Great Expectations, and what kept it from it; ``rows`` are those of the table."""
    asked = {
        "url": schema.ledger.url.replace("postgresql://", "postgresql+psycopg://", 1),
        "schema": schema.name,
        "table": table,
        "rows": rows,
        "queries": {check: _query(check, "{batch}") for check in checks},
    }
    command = [sys.executable, "-m", "blocks.quality.expectations"]
    try:
        ran = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=LIMIT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {}, f"Great Expectations did not end within {LIMIT_SECONDS:.0f} s"
    if ran.returncode != 0:
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        return {}, f"Great Expectations ended with exit code {ran.returncode}: {last}"
    answer = json.loads(ran.stdout.splitlines()[-1])
    return answer.get("found", {}), answer["problem"]


def _query(check: str, table: str) -> str:
    return (UNEXPECTED % check).replace("{batch}", table)
