"""What every line written from here on is about: release, deployment, environment, flow run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
_LABELS: ContextVar[Mapping[str, str]] = ContextVar("labels", default=MappingProxyType({}))


def labels() -> Mapping[str, str]:
    """Those that are known here: ``release``, ``deployment``, ``environment``, ``flow_run``."""
    return _LABELS.get()


def noted(**known: str) -> None:
    """From here to the end of this context."""
    _LABELS.set({**_LABELS.get(), **known})


@contextmanager
def labelled(**known: str) -> Iterator[None]:
    """Inside only."""
    before = _LABELS.get()
    noted(**known)
    try:
        yield
    finally:
        _LABELS.set(before)


def carried(act: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """``act`` for another thread, with the labels that are known now."""
    known = dict(labels())

    def within(*given: Given.args, **named: Given.kwargs) -> Answer:
        with labelled(**known):
            return act(*given, **named)

    return within
