"""Where lines are sent: each sink takes a batch and says what came of it."""

import fcntl
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from blocks.logs.ecs import Sealed
from blocks.logs.otlp import request as otlp_request
from domain.errors import Unavailable
from domain.logs.record import nanoseconds
from domain.logs.settings import ElasticsearchSink, FileSink, LokiSink, OtlpSink

MB = 1 << 20
AGAIN = (429, 500, 502, 503, 504)
"""Statuses after which the same lines may be taken later."""

LOKI_LABELS = {
    "service_name": "service.name",
    "environment": "service.environment",
    "dataset": "event.dataset",
    "level": "log.level",
}
"""Few values each, as Loki wants it; release and deployment are in the line."""


@dataclass(frozen=True)
class Outcome:
    """Lines to be sent again, how many were refused for good, and why."""

    again: Sequence[Sealed] = ()
    refused: int = 0
    reason: str = ""


class Sink(Protocol):
    """Raises Unavailable when nothing was taken and all of it may be sent again."""

    def send(self, lines: Sequence[Sealed]) -> Outcome: ...
    def close(self) -> None: ...


Declared = FileSink | ElasticsearchSink | LokiSink | OtlpSink


def opened(
    declared: Declared, resolve: Callable[[str], str], state: Path, timeout_seconds: float
) -> Sink:
    """With its references resolved; BadInput or Unavailable when that cannot be."""
    if isinstance(declared, FileSink):
        place = state / declared.path
        return LinesInFile(place, declared.max_mb * MB, declared.files)
    headers = {name: resolve(value).strip() for name, value in declared.headers.items()}
    client = httpx.Client(headers=headers, timeout=timeout_seconds)
    root = resolve(declared.url).strip().rstrip("/")
    if isinstance(declared, ElasticsearchSink):
        return Elasticsearch(client, root, declared.index)
    if isinstance(declared, LokiSink):
        return Loki(client, root)
    return Otlp(client, root)


class LinesInFile:
    """Several processes may write: a batch is one write, turned over by one of them at a time."""

    def __init__(self, place: Path, max_bytes: int, files: int) -> None:
        self._place, self._max_bytes, self._files = place, max_bytes, files

    def send(self, lines: Sequence[Sealed]) -> Outcome:
        content = "".join(f"{one.text}\n" for one in lines).encode("utf-8", "surrogatepass")
        try:
            self._write(content)
        except OSError as error:
            raise Unavailable(f"{self._place}: {error}") from error
        return Outcome()

    def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, content: bytes) -> None:
        self._place.parent.mkdir(parents=True, exist_ok=True)
        with self._older("lock").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            full = self._place.exists() and (
                self._place.stat().st_size + len(content) > self._max_bytes
            )
            if full:
                self._turn_over()
            with self._place.open("ab", buffering=0) as file:
                file.write(content)

    def _turn_over(self) -> None:
        names = [self._place, *(self._older(str(n)) for n in range(1, self._files + 1))]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)

    def _older(self, number: str) -> Path:
        return self._place.with_name(f"{self._place.name}.{number}")


class Http:
    """What the three protocols over HTTP share."""

    path = ""
    kind = "application/json"

    def __init__(self, client: httpx.Client, root: str) -> None:
        self._client, self._url = client, f"{root}{self.path}"

    def close(self) -> None:
        self._client.close()

    def _posted(self, content: str) -> httpx.Response:
        """Raises Unavailable for silence, and for a status that asks to come again."""
        try:
            body = content.encode("utf-8", "replace")
            answer = self._client.post(self._url, content=body, headers={"Content-Type": self.kind})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"it does not answer: {type(error).__name__}") from error
        if answer.status_code in AGAIN:
            raise Unavailable(f"it answers {answer.status_code}")
        return answer


class Elasticsearch(Http):
    """https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk"""

    path, kind = "/_bulk", "application/x-ndjson"

    def __init__(self, client: httpx.Client, root: str, index: str) -> None:
        super().__init__(client, root)
        self._action = json.dumps({"create": {"_index": index}})

    def send(self, lines: Sequence[Sealed]) -> Outcome:
        answer = self._posted("".join(f"{self._action}\n{one.text}\n" for one in lines))
        if answer.is_error:
            return _refused(lines, answer)
        told = _object(answer)
        items = [dict(one.get("create", {})) for one in told.get("items", ())]
        pairs = list(zip(lines, items, strict=False))
        again = [line for line, one in pairs if one.get("status", 201) in AGAIN]
        bad = [one for one in items if one.get("status", 201) >= 400 and one["status"] not in AGAIN]
        return Outcome(again, len(bad), str(bad[0].get("error"))[:300] if bad else "")


class Loki(Http):
    """https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs"""

    path = "/loki/api/v1/push"

    def send(self, lines: Sequence[Sealed]) -> Outcome:
        streams: dict[str, dict[str, Any]] = {}
        for one in lines:
            found = {label: one.document.get(name) for label, name in LOKI_LABELS.items()}
            known = {label: str(value) for label, value in found.items() if value}
            stream = streams.setdefault(json.dumps(known), {"stream": known, "values": []})
            stream["values"].append([str(nanoseconds(one.document)), one.text])
        answer = self._posted(json.dumps({"streams": list(streams.values())}))
        return _refused(lines, answer) if answer.is_error else Outcome()


class Otlp(Http):
    """https://opentelemetry.io/docs/specs/otlp/#otlphttp"""

    path = "/v1/logs"

    def send(self, lines: Sequence[Sealed]) -> Outcome:
        answer = self._posted(json.dumps(otlp_request([one.document for one in lines])))
        if answer.is_error:
            return _refused(lines, answer)
        partial: Mapping[str, Any] = _object(answer).get("partialSuccess") or {}
        refused = int(partial.get("rejectedLogRecords") or 0)
        return Outcome((), refused, str(partial.get("errorMessage") or "")[:300])


def _refused(lines: Sequence[Sealed], answer: httpx.Response) -> Outcome:
    return Outcome((), len(lines), f"it answers {answer.status_code}: {answer.text[:300]}")


def _object(answer: httpx.Response) -> dict[str, Any]:
    """Empty for what is no object: the lines were taken."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
