"""HAProxy's servers as fixed slots: which version is in which, as text, and how to get there.

A slot is a server line whose address and weight change while HAProxy runs, so nothing is ever
reloaded. All of this is pure: files and the running proxy are in ``haproxy.py``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .files import LOOPBACK, Refusal

SLOTS = tuple(f"s{number}" for number in range(1, 9))
PURGES = 20
MAINTENANCE = 0x01  # of srv_admin_state; 0x04 only says how the slot began
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Server:
    """What a slot serves: ``weight`` in percent, 0 only for those who ask for this version."""

    version: str
    port: int
    weight: int


Table = Mapping[str, Server]
Seen = Mapping[str, tuple[int, int]]


def named(name: str) -> str:
    """Refuses what would mean something else in a configuration, a command or a cookie."""
    if not _NAME.fullmatch(name):
        raise Refusal("refused", f"{name!r}: a name is 63 letters, digits and ._- at most")
    return name


def allotted(service: str, known: Mapping[str, Any], versions: list[str]) -> dict[str, Any]:
    """Slots by version: kept where they are, new ones handed out in turn; Refusal without a slot.

    >>> allotted("web", {"last": 1, "slots": {"s1": "a", "s2": "b"}}, ["b", "c"])
    {'last': 2, 'slots': {'s2': 'b', 's3': 'c'}}
    """
    slots = {slot: v for slot, v in known.get("slots", {}).items() if v in versions}
    last = int(known.get("last", -1))
    for version in versions:
        if version in slots.values():
            continue
        turn = [(last + step) % len(SLOTS) for step in range(1, len(SLOTS) + 1)]
        free = [number for number in turn if SLOTS[number] not in slots]
        if not free:
            many = f"{len(versions)} versions at once, of {len(SLOTS)} at most"
            raise Refusal("refused", f"{service}: {many}")
        last = free[0]
        slots[SLOTS[last]] = named(version)
    return {"last": last, "slots": slots}


def table(slots: Mapping[str, str], ports: Mapping[str, int], weights: Mapping[str, int]) -> Table:
    """The slots in use and what they serve; ``ports`` and ``weights`` are by version."""
    return {
        slot: Server(version, ports[version], weights.get(version, 0))
        for slot, version in slots.items()
        if version in ports
    }


def names(service: str, servers: Table, sticky: Iterable[str]) -> dict[str, str]:
    """HAProxy's map: the unit of a slot, the slot of a version, and where a session may stay."""
    found = {slot: f"{service}@{server.version}" for slot, server in servers.items()}
    found.update({f"version:{server.version}": slot for slot, server in servers.items()})
    kept = {server.version: slot for slot, server in servers.items() if server.weight}
    found.update({f"sticky:{version}": kept[version] for version in sticky if version in kept})
    return found


def map_text(found: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in sorted(found.items()))


def lines(servers: Table) -> str:
    empty = f"{LOOPBACK}:1 weight 0 disabled"
    used = {slot: f"{LOOPBACK}:{s.port} weight {s.weight}" for slot, s in servers.items()}
    return "\n".join(f"    server {slot} {used.get(slot, empty)}" for slot in SLOTS)


CONFIGURATION = """\
global
    nbthread 1
    maxconn 4000
    no strict-limits
    stats socket unix@proxy/{service}.sock mode 600 level admin
    log stdout len 4096 format raw local0

defaults
    mode http
    balance roundrobin
    retries 0
    retry-on none
    no option redispatch
    no option abortonclose
    {reuse}
    option http-ignore-probes
    option dontlognull
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-request 60s
    timeout http-keep-alive 60s

frontend customers
    bind {loopback}:{port}
    log global
    error-log-format '{{"cluster": "-", "code": %ST, "ms": %Ta, "session": ""}}'
    log-format '{{"cluster": "%[srv_name,map_str({map})]", "code": %[var(txn.code)], "ms": %Ta, \
"session": %[var(txn.session)]}}'
    http-request set-var(txn.code) int(0)
    http-request set-var-fmt(txn.session) '"%[req.fhdr(cookie),bytes(0,64),json(utf8s)]"'
    http-after-response set-var(txn.code) status
    default_backend {service}

backend {service}
    http-request set-var-fmt(txn.kept) "sticky:%[req.cook({cookie}),field(1,~)]"
    http-request set-var(txn.slot) var(txn.kept),map_str({map})
    http-request set-var-fmt(txn.asked) "version:%[req.hdr(x-tradewind-version)]"
    http-request set-var(txn.slot) var(txn.asked),map_str({map}) \
if {{ var(txn.asked),map_str({map}) -m found }}
    use-server %[var(txn.slot)] if {{ var(txn.slot) -m found }}
    http-response set-var(txn.version) srv_name,map_str({map}),field(2,@)
    http-response set-header x-tradewind-version %[var(txn.version)]
    http-response set-var-fmt(txn.stays) "sticky:%[var(txn.version)]"
    http-response add-header set-cookie \
"{cookie}=%[var(txn.version)]~%[uuid()]; Path=/; HttpOnly; SameSite=Lax" \
if {{ var(txn.stays),map_str({map}) -m found }} !{{ var(txn.slot) -m found }}
{servers}
"""


