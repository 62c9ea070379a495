"""The one place that every log record of the process passes, before any handler sees it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from blocks.redaction.redactor import Redactor

_PLAIN = logging.Formatter()
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""What a record has by itself; everything else came by ``extra``."""


def install(redactor: Redactor) -> None:
    """For every logger there is and will be, and for every handler that there is now.

    A record's ``extra`` is put in after it was made: the handlers' filter is for that.
    """
    made_by = logging.getLogRecordFactory()
    if not isinstance(made_by, _Factory):
        logging.setLogRecordFactory(_Factory(redactor, made_by))
    for handler in _handlers():
        if not any(isinstance(one, _Filter) for one in handler.filters):
            handler.addFilter(_Filter(redactor))


def _handlers() -> Iterator[logging.Handler]:
    known = list(logging.root.manager.loggerDict.values())
    for logger in (logging.root, *known):
        if isinstance(logger, logging.Logger):
            yield from logger.handlers


class _Factory:
    def __init__(self, redactor: Redactor, inner: Callable[..., logging.LogRecord]) -> None:
        self._clean, self._inner = _Cleaning(redactor), inner

    def __call__(self, *args: Any, **named: Any) -> logging.LogRecord:
        record = self._inner(*args, **named)
        self._clean.record(record)
        return record


class _Filter(logging.Filter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._clean = _Cleaning(redactor)

    def filter(self, record: logging.LogRecord) -> bool:
        self._clean.record(record)
        self._clean.additions(record)
        return True


class _Cleaning:
    """Changes only what holds a secret, so that formatters find the shapes that they know."""

    def __init__(self, redactor: Redactor) -> None:
        self._redacted = redactor.redacted

    def record(self, record: logging.LogRecord) -> None:
        self._message(record)
        self._exception(record)
        if record.stack_info:
            record.stack_info = self._redacted(record.stack_info)

    def additions(self, record: logging.LogRecord) -> None:
        for name in vars(record).keys() - _OWN:
            setattr(record, name, self._value(getattr(record, name)))

    def _message(self, record: logging.LogRecord) -> None:
        record.msg = self._value(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(self._value, record.args))
        elif record.args:
            record.args = {name: self._value(value) for name, value in record.args.items()}
        self._whole(record)

    def _whole(self, record: logging.LogRecord) -> None:
        """A secret may be in parts until its message is put together."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            return  # the handler says so, of parts that are clean
        clean = self._redacted(text)
        if clean != text:
            record.msg, record.args = clean, None

    def _exception(self, record: logging.LogRecord) -> None:
        """Handlers that show an exception by themselves are not given one that holds a secret."""
        if record.exc_info and record.exc_info[0]:
            text = record.exc_text or _PLAIN.formatException(record.exc_info)
            clean = self._redacted(text)
            if clean != text:
                record.exc_info, record.exc_text = None, clean
        elif record.exc_text:
            record.exc_text = self._redacted(record.exc_text)

    def _value(self, value: Any) -> Any:
        """The same object unless its text or its other form holds a secret."""
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, str):
            return self._redacted(value)
        text, form = str(value), repr(value)
        clean = _Shown(self._redacted(text), self._redacted(form))
        return value if (clean.text, clean.form) == (text, form) else clean


@dataclass(frozen=True)
class _Shown:
    """In a value's place: what is left of its text, and of its other form."""

    text: str
    form: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.form
