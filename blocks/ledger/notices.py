"""Notices in the ledger: each told once to each target, and again where a chat did not take it.

Not audited: what people were told changes nothing.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from blocks.ledger.store import Row, Store
from domain.notices.messages import Message
from domain.notices.schedule import MOST_ATTEMPTS, PAUSES_SECONDS, Notice, Topic
from domain.notices.settings import Event

ENQUEUE = """
INSERT INTO notices (event, key, reminder, target, title, body, link, level)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
CLAIM = """
UPDATE notices SET attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs =>
    (%(pauses)s::double precision[])[least(attempts + 1, cardinality(%(pauses)s))])
WHERE (event, key, reminder, target) IN (
    SELECT event, key, reminder, target FROM notices
    WHERE delivered_at IS NULL AND next_at <= clock_timestamp()
    AND attempts < %(most)s AND target = ANY(%(targets)s)
    AND (%(event)s::text IS NULL OR (event, key, reminder) = (%(event)s, %(key)s, %(reminder)s))
    ORDER BY told_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
RETURNING *
"""
RECORD = """
UPDATE notices SET reason = %s, delivered_at = CASE WHEN %s = '' THEN clock_timestamp() END
WHERE event = %s AND key = %s AND reminder = %s AND target = %s AND delivered_at IS NULL
"""
LAST = "SELECT max(told_at) AS at, max(reminder) AS reminder FROM notices WHERE event=%s AND key=%s"
BATCH = 20
"""So many are tried at once."""


class Notices:
    def __init__(self, store: Store) -> None:
        self._store = store

    def enqueue(self, notices: Iterable[Notice]) -> None:
        """What was told a target before is not told again."""
        with self._store.connection() as connection:
            for notice in notices:
                said = notice.message
                row = (*_key(notice), said.title, said.body, said.link, said.level)
                connection.execute(ENQUEUE, row)

    def claim(self, targets: Collection[str], topic: Topic | None = None) -> tuple[Notice, ...]:
        """Undelivered ones whose time has come, of one topic or of all; nobody else gets them now.

        A claim is an attempt: should its process end, the next one is after the usual pause.
        """
        about = vars(topic) if topic else {"event": None, "key": None, "reminder": None}
        asked = {
            "targets": list(targets), "pauses": list(PAUSES_SECONDS), "most": MOST_ATTEMPTS,
            "batch": BATCH, **about,
        }  # fmt: skip
        with self._store.connection() as connection:
            rows = connection.execute(CLAIM, asked).fetchall()
        return tuple(_notice(row) for row in rows)

    def record(self, notice: Notice, reason: str) -> None:
        """What an attempt came to: delivered where there is no ``reason`` why not."""
        with self._store.connection() as connection:
            connection.execute(RECORD, (reason, reason, *_key(notice)))

    def last_told(self, event: Event, key: str) -> tuple[datetime | None, int]:
        """When people were told last, and how often they were reminded by then."""
        row = self._store.row(LAST, event, key)
        return (row["at"], row["reminder"] or 0) if row else (None, 0)


def _key(notice: Notice) -> tuple[str, str, int, str]:
    topic = notice.topic
    return topic.event, topic.key, topic.reminder, notice.target


def _notice(row: Row) -> Notice:
    message = Message(row["title"], row["body"], row["link"], row["level"])
    topic = Topic(row["event"], row["key"], row["reminder"])
    return Notice(topic, row["target"], message, row["attempts"])
