"""Outages on purpose: a service's process killed, a host ended; and the time until it serves."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.hosts import Host
from blocks.ledger import Lease
from blocks.shop import Live
from domain.drills.judgement import Measured
from domain.errors import Refused, TradewindError
from domain.host import unit_name
from domain.plan import Serving
from domain.repair import behind
from tasks.deployment import executor
from tasks.drift import find_drift
from tasks.drill import Drilling, undisturbed
from tasks.repair import Repair
from tasks.runs import this_run

POLL_SECONDS = 0.05
BY_ITSELF_SECONDS = 30.0
"""So long a supervisor is waited for before reconcile's own repair is made."""


class Victim:
    """One web service on one host, as its customers see it."""

    def __init__(self, live: Live, host: Host, service: str, serving: Serving) -> None:
        self.host = host
        self.unit = unit_name(service, serving.version)
        self._service = service
        self._version = serving.version
        self._page = live.service(service).health.path

    def answers(self) -> bool:
        """Through the host's proxy."""
        try:
            found = self.host.smoke(self._service, self._version, (self._page,))
        except TradewindError:
            return False
        return found[self._page] == 200


def victims(live: Live, environment: str, host: Host) -> tuple[Victim, ...]:
    """Refused when a service does not answer as it is, or there is none."""
    serving = live.ledger.deployments.serving(environment)
    found = tuple(
        Victim(live, host, name, one)
        for name, one in sorted(serving.items())
        if name in live.shop.services and live.service(name).kind == "web"
    )
    silent = [one.unit for one in found if not one.answers()]
    if silent or not found:
        said = f"{', '.join(silent)} does not answer" if silent else "no web service serves"
        raise Refused(f"{said} on {host.name} of {environment}: there is nothing to lose")
    return found


def end_services(under_way: Drilling) -> Measured:
    """Each web service's process on the first host, one after another; the slowest counts."""
    host = under_way.live.hosts(under_way.environment)[0]
    with made_whole(under_way) as lease:
        found = victims(under_way.live, under_way.environment, host)
        seen = {one.unit: outage(under_way, lease, one) for one in found}
    took = [one["seconds"] for one in seen.values()]
    told = {unit: f"{one['how']} on {host.name}" for unit, one in seen.items()}
    return Measured(None if None in took else max(took), evidence=told)


@task(task_run_name="kill {victim.unit}", cache_policy=NO_CACHE)
def outage(under_way: Drilling, lease: Lease, victim: Victim) -> dict[str, Any]:
    """Killed through the agent; the seconds until customers get an answer, None after the limit."""
    return under_way.step(f"kill {victim.unit}", lambda: _outage(under_way, lease, victim))


def _outage(under_way: Drilling, lease: Lease, victim: Victim) -> Mapping[str, Any]:
    begun = time.monotonic()
    victim.host.kill(victim.unit, lease.epoch)
    if within(victim.answers, min(BY_ITSELF_SECONDS, under_way.settings.limit_seconds)):
        return {"seconds": time.monotonic() - begun, "how": "came back by itself"}
    put_right(under_way, lease)
    back = within(victim.answers, under_way.settings.limit_seconds)
    seconds = time.monotonic() - begun if back else None
    return {"seconds": seconds, "how": "was brought back by the repair that reconcile makes"}


def end_a_host(under_way: Drilling) -> Measured:
    """All that runs on the first host ends; it serves again by the repair that reconcile makes."""
    hosts = under_way.live.hosts(under_way.environment)
    with made_whole(under_way) as lease:
        found = victims(under_way.live, under_way.environment, hosts[0])
        seen = loss(under_way, lease, found)
    others = "there is no other" if len(hosts) == 1 else f"{seen['others']} of {len(hosts) - 1}"
    told = {
        "host": f"{hosts[0].name}: proxy, supervisor and every unit were ended; the machine stayed",
        "other hosts that served meanwhile": others,
        "customers of the host were without it for": f"{seen['seconds'] or 0:.2f} s",
    }
    return Measured(seen["seconds"], evidence=told)


@task(task_run_name="lose a host of {under_way.environment}", cache_policy=NO_CACHE)
def loss(under_way: Drilling, lease: Lease, found: tuple[Victim, ...]) -> dict[str, Any]:
    """The seconds until every web service answers there again, None after the limit."""
    return under_way.step(f"end {found[0].host.name}", lambda: _loss(under_way, lease, found))


def _loss(under_way: Drilling, lease: Lease, found: tuple[Victim, ...]) -> Mapping[str, Any]:
    begun = time.monotonic()
    found[0].host.shutdown()
    others = _serving_elsewhere(under_way)
    put_right(under_way, lease)
    back = within(lambda: all(one.answers() for one in found), under_way.settings.limit_seconds)
    return {"seconds": time.monotonic() - begun if back else None, "others": others}


def _serving_elsewhere(under_way: Drilling) -> int:
    """How many of the other hosts serve while the first does not."""
    live, place = under_way.live, under_way.environment
    serving = 0
    for host in live.hosts(place)[1:]:
        try:
            serving += bool(victims(live, place, host))
        except Refused:
            continue
    return serving


@contextmanager
def made_whole(under_way: Drilling) -> Iterator[Lease]:
    """Inside, nothing else begins; afterwards the hosts are as the ledger says, whatever failed."""
    with undisturbed(under_way, executor(this_run())) as lease:
        try:
            yield lease
        finally:
            put_right(under_way, lease)


@task(task_run_name="put {under_way.environment} right", cache_policy=NO_CACHE)
def put_right(under_way: Drilling, lease: Lease) -> None:
    """The repair that reconcile makes; what it leaves, reconcile finds again."""
    live, place = under_way.live, under_way.environment
    drifts = find_drift.fn(live, place)
    away = sorted({one.host for one in drifts if one.what == "host"})
    answering = [host.name for host in live.hosts(place) if host.name not in away]
    wrong = behind(drifts, answering)
    if wrong:
        Repair(live, place, lease).made(wrong, away)


def within(condition: Callable[[], bool], limit_seconds: float) -> bool:
    """Whether it came true in time; looked for often, as the time is what is measured."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
