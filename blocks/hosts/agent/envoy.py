"""Envoy by watched files: listeners, clusters and weights replaced by rename, never a reload."""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from pathlib import Path
from typing import Any

from .files import ANSWER_SECONDS, LOOPBACK, port_of, read, request, until, write
from .processes import program
from .units import units, web_services, weights_of


def begin(home: Path, tools: dict[str, str]) -> None:
    """The proxy runs; asked again, nothing changes."""
    publish(home)
    command = [
        tools["envoy"], "-c", f"{home}/proxy/bootstrap.json", "--disable-hot-restart",
        "--concurrency", "1", "--file-flush-interval-msec", "200", "--log-level", "warning",
    ]  # fmt: skip
    program(home, "proxy", command, {"signal": "TERM", "timeout_seconds": 10})
    until("the proxy answers", lambda: admin(home, "/ready")[0] == 200, ANSWER_SECONDS)


def active(home: Path, name: str) -> int:
    """Requests in flight on a unit; at least 1 while the proxy does not say."""
    stat = urllib.parse.quote(f"cluster.{name}.upstream_rq_active")
    status, body = admin(home, f"/stats?filter=^{stat}$&format=json")
    if status != 200:
        return 1
    return int(sum(one["value"] for one in json.loads(body)["stats"] if one))


def admin(home: Path, path: str) -> tuple[int, str]:
    return request(port_of(home, "admin"), "GET", path, {})


def publish(home: Path) -> None:
    """Writes the whole of the proxy's configuration: a function of units and weights."""
    folder = home / "proxy"
    services = web_services(home)
    write(folder / "bootstrap.json", bootstrap(home))
    write(
        folder / "cds.json",
        resources([cluster(name, u) for name, u in units(home).items() if u["kind"] == "web"]),
    )
    for service in services:
        write(folder / f"rds-{service}.json", resources([routes(home, service)]))
    write(folder / "lds.json", resources([listener(home, service) for service in services]))


def resources(listed: list[dict[str, Any]]) -> dict[str, Any]:
    version = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:16]
    return {"version_info": version, "resources": listed}


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


def cluster(name: str, unit: dict[str, Any]) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": address(unit["port"])}}
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def routes(home: Path, service: str) -> dict[str, Any]:
    """A header asks for one version, which is how a candidate is tried without customers."""
    versions = [u["version"] for u in units(home).values() if u["service"] == service]
    weights = {v: w for v, w in weights_of(home, service).items() if v in versions}
    forced = [
        {
            "match": {
                "prefix": "/",
                "headers": [{"name": "x-tradewind-version", "string_match": {"exact": version}}],
            },
            "route": {"cluster": f"{service}@{version}", "timeout": "60s"},
        }
        for version in versions
    ]
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": service,
        "virtual_hosts": [
            {"name": service, "domains": ["*"], "routes": [*forced, *weighted(service, weights)]}
        ],
    }


def weighted(service: str, weights: dict[str, int]) -> list[dict[str, Any]]:
    if not any(weights.values()):
        return []
    parts = [
        {
            "name": f"{service}@{version}",
            "weight": weight,
            "response_headers_to_add": [
                {"header": {"key": "x-tradewind-version", "value": version}}
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


def listener(home: Path, service: str) -> dict[str, Any]:
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": service,
        "rds": {"route_config_name": service, "config_source": watched(home, f"rds-{service}")},
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
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
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


def applied(home: Path, service: str) -> bool:
    """The proxy serves by the weights that the file asks for."""
    wanted = read(home / "proxy" / f"rds-{service}.json")["version_info"]
    status, body = admin(home, "/config_dump?resource=dynamic_route_configs")
    found = json.loads(body).get("configs", []) if status == 200 else []
    return any(
        one["route_config"]["name"] == service and one.get("version_info") == wanted
        for one in found
    )
