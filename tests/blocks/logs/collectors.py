"""Small real servers that speak the three protocols as their own documents say."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from domain.logs.record import Document

Answer = tuple[int, Any]


@dataclass
class Collector:
    """What it has taken, whole documents, and what it answers instead while ``troubles`` last."""

    take: Callable[["Collector", str, bytes], Answer]
    path: str
    taken: list[Document] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    troubles: list[int] = field(default_factory=list)
    bad: Callable[[Document], int] = lambda _: 0
    url: str = ""

    def answer(self, path: str, kind: str, body: bytes) -> Answer:
        if path != self.path:
            return 404, {"error": f"no {path}"}
        self.bodies.append(body)
        if self.troubles:
            return self.troubles.pop(0), {"error": "busy"}
        return self.take(self, kind, body)

    @property
    def messages(self) -> list[str]:
        return [str(one.get("message")) for one in self.taken]


def bulk(collector: Collector, kind: str, body: bytes) -> Answer:
    """Elasticsearch: pairs of lines, the last one ended; each item has its own status."""
    if kind != "application/x-ndjson" or not body.endswith(b"\n"):
        return 406, {"error": "a bulk request must be newline-delimited JSON"}
    lines = [json.loads(line) for line in body.splitlines()]
    items = []
    for action, document in zip(lines[::2], lines[1::2], strict=True):
        assert action["create"]["_index"]
        status = collector.bad(document)
        if not status:
            collector.taken.append(document)
        error = {"error": {"type": "mapper_parsing_exception"}} if status else {}
        items.append({"create": {"status": status or 201, **error}})
    return 200, {"errors": any("error" in one["create"] for one in items), "items": items}


def push(collector: Collector, kind: str, body: bytes) -> Answer:
    """Loki: streams of labels, values of nanoseconds and text, both as text; 204 without a body."""
    if kind != "application/json":
        return 415, {"error": kind}
    for stream in json.loads(body)["streams"]:
        assert stream["stream"]
        assert all(isinstance(one, str) for one in stream["stream"].values())
        for nanoseconds, line in stream["values"]:
            assert isinstance(nanoseconds, str)
            document = json.loads(line)
            if collector.bad(document):
                return 400, "entry too far behind"
            assert int(nanoseconds) > 1_700_000_000_000_000_000
            collector.taken.append({**document, "stream": stream["stream"]})
    return 204, None


def export(collector: Collector, kind: str, body: bytes) -> Answer:
    """OpenTelemetry: the official messages read it, unknown fields being an error."""
    if kind != "application/json":
        return 415, {"error": kind}
    asked = json_format.Parse(body, ExportLogsServiceRequest())
    told = ExportLogsServiceResponse()
    for one in asked.resource_logs:
        resource = {each.key: each.value.string_value for each in one.resource.attributes}
        for record in one.scope_logs[0].log_records:
            document = {
                "message": record.body.string_value,
                "time": record.time_unix_nano,
                "severity": record.severity_number,
                "resource": resource,
                **{each.key: each.value.string_value for each in record.attributes},
            }
            if collector.bad(document):
                told.partial_success.rejected_log_records += 1
                told.partial_success.error_message = "not that one"
            else:
                collector.taken.append(document)
    return 200, json.loads(json_format.MessageToJson(told))


KINDS = {
    "elasticsearch": (bulk, "/_bulk"),
    "loki": (push, "/loki/api/v1/push"),
    "otlp": (export, "/v1/logs"),
}


@contextmanager
def collecting(kind: str) -> Iterator[Collector]:
    """A server of that kind on 127.0.0.1."""
    take, path = KINDS[kind]
    collector = Collector(take, path)

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.headers.append(dict(self.headers))
            status, told = collector.answer(self.path, self.headers["Content-Type"], body)
            text = b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
