"""The lines of a release, wherever they were written; and those of hosts, on their way to sinks."""

import json
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from blocks import logs
from blocks.hosts import Host
from blocks.logs import Shipping
from blocks.logs.units import AGENT, UnitOutput, away
from blocks.prefect_logs import RunLogs, with_subflows
from blocks.shop import Live
from domain.errors import TradewindError
from domain.logs.merging import Wanted
from domain.logs.record import Document

COLLECT_SECONDS = 15.0
"""For one pass; what is left comes with the next one."""

Stream = Iterable[Document]


def streams(live: Live, version: str, wanted: Wanted) -> list[Stream]:
    """Of a release: its flow runs, the agents, its units on every host.

    Each can be gone over again, for what came since. Refused when there is no such release.
    """
    release = live.ledger.releases.get(version)
    rows = live.ledger.deployments.of_release(version)
    runs = dict.fromkeys((release.flow_run, *(one.flow_run for one in rows)))
    places = dict.fromkeys(one.environment for one in rows)
    found: list[Stream] = [
        RunLogs(run, version) for run in with_subflows(list(map(UUID, filter(None, runs))))
    ]
    for place in places:
        if wanted.environment in ("", place) and place in live.shop.environments:
            for host in live.hosts(place):
                found += _of_host(live, place, host, version)
    return found


def _of_host(live: Live, environment: str, host: Host, version: str) -> list[Stream]:
    try:
        names = host.outputs(version)
    except TradewindError as error:
        return [[away(host.name, environment, str(error))]]
    deployments = Deployments(live, environment)
    outputs = [UnitOutput(host, environment, name, deployments.at) for name in names]
    return [_Of(version, one) if one.name == AGENT else _Told(host, environment, one)
            for one in outputs]  # fmt: skip


class _Told:
    """A host that goes away meanwhile is a line, too."""

    def __init__(self, host: Host, environment: str, output: Stream) -> None:
        self._host, self._environment, self._output = host, environment, output

    def __iter__(self) -> Iterator[Document]:
        try:
            yield from self._output
        except TradewindError as error:
            yield away(self._host.name, self._environment, str(error))


class _Of:
    """Of an agent's lines, those about one release."""

    def __init__(self, version: str, output: Stream) -> None:
        self._version, self._output = version, output

    def __iter__(self) -> Iterator[Document]:
        return (one for one in self._output if one.get("labels.release") == self._version)


class Deployments:
    """By which deployment a version served in an environment at a time."""

    def __init__(self, live: Live, environment: str) -> None:
        self._live, self._environment = live, environment
        self._known: dict[str, list[tuple[datetime, str]]] = {}

    def at(self, version: str, moment: datetime) -> str:
        """The last one that began before; the first one for a clock that is behind."""
        if version not in self._known:
            rows = self._live.ledger.deployments.of_release(version)
            own = [one for one in rows if one.environment == self._environment]
            self._known[version] = sorted((one.created_at, str(one.id)) for one in own)
        known = self._known[version]
        if not known:
            return ""
        return known[max(0, bisect_right([begun for begun, _ in known], moment) - 1)][1]


def learn_secrets(live: Live) -> tuple[str, ...]:
    """Everything that shop.yaml refers to is redacted from here on; answers what is not known."""
    unknown = []
    embedded = (f"databases/shop_{name}" for name in live.shop.environments)
    own = ("${file:" + name + "}" for name in ("databases/ledger", *embedded))
    for text in {*own, *_references(live.shop)}:
        try:
            live.reference(text)
        except TradewindError:
            unknown.append(text)
    return tuple(sorted(unknown))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if "${" in value else []
    elif isinstance(value, dict):
        yield from (text for one in value.values() for text in _references(one))
    elif isinstance(value, tuple | list):
        yield from (text for one in value for text in _references(one))
    elif is_dataclass(value):
        own = (getattr(value, one.name) for one in fields(value))
        yield from (text for one in own for text in _references(one))


@task(task_run_name="send on what hosts wrote", cache_policy=NO_CACHE)
def collect_output(live: Live) -> None:
    """From where the last pass ended, to the sinks of shop.yaml; a host or sink may be away."""
    shipping = logs.begin(live.shop.logs, live.reference, live.state)
    if shipping is None:
        return
    learn_secrets(live)
    until = time.monotonic() + COLLECT_SECONDS
    cursors = Cursors(live)
    for place in live.shop.environments:
        for host in live.hosts(place):
            try:
                _collected(live, shipping, cursors, place, host, until)
            except TradewindError as error:
                get_run_logger().warning("output of %s stays there for now: %s", host.name, error)


def _collected(
    live: Live, shipping: Shipping, cursors: "Cursors", place: str, host: Host, until: float
) -> None:
    deployments = Deployments(live, place)
    names = host.outputs("")
    cursors.only(host.name, names)
    for name in names:
        output = UnitOutput(host, place, name, deployments.at)
        output.cursor, more = cursors.of(host.name, name), True
        while more and shipping.has_room(until):
            lines, more = output.piece()
            for line in lines:
                shipping.put(line)
            cursors.keep(host.name, name, output.cursor)


class Cursors:
    """How far each host's output was read, in the state folder; a piece may come twice, never not.

    It is written after the lines are on their way.
    """

    def __init__(self, live: Live) -> None:
        self._place = live.state / "logs" / "cursors.json"
        text = self._place.read_text() if self._place.exists() else "{}"
        self._known: dict[str, dict[str, Any]] = json.loads(text)

    def of(self, host: str, name: str) -> Any:
        """None: from the beginning."""
        return self._known.get(host, {}).get(name)

    def only(self, host: str, names: Iterable[str]) -> None:
        """Those that the host still has."""
        known = self._known.get(host, {})
        self._known[host] = {name: known[name] for name in names if name in known}

    def keep(self, host: str, name: str, cursor: Any) -> None:
        self._known.setdefault(host, {})[name] = cursor
        self._place.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._place.with_name(f"{self._place.name}.fresh")
        fresh.write_text(json.dumps(self._known))
        fresh.replace(self._place)
