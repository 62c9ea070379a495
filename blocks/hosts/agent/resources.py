"""Envoy's clusters, routes and listeners as JSON: a function of units, weights and ports."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .files import LOOPBACK, port_of
from .units import units, weights_of

CLUSTER = "cluster.v3.Cluster"
ROUTES = "route.v3.RouteConfiguration"
LISTENER = "listener.v3.Listener"
VERSION_HEADER = "x-tradewind-version"


def resources(kind: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """A watched file; its version is told by what is in it."""
    version = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:16]
    typed = [{"@type": f"type.googleapis.com/envoy.config.{kind}", **one} for one in listed]
    return {"version_info": version, "resources": typed}


def watched(home: Path, name: str) -> dict[str, Any]:
    folder = f"{home}/proxy"
    source = {"path": f"{folder}/{name}.json", "watched_directory": {"path": folder}}
    return {"resource_api_version": "V3", "path_config_source": source}


def bootstrap(home: Path) -> dict[str, Any]:
    return {
        "node": {"id": home.name, "cluster": "tradewind"},
        "admin": {"address": address(port_of(home, "admin"))},
        "dynamic_resources": {
            "lds_config": watched(home, "lds"),
            "cds_config": watched(home, "cds"),
        },
    }


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def clusters(home: Path) -> list[dict[str, Any]]:
    return [cluster(name, u) for name, u in units(home).items() if u["kind"] == "web"]


def cluster(name: str, unit: dict[str, Any]) -> dict[str, Any]:
    """A POST sent on a connection that the service is just closing would be lost: each is used
    once, or, idle, let go of in half the time for which the service keeps it."""
    endpoint = {"endpoint": {"address": address(unit["port"])}}
    half = f"{unit['idle_seconds'] / 2:.3f}s"
    once: dict[str, Any] = {"max_requests_per_connection": 1}
    options: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": {"idle_timeout": half} if unit["idle_seconds"] else once,
        "explicit_http_config": {"http_protocol_options": {}},
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def routes(home: Path, service: str) -> dict[str, Any]:
    """By the version that a header asks for (how a candidate is tried without customers), by the
    version that a session has while that has weight, and else by weight."""
    units_of = [u for u in units(home).values() if u["service"] == service]
    versions = [unit["version"] for unit in units_of]
    weights = {v: w for v, w in weights_of(home, service).items() if v in versions}
    sticky = any(unit["sticky"] for unit in units_of)
    listed = [
        *(route(service, version, asked_for(version)) for version in versions),
        *(route(service, v, kept_by(service, v)) for v, w in weights.items() if w and sticky),
        *weighted(service, weights, sticky),
    ]
    return {
        "name": service,
        "virtual_hosts": [{"name": service, "domains": ["*"], "routes": listed}],
    }


def asked_for(version: str) -> dict[str, Any]:
    return {"headers": [{"name": VERSION_HEADER, "string_match": {"exact": version}}]}


def kept_by(service: str, version: str) -> dict[str, Any]:
    """The cookie's value is the version, and after ``~`` what makes a session different."""
    return {"cookies": [{"name": cookie_of(service), "string_match": {"prefix": f"{version}~"}}]}


def cookie_of(service: str) -> str:
    return f"tradewind-{service}"


def route(service: str, version: str, match: dict[str, Any]) -> dict[str, Any]:
    return {
        "match": {"prefix": "/", **match},
        "route": {"cluster": f"{service}@{version}", "timeout": "60s"},
        "response_headers_to_add": [version_header(version)],
    }


def weighted(service: str, weights: dict[str, int], sticky: bool) -> list[dict[str, Any]]:
    if not any(weights.values()):
        return []
    parts = [
        {
            "name": f"{service}@{version}",
            "weight": weight,
            "response_headers_to_add": [
                version_header(version),
                *([session_header(service, version)] if sticky else []),
            ],
        }
        for version, weight in weights.items()
    ]
    return [
        {
            "match": {"prefix": "/"},
            "route": {"weighted_clusters": {"clusters": parts}, "timeout": "60s"},
        }
    ]


def version_header(version: str) -> dict[str, Any]:
    header = {"key": VERSION_HEADER, "value": version}
    return {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def session_header(service: str, version: str) -> dict[str, Any]:
    kept = f"{cookie_of(service)}={version}~%STREAM_ID%; Path=/; HttpOnly; SameSite=Lax"
    return {"header": {"key": "set-cookie", "value": kept}}


def watched_routes(home: Path, service: str) -> dict[str, Any]:
    source = watched(home, f"rds-{service}")
    return {"rds": {"route_config_name": service, "config_source": source}}


def listener(home: Path, service: str, routing: dict[str, Any]) -> dict[str, Any]:
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": service,
        **routing,
        "access_log": [access_log(home, service)],
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "name": service,
        "address": address(port_of(home, f"listener-{service}")),
        "filter_chains": [{"filters": filters}],
    }


def access_log(home: Path, service: str) -> dict[str, Any]:
    fields = {
        "cluster": "%UPSTREAM_CLUSTER%",
        "code": "%RESPONSE_CODE%",
        "ms": "%DURATION%",
        "session": "%REQ(COOKIE):64%",
    }
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": f"{home}/proxy/access-{service}.log",
            "log_format": {"json_format": fields},
        },
    }