def configuration(service: str, port: int, servers: Table, idle_seconds: float) -> str:
    """The whole file; ``idle_seconds`` is how long the service leaves idle connections open."""
    return CONFIGURATION.format(
        service=named(service),
        reuse="\n    ".join(reuse(idle_seconds)),
        loopback=LOOPBACK,
        port=port,
        map=map_path(service),
        cookie=f"tradewind-{service}",
        servers=lines(servers),
    )


def reuse(idle_seconds: float) -> tuple[str, ...]:
    """A POST sent on a connection that the service is just closing would be lost.

    So a connection is used once, or let go of well before: HAProxy closes half of the idle ones
    each time the delay is over, which leaves one in a million when the service would.
    """
    if not idle_seconds:
        return ("option http-server-close",)
    delay = max(1, int(1000 * idle_seconds / PURGES))
    return ("http-reuse safe", f"default-server pool-purge-delay {delay}ms")


def map_path(service: str) -> str:
    """Below HOME, where HAProxy runs: Unix sockets and paths stay short, wherever HOME is."""
    return f"proxy/{service}.map"


def served(state: str) -> dict[str, tuple[int, int]]:
    """Port and weight of each slot in use, from ``show servers state``."""
    _form, _, listing = state.partition("\n")
    return {
        slot["srv_name"]: (int(slot["srv_port"]), int(slot["srv_uweight"]))
        for slot in csv.DictReader(listing.lstrip("# ").splitlines(), delimiter=" ")
        if not int(slot["srv_admin_state"]) & MAINTENANCE
    }


def mapped(listing: str) -> dict[str, str]:
    """Keys and values, from ``show map``."""
    return dict(line.split()[1:3] for line in listing.splitlines() if line.strip())


def changes(
    service: str,
    served: tuple[Seen, Table],
    named: tuple[Mapping[str, str], Mapping[str, str]],
) -> Iterator[str]:
    """The commands from what runs to what is wanted, in an order in which nobody is turned away."""
    yield from openings(service, *served)
    yield from additions(map_path(service), *named)
    yield from shifts(service, *served)
    yield from removals(map_path(service), *named)
    yield from closings(service, *served)


def openings(service: str, seen: Seen, servers: Table) -> Iterator[str]:
    """Slots that begin to serve a version: to those who ask for it, until they get weight."""
    for slot, server in servers.items():
        if not _open(slot, seen, server):
            place = f"set server {service}/{slot}"
            yield f"{place} weight 0"
            yield f"{place} addr {LOOPBACK} port {server.port}"
            yield f"{place} state ready"


def additions(place: str, seen: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    for key, value in wanted.items():
        if seen.get(key) != value:
            yield f"{'set' if key in seen else 'add'} map {place} {key} {value}"


def shifts(service: str, seen: Seen, servers: Table) -> Iterator[str]:
    """Weights, those that rise first: never is there a moment without a server."""
    rises = {
        slot: server.weight - (seen[slot][1] if _open(slot, seen, server) else 0)
        for slot, server in servers.items()
    }
    for slot in sorted(rises, key=lambda slot: -rises[slot]):
        if rises[slot]:
            yield f"set server {service}/{slot} weight {servers[slot].weight}"


def removals(place: str, seen: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    for key in seen:
        if key not in wanted:
            yield f"del map {place} {key}"


def closings(service: str, seen: Seen, servers: Table) -> Iterator[str]:
    """Slots whose version is gone."""
    for slot in seen:
        if slot not in servers:
            yield f"set server {service}/{slot} state maint"


def _open(slot: str, seen: Seen, server: Server) -> bool:
    return slot in seen and seen[slot][0] == server.port
