"""A log record as a document with ECS's names, and the one form in which a line is let out."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from blocks.logs.context import labels
from blocks.redaction import redacted
from domain.logs.record import ECS_VERSION, Document, cut, stamp

FLOW_RUN = "PREFECT__FLOW_RUN_ID"
"""How Prefect tells a process which run it carries."""

NAMED = {"task_run_name": "labels.task_run", "flow_run_name": "labels.flow_run_name"}
_PLAIN = logging.Formatter()


class Sealed:
    """A line as it may leave the process: there is no way to make one that is not redacted."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        clean = {redacted(name): _clean(value) for name, value in document.items()}
        text = json.dumps(clean, ensure_ascii=False, default=str)
        again = redacted(text)
        if again != text:  # a secret that reaches over several fields
            clean = {"@timestamp": clean.get("@timestamp"), "log.level": "info", "message": again}
            text = json.dumps(clean, ensure_ascii=False, default=str)
        self.document: Document = clean
        self.text = text


def _clean(value: Any) -> Any:
    """The same value unless its text holds a secret: a number may be one, too."""
    if value is None or isinstance(value, bool):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    clean = redacted(text)
    return value if clean == text else clean


@dataclass(frozen=True)
class Writer:
    """Whose lines these are; ``dataset`` is ``tradewind.flow``, ``tradewind.gateway``, …"""

    dataset: str
    service: str = "tradewind"

    def document(self, record: logging.LogRecord) -> Document:
        """Of one record, where it was written: labels are those of its own context."""
        return {
            "@timestamp": stamp(datetime.fromtimestamp(record.created, UTC)),
            "log.level": record.levelname.lower(),
            "message": cut(_message(record)),
            "ecs.version": ECS_VERSION,
            "service.name": self.service,
            "service.version": own_version(),
            "event.dataset": self.dataset,
            "log.logger": record.name,
            "process.pid": record.process,
            **_error(record),
            **_labels(record),
        }


class EcsFormatter(logging.Formatter):
    """For handlers of others: one line of JSON for each record."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def format(self, record: logging.LogRecord) -> str:
        return Sealed(self._writer.document(record)).text


@cache
def own_version() -> str:
    """Tradewind's; "" where it runs from a folder that was not installed."""
    try:
        return version("tradewind")
    except PackageNotFoundError:
        return ""


def _message(record: logging.LogRecord) -> str:
    """Arguments that do not fit are the writer's mistake, and no reason to lose the line."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _error(record: logging.LogRecord) -> Document:
    kind, error, _ = record.exc_info or (None, None, None)
    if kind is None and not record.exc_text:
        return {}
    text = record.exc_text or _PLAIN.formatException(record.exc_info or (None, None, None))
    named = {"error.type": kind.__name__, "error.message": cut(str(error))} if kind else {}
    return {**named, "error.stack_trace": cut(text)}


def _labels(record: logging.LogRecord) -> Document:
    known = dict(labels())
    environment = known.pop("environment", "")
    run = getattr(record, "flow_run_id", None) or known.get("flow_run") or os.environ.get(FLOW_RUN)
    found = {
        **{f"labels.{name}": value for name, value in known.items()},
        **{field: getattr(record, name, None) for name, field in NAMED.items()},
        "labels.flow_run": run,
        "service.environment": environment,
    }
    return {name: str(value) for name, value in found.items() if value}
