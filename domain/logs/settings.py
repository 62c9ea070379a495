"""What ``shop.yaml`` says of logs: where lines are sent, how many at once, how many may wait."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from domain.fields import STRICT, OneOf, Range, Seconds

_REFERENCE = re.compile(r"\$\{(env|file|sops|vault):[^}]+\}")
_SECRET = re.compile(r"authorization|key|token|secret|password|cookie", re.IGNORECASE)


@dataclass(frozen=True)
class FileSink:
    """Lines of JSON in a file of this machine, with ``files`` older ones of ``max_mb`` beside it.

    ``path`` is relative to the state folder.
    """

    __pydantic_config__ = STRICT
    kind: Literal["file"] = "file"
    path: str = "logs/tradewind.ndjson"
    max_mb: Annotated[int, Range(1, 10_000)] = 20
    files: Annotated[int, Range(1, 100)] = 4


@dataclass(frozen=True)
class ElasticsearchSink:
    """The bulk API of Elasticsearch, OpenSearch and others; ``index`` may be a data stream."""

    __pydantic_config__ = STRICT
    url: str
    kind: Literal["elasticsearch"] = "elasticsearch"
    index: str = "logs-tradewind-default"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LokiSink:
    """Loki's push API, of which ``url`` is the root; ``headers`` may name a tenant."""

    __pydantic_config__ = STRICT
    url: str
    kind: Literal["loki"] = "loki"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OtlpSink:
    """OpenTelemetry's protocol over HTTP, in JSON; ``url`` is the collector's root."""

    __pydantic_config__ = STRICT
    url: str
    kind: Literal["otlp"] = "otlp"
    headers: Mapping[str, str] = field(default_factory=dict)


Sink = Annotated[FileSink | ElasticsearchSink | LokiSink | OtlpSink, OneOf()]


@dataclass(frozen=True)
class Logs:
    """Each sink has a queue of its own; when ``max_queue`` lines wait, the oldest are dropped."""

    __pydantic_config__ = STRICT
    sinks: Mapping[str, Sink] = field(default_factory=dict)
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    batch_lines: Annotated[int, Range(1, 10_000)] = 500
    max_queue: Annotated[int, Range(1, 1_000_000)] = 10_000
    flush_seconds: Seconds = 2
    timeout_seconds: Annotated[float, Range(0.1, 60)] = 5
    attempts: Annotated[int, Range(1, 10)] = 3


def objections(logs: Logs) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the place it speaks of; a secret that stands there in clear is never repeated."""
    for name, sink in logs.sinks.items():
        where = ("logs", "sinks", name)
        if isinstance(sink, FileSink):
            if sink.path.startswith("/") or ".." in sink.path.split("/"):
                said = f"path is {sink.path!r}: it must lie inside the state folder"
                yield (*where, "path"), f"{'.'.join(where)}.{said}"
            continue
        if said := _address(sink.url):
            yield (*where, "url"), f"{'.'.join(where)}.url {said}"
        for header, value in sink.headers.items():
            if _SECRET.search(header) and not _REFERENCE.search(value):
                said = "is no reference: it is a secret, as in ${file:secrets/logs}"
                yield (*where, "headers", header), f"{'.'.join(where)}.headers.{header} {said}"


def _address(url: str) -> str:
    """What is wrong with it; "" for a reference and for a plain address."""
    if _REFERENCE.fullmatch(url):
        return ""
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname:
        return "is no address: http:// or https:// and a host are needed"
    return "holds a name or a password: those belong into headers" if "@" in found.netloc else ""
