"""Tradewind's own errors go to the shop's error tracker, without secrets and without refusals."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.utils import BadDsn

from blocks.redaction import redacted
from domain.errors import BadInput, Fenced, Refused

if TYPE_CHECKING:
    from blocks.shop import Live

PACKAGE = "tradewind"
ON_HOST = "on host "
ANSWERS = tuple(f"{one.__module__}.{one.__name__}:" for one in (Refused, BadInput, Fenced))
MOST_DEPTH = 20
"""Deeper than any event; what lies below it is left out."""


def report_errors(live: "Live", part: str) -> None:
    """From here on, those of this process: ``part`` says whether it is a flow or the gateway.

    Does nothing where ``sentry.own_dsn`` is empty. Raises BadInput for what is no DSN.
    """
    declared = live.shop.sentry
    if declared is None or not declared.own_dsn:
        return
    try:
        sentry_sdk.init(
            dsn=live.reference(declared.own_dsn).strip(), release=f"{PACKAGE}@{version(PACKAGE)}",
            environment=live.shop.shop, before_send=before_send, before_breadcrumb=_clean,
            send_default_pii=False, include_local_variables=False, max_request_body_size="never",
        )  # fmt: skip
    except BadDsn as error:
        raise BadInput(f"sentry.own_dsn is no DSN: {error}") from error
    sentry_sdk.set_tag("part", part)


@contextmanager
def on_host(name: str) -> Iterator[None]:
    """What goes wrong inside went wrong on that host: its traceback says so, and the event's tag.

    The agent on a host has the standard library only, so that its errors are sent by who called it.
    """
    try:
        yield
    except Exception as error:
        error.add_note(f"{ON_HOST}{name}")
        raise


def before_send(event: Any, hint: dict[str, Any]) -> Any:
    """Errors without secrets. None for what Tradewind says no with, and for lines of a log."""
    error, told = (hint.get("exc_info") or (None, None))[1], _told(hint.get("log_record"))
    if isinstance(error, Refused) or (error is None and "log_record" in hint and not told):
        return None
    if told:
        event = {**event, "extra": {**event.get("extra", {}), "traceback": told}}
    host = _host(error)
    tags = {**event.get("tags", {}), "host": host} if host else event.get("tags", {})
    return _clean({**event, "tags": tags}, hint)


def _told(record: logging.LogRecord | None) -> str:
    """The traceback of a record whose exception was taken away because it held a secret."""
    text = (record.exc_text or "") if record else ""
    last = text.rpartition("\n")[2]
    return "" if last.startswith(ANSWERS) else text


def _host(error: BaseException | None) -> str:
    """Of the innermost error that has one."""
    found = ""
    while error is not None:
        notes = [one for one in getattr(error, "__notes__", ()) if one.startswith(ON_HOST)]
        found = notes[0].removeprefix(ON_HOST) if notes else found
        error = error.__cause__ or error.__context__
    return found


def _clean(event: Any, _hint: dict[str, Any], depth: int = 0) -> Any:
    if isinstance(event, str):
        return redacted(event)
    if depth > MOST_DEPTH:
        return None
    if isinstance(event, dict):
        return {name: _clean(value, _hint, depth + 1) for name, value in event.items()}
    if isinstance(event, list | tuple):
        return [_clean(value, _hint, depth + 1) for value in event]
    return event
