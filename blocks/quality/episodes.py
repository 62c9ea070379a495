"""Divergences: every violation as long as it lasts, opened, prolonged and closed by looks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blocks.quality.comparison import Comparison
from blocks.quality.database import Ledger
from domain.checks.catalogue import ALL
from domain.checks.looks import Divergence, New, Usual

MOST_ROWS = 200
Span = tuple[int, int, int]
"""Numbers of looks: the last before, the one that saw it first, the one that saw it again."""

RECALLED = """
CREATE UNLOGGED TABLE recalled_{table} AS SELECT * FROM {table} t WHERE EXISTS (
    SELECT FROM divergences d WHERE d.environment = %(environment)s AND d.gone_at IS NULL
    AND d.channel = t.channel AND d.key = t.key)
"""
RIGHT = """
UPDATE divergences d SET gone_at = %(at)s FROM ({right}) r
WHERE d.environment = %(environment)s AND d.gone_at IS NULL
AND d.channel = r.channel AND d.check_id = r.check_id AND d.key = r.key
"""
VANISHED = """
UPDATE divergences d SET gone_at = %(at)s
WHERE d.environment = %(environment)s AND d.gone_at IS NULL AND d.check_id = ANY(%(checks)s)
AND d.channel = ANY(%(channels)s)
AND NOT EXISTS (SELECT FROM {table} t WHERE t.channel = d.channel AND t.key = d.key)
"""
"""A SKU (or pool) that is on no side any more; orders leave a look by their age."""

WRONG = """
INSERT INTO divergences (environment, channel, check_id, key, ours, theirs, detail, top,
                         first_look, last_look, first_seen, last_seen)
SELECT %(environment)s, channel, check_id, key, coalesce(ours, '-'), coalesce(theirs, '-'),
       coalesce(detail, ''), top, %(look)s, %(look)s, %(at)s, %(at)s
FROM violations v WHERE channel <> %(all)s OR %(pools)s ORDER BY channel, check_id, key
ON CONFLICT (environment, channel, check_id, key) WHERE gone_at IS NULL DO UPDATE
SET last_look = EXCLUDED.last_look, last_seen = EXCLUDED.last_seen, ours = EXCLUDED.ours,
    theirs = EXCLUDED.theirs, detail = EXCLUDED.detail, top = EXCLUDED.top
"""
PERSISTING = """
FROM divergences WHERE environment = %(environment)s AND first_look > %(after)s
AND first_look <= %(seen)s AND last_look >= %(again)s
"""
NEW = f"""
WITH new AS (
    SELECT *, row_number() OVER (PARTITION BY channel, check_id ORDER BY top DESC, key) AS place,
           count(*) OVER (PARTITION BY channel, check_id) AS count,
           count(*) FILTER (WHERE top) OVER (PARTITION BY channel, check_id) AS tops
    {PERSISTING})
SELECT * FROM new WHERE place <= {MOST_ROWS} ORDER BY channel, check_id, place
"""
USUAL = """
WITH windows AS (SELECT unnest(%(windows)s::bigint[]) AS look), stood AS (
    SELECT channel, check_id, key, count(DISTINCT look) AS count
    FROM divergences JOIN windows ON look BETWEEN first_look AND last_look
    WHERE environment = %(environment)s GROUP BY channel, check_id, key
)
SELECT channel, check_id, sum(count) AS changing, count(*) AS keys
FROM stood WHERE count < (SELECT count(*) FROM windows) GROUP BY channel, check_id
"""
COMPARED = """
SELECT p.key AS channel, c.key AS check_id, sum(c.value::bigint) AS compared
FROM looks l, jsonb_each(l.parts) p, jsonb_each_text(p.value -> 'compared') c
WHERE l.id = ANY(%(windows)s::bigint[]) AND l.environment = %(environment)s
AND p.value ->> 'unknown' = '' GROUP BY 1, 2
"""
OPEN = """
SELECT * FROM divergences WHERE environment = %(environment)s AND gone_at IS NULL
ORDER BY first_look, channel, check_id, key
"""
SEEN_BY = """
SELECT * FROM divergences WHERE environment = %(environment)s
AND %(look)s BETWEEN first_look AND last_look ORDER BY channel, check_id, key
"""
BEGINNINGS = """
SELECT d.look, d.channel, d.since, (
    SELECT max(l.at) FROM looks l WHERE l.environment = %(environment)s AND l.id < d.look
    AND l.parts -> d.channel ->> 'unknown' = '' AND l.parts -> d.channel ->> 'sampled' IS NULL
) AS clean_before
FROM (SELECT DISTINCT first_look AS look, channel, first_seen AS since FROM divergences
      WHERE environment = %(environment)s AND gone_at IS NULL AND suspected = '') d
