"""Lines of units and agents, read from their hosts piece by piece, each with where it is from."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from blocks.hosts import Host
from domain.host import Output
from domain.logs.record import (
    APPROXIMATE,
    LONG_AGO,
    Document,
    Origin,
    moment,
    stamp,
    wrapped,
)

AGENT = "agent"
PIECE_BYTES = 1 << 18
DeploymentAt = Callable[[str, datetime], str]
"""The id of the deployment by which a version served at a time; "" when there is none."""


class UnitOutput:
    """One writer on one host; going over it again goes on where it ended.

    ``host`` may be asked by several of these in turn. Raises Unavailable when it does not answer.
    """

    def __init__(
        self, host: Host, environment: str, name: str, deployment_at: DeploymentAt
    ) -> None:
        service, _, version = name.partition("@")
        dataset = "tradewind.agent" if name == AGENT else "tradewind.service"
        self.name = name
        self.cursor: Any = None
        self._host, self._deployment_at = host, deployment_at
        self._origin = Origin(service, version, environment, host.name, dataset)
        self._before = LONG_AGO

    def __iter__(self) -> Iterator[Document]:
        """Up to what there is now."""
        more = True
        while more:
            lines, more = self.piece()
            yield from lines

    def piece(self) -> tuple[list[Document], bool]:
        """What one answer of the host holds, and whether there is more."""
        told = self._host.output(self.name, self.cursor, PIECE_BYTES)
        self.cursor = told.cursor
        return [*self._gap(told), *self._documents(told)], told.more

    def _gap(self, told: Output) -> Iterator[Document]:
        if told.lost:
            said = f"lines of {self.name} were gone before they were read"
            yield {**wrapped(said, self._fallback(told)), "log.level": "warning", **self._fields()}

    def _documents(self, told: Output) -> Iterator[Document]:
        for at, text in told.lines:
            known = moment(at)
            line = wrapped(text, known or self._fallback(told))
            if known:
                line.pop(APPROXIMATE, None)
            self._before = moment(line["@timestamp"]) or self._before
            yield {**line, **self._fields()}

    def _fallback(self, told: Output) -> datetime:
        """For a line without a time: the one before it has it, else the first one that has any.

        Where no line has one, it is when the file was written.
        """
        if self._before > LONG_AGO:
            return self._before
        written = datetime.fromtimestamp(told.at, UTC)
        timed = (wrapped(text, written) for _, text in told.lines)
        first = next((line for line in timed if APPROXIMATE not in line), {})
        return moment(first.get("@timestamp")) or written

    def _fields(self) -> Document:
        """An agent's line names its release itself: it was told."""
        if self.name == AGENT:
            fields = replace(self._origin, service="tradewind-agent").fields()
            return {name: value for name, value in fields.items() if value}
        deployment = self._deployment_at(self._origin.version, self._before)
        return replace(self._origin, deployment=deployment).fields()


def away(host: str, environment: str, reason: str) -> Document:
    """A line in the place of those that could not be had."""
    now = stamp(datetime.now(UTC))
    origin = Origin("tradewind", "", environment, host, "tradewind.agent")
    message = f"its output could not be read: {reason}"
    return {"@timestamp": now, "log.level": "error", "message": message, **origin.fields()}
