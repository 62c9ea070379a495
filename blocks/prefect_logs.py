"""What flow runs wrote, as Prefect's server kept it."""

import logging
from collections.abc import Collection, Iterator
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort
from prefect.exceptions import PrefectHTTPStatusError

from domain.errors import Unavailable
from domain.logs.record import ECS_VERSION, Document, cut, stamp

PAGE_LINES = 200


class RunLogs:
    """Of one flow run; going over it again goes on where it ended."""

    def __init__(self, run: UUID, release: str) -> None:
        self.run, self._release, self._offset = run, release, 0

    def __iter__(self) -> Iterator[Document]:
        """Up to what there is now; raises Unavailable without a server."""
        while page := self._page():
            self._offset += len(page)
            yield from map(self._document, page)

    def _page(self) -> list[Log]:
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[self.run]))
        try:
            with get_client(sync_client=True) as client:
                return client.read_logs(
                    wanted, limit=PAGE_LINES, offset=self._offset, sort=LogSort.TIMESTAMP_ASC
                )
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            raise Unavailable(f"Prefect's server does not tell the logs: {error}") from error

    def _document(self, line: Log) -> Document:
        task = {"labels.task_run": str(line.task_run_id)} if line.task_run_id else {}
        return {
            "@timestamp": stamp(line.timestamp),
            "log.level": logging.getLevelName(line.level).lower(),
            "message": cut(line.message),
            "ecs.version": ECS_VERSION,
            "service.name": "tradewind",
            "event.dataset": "tradewind.flow",
            "log.logger": line.name,
            "labels.release": self._release,
            "labels.flow_run": str(self.run),
            **task,
        }


def with_subflows(runs: Collection[UUID]) -> list[UUID]:
    """These runs and those that they started, however deep; Unavailable without a server."""
    known, fresh = dict.fromkeys(runs), list(runs)
    try:
        with get_client(sync_client=True) as client:
            while fresh:
                children = FlowRunFilterParentFlowRunId(any_=fresh)
                wanted = FlowRunFilter(parent_flow_run_id=children)
                found = [one.id for one in client.read_flow_runs(flow_run_filter=wanted)]
                fresh = [one for one in found if one not in known]
                known.update(dict.fromkeys(fresh))
    except (httpx.TransportError, PrefectHTTPStatusError) as error:
        raise Unavailable(f"Prefect's server does not tell the runs: {error}") from error
    return list(known)
