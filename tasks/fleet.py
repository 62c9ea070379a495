"""The hosts of one deployment: asked side by side, and left out when they are away."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from prefect.artifacts import create_table_artifact
from prefect.context import FlowRunContext

from blocks.errors_reported import on_host
from blocks.hosts import Host
from blocks.logs import carried
from domain.errors import Failed, Unavailable
from domain.rollout import below_quorum
from tasks.deployment import WITHOUT, Deploying

Answer = TypeVar("Answer")
Act = Callable[[Host], Answer]

AT_ONCE = 16 * (os.cpu_count() or 1)
"""Hosts asked at the same time: enough to hide the network, few enough for this machine."""

KEPT_CONNECTIONS = 64
"""In larger fleets a host's connection ends after each step, so that memory stays flat."""

PAUSES_SECONDS = (1.0, 3.0)


@dataclass(frozen=True)
class Result(Generic[Answer]):
    """What came of one host: an answer, or why it is away; and the seconds it took."""

    host: str
    seconds: float
    answer: Answer | None = None
    away: str = ""


def everywhere(under_way: Deploying, act: Act[Answer]) -> dict[str, Answer]:
    """Forward: every host's answer, side by side; see ``enough``."""
    return enough(under_way, asked(under_way.hosts, act))


def everywhere_shown(under_way: Deploying, what: str, act: Act[Answer]) -> dict[str, Answer]:
    """The same, with one table in the UI for all hosts instead of a task run for each."""
    results = asked(under_way.hosts, act)
    show(under_way, what, results)
    return enough(under_way, results)


def wherever(under_way: Deploying, act: Act[Answer]) -> dict[str, Answer]:
    """On the way back: the answers of those that do answer; see ``left``."""
    return left(under_way, asked(under_way.hosts, act))


def enough(under_way: Deploying, results: Sequence[Result[Answer]]) -> dict[str, Answer]:
    """The answers. Hosts that are away are left out from here on, as far as shop.yaml allows.

    Raises Failed below the quorum.
    """
    leave_out(under_way, results)
    against = below_quorum(under_way.missing, under_way.declared.rollout, under_way.host_names)
    if against:
        raise Failed(*against)
    return answers(results)


def left(under_way: Deploying, results: Sequence[Result[Answer]]) -> dict[str, Answer]:
    """The answers, however few; the other hosts are put right when they return.

    Raises Unavailable when there is none.
    """
    if results and all(one.away for one in results):
        raise Unavailable("; ".join(f"{one.host}: {one.away}" for one in results[:5]))
    leave_out(under_way, results)
    return answers(results)


def asked(hosts: Sequence[Host], act: Act[Answer], at_once: int = AT_ONCE) -> list[Result[Answer]]:
    """Side by side, bounded by the machine; each host is tried again while it does not answer."""
    with ThreadPoolExecutor(max(1, min(at_once, len(hosts)))) as pool:
        keep = len(hosts) <= KEPT_CONNECTIONS
        tried = carried(_result)
        return list(pool.map(lambda host: tried(host, act, keep), hosts))


def answers(results: Sequence[Result[Answer]]) -> dict[str, Answer]:
    return {one.host: one.answer for one in results if one.answer is not None}


def leave_out(under_way: Deploying, results: Sequence[Result[Any]]) -> None:
    """Those that are away are written down: every later executor leaves the same hosts out."""
    for one in results:
        if one.away:
            under_way.step(f"{WITHOUT}{one.host}", partial(dict, reason=one.away))


def _result(host: Host, act: Act[Answer], keep: bool) -> Result[Answer]:
    begun = time.monotonic()
    try:
        with on_host(host.name):
            answer, away = _tried(host, act), ""
    except Unavailable as error:
        answer, away = None, str(error)
    finally:
        if not keep:
            host.close()
    return Result(host.name, round(time.monotonic() - begun, 2), answer, away)


def _tried(host: Host, act: Act[Answer]) -> Answer:
    for pause in PAUSES_SECONDS:
        try:
            return act(host)
        except Unavailable:
            time.sleep(pause)
    return act(host)


def show(under_way: Deploying, what: str, results: Sequence[Result[Any]]) -> None:
    if len(results) < 2 or FlowRunContext.get() is None:
        return
    rows = [
        {"host": one.host, "step": what, "result": one.away or "done", "seconds": one.seconds}
        for one in results
    ]
    create_table_artifact(rows, key=f"hosts-{under_way.environment}", description=what)
