"""Lines in OpenTelemetry's protocol, as JSON: 64-bit numbers are texts there.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from domain.logs.record import Document, nanoseconds

RESOURCE = {
    "service.name": "service.name",
    "service.version": "service.version",
    "service.environment": "deployment.environment.name",
    "host.name": "host.name",
}
"""ECS's names of who wrote a line, and OpenTelemetry's."""

SEVERITIES = {
    "trace": 1, "debug": 5, "info": 9, "notice": 10, "warn": 13, "warning": 13,
    "error": 17, "critical": 21, "fatal": 21,
}  # fmt: skip
OWN = ("@timestamp", "message", "log.level", "ecs.version", *RESOURCE)


def request(documents: Iterable[Document]) -> dict[str, Any]:
    """An ExportLogsServiceRequest: records under the resource that wrote them."""
    records: dict[str, list[dict[str, Any]]] = {}
    for one in documents:
        resource = {to: one[name] for name, to in RESOURCE.items() if one.get(name)}
        records.setdefault(json.dumps(resource), []).append(_record(one))
    scope = {"name": "tradewind"}
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes(json.loads(resource))},
                "scopeLogs": [{"scope": scope, "logRecords": found}],
            }
            for resource, found in records.items()
        ]
    }


def _record(document: Document) -> dict[str, Any]:
    level, at = str(document.get("log.level") or "info"), str(nanoseconds(document))
    others = {name: value for name, value in document.items() if name not in OWN}
    return {
        "timeUnixNano": at,
        "observedTimeUnixNano": at,
        "severityNumber": SEVERITIES.get(level, 9),
        "severityText": level.upper(),
        "body": {"stringValue": str(document.get("message") or "")},
        "attributes": _attributes(others),
    }


def _attributes(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": _value(value)} for name, value in fields.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and abs(value) < 1 << 63:
        return {"intValue": str(value)}
    return {"stringValue": str(value)}