ORDER BY d.look, d.channel
"""
SUSPECT = """
UPDATE divergences SET suspected = %(version)s WHERE environment = %(environment)s
AND gone_at IS NULL AND suspected = '' AND first_look = %(look)s AND channel = %(channel)s
"""


@dataclass(frozen=True)
class Beginning:
    """A look that saw divergences of a channel first, at ``since``.

    ``clean_before`` is the moment of the last look before it that could see the whole channel,
    None where none did. What ``domain.checks.blame.suspected`` asks for.
    """

    look: int
    channel: str
    since: datetime
    clean_before: datetime | None


def remember(comparison: Comparison, look: int) -> None:
    """Closes what was compared and found right, then opens or prolongs what is wrong.

    What was not compared - its channel unknown, its SKU not asked for, a lag may explain it - stays
    as it is.
    """
    environment = comparison.scope.environment
    pools = not comparison.unknown[ALL]
    for table in comparison.rules:
        if comparison.rules[table] and (pools or table != "pools"):
            _close_right(comparison, table)
    _close_vanished(comparison, pools)
    comparison.execute(WRONG, environment=environment, look=look, pools=pools)


def _close_right(comparison: Comparison, table: str) -> None:
    environment = comparison.scope.environment
    comparison.execute(RECALLED.format(table=table), environment=environment)
    right = " UNION ALL ".join(
        f"SELECT channel, '{rule.check}' AS check_id, key FROM recalled_{table}"
        f" WHERE {rule.column} IS FALSE"
        for rule in comparison.rules[table]
    )
    comparison.execute(RIGHT.format(right=right), environment=environment)


def _close_vanished(comparison: Comparison, pools: bool) -> None:
    asked = comparison.scope.asked
    channels = {
        "stock": [one for one, problem in comparison.unknown.items()
                  if one != ALL and not problem and not asked.get(one)],
        "pools": [ALL] if pools and not any(asked.values()) else [],
    }  # fmt: skip
    for table, whole in channels.items():
        comparison.execute(
            VANISHED.format(table=table), environment=comparison.scope.environment, channels=whole,
            checks=[rule.check for rule in comparison.rules[table]],
        )  # fmt: skip


def persisting(ledger: Ledger, environment: str, span: Span) -> Mapping[str, Mapping[str, New]]:
    """See ``Quality.persisting``."""
    found: dict[str, dict[str, New]] = {}
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in ledger.rows(NEW, {"environment": environment, **limits(span)}):
        rows.setdefault((row["channel"], row["check_id"]), []).append(row)
    for (channel, check), some in rows.items():
        shown = tuple(_divergence(row) for row in some)
        found.setdefault(channel, {})[check] = New(some[0]["count"], some[0]["tops"], shown)
    return found


def limits(span: Span) -> dict[str, object]:
    return dict(zip(("after", "seen", "again"), span, strict=True))


def usual(
    ledger: Ledger, environment: str, windows: Sequence[int]
) -> Mapping[str, Mapping[str, Usual]]:
    """See ``Quality.usual``."""
    values = {"environment": environment, "windows": list(windows)}
    changing = {
        (row["channel"], row["check_id"]): (int(row["changing"]), int(row["keys"]))
        for row in ledger.rows(USUAL, values)
    }
    found: dict[str, dict[str, Usual]] = {}
    for row in ledger.rows(COMPARED, values):
        key = (row["channel"], row["check_id"])
        some, keys = changing.get(key, (0, 0))
        found.setdefault(key[0], {})[key[1]] = Usual(some, int(row["compared"]), keys)
    return found


def still_open(ledger: Ledger, environment: str) -> Iterator[Divergence]:
    """See ``Quality.open_divergences``."""
    return (_divergence(row) for row in ledger.stream(OPEN, {"environment": environment}))


def seen_by(ledger: Ledger, environment: str, look: int) -> Iterator[Divergence]:
    """See ``Quality.seen_by``."""
    values = {"environment": environment, "look": look}
    return (_divergence(row) for row in ledger.stream(SEEN_BY, values))


def beginnings(ledger: Ledger, environment: str) -> tuple[Beginning, ...]:
    """See ``Quality.beginnings``."""
    return tuple(Beginning(**row) for row in ledger.rows(BEGINNINGS, {"environment": environment}))


def suspect(ledger: Ledger, environment: str, suspected: Mapping[Beginning, str]) -> None:
    """See ``Quality.suspect``."""
    with ledger.connection() as connection:
        for beginning, version in suspected.items():
            connection.execute(SUSPECT.encode(), {
                "environment": environment, "version": version, "look": beginning.look,
                "channel": beginning.channel,
            })  # fmt: skip


def _divergence(row: Mapping[str, Any]) -> Divergence:
    return Divergence(
        row["channel"], row["check_id"], row["key"], row["ours"], row["theirs"], row["detail"],
        row["first_seen"], row["gone_at"], row["suspected"],
    )  # fmt: skip
