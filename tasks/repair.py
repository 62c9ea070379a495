"""Hosts that are behind are brought to what should serve: a host that returns, a unit that died."""

from collections.abc import Mapping
from typing import Any

from prefect import get_run_logger, task

from blocks.hosts import Host
from blocks.ledger import Lease
from blocks.shop import Live
from domain.drift import warm
from domain.errors import Fenced, TradewindError, Unavailable
from domain.host import Observed, unit_name
from domain.plan import Change, Serving
from domain.repair import behind, single, superfluous
from tasks.deployment import executor
from tasks.drift import find_drift, under_way
from tasks.fleet import answers, asked
from tasks.place import Candidate
from tasks.retries import STEP
from tasks.runs import this_run

WAIT_SECONDS = 1.0
DRAIN_SECONDS = 60.0


def repair(live: Live) -> None:
    """Every environment that rests and differs is put right, under its own lease."""
    for place in live.shop.environments:
        if place not in under_way(live) and live.ledger.deployments.serving(place):
            put_right(live, place)


@task(task_run_name="put {environment} right", **STEP)
def put_right(live: Live, environment: str) -> None:
    """What differs on hosts that answer; a deployment that begins meanwhile goes first."""
    drifts = find_drift.fn(live, environment)
    away = {one.host for one in drifts if one.what == "host"}
    answering = [host.name for host in live.hosts(environment) if host.name not in away]
    wrong = behind(drifts, answering)
    if not wrong:
        return
    seconds = live.environment(environment).lease_seconds
    owner = executor(this_run())
    try:
        with live.ledger.exclusive(environment, owner, seconds, WAIT_SECONDS) as lease:
            if environment not in under_way(live):
                Repair(live, environment, lease).made(wrong, sorted(away))
    except Fenced as error:
        get_run_logger().info("%s is not put right now: %s", environment, error)


class Repair:
    """One environment, under a lease whose epoch the hosts see for the first time."""

    def __init__(self, live: Live, environment: str, lease: Lease) -> None:
        self._live = live
        self._environment = environment
        self._lease = lease
        self._serving = live.ledger.deployments.serving(environment)
        done = live.ledger.deployments.done(environment)
        self._warm = warm(self._serving, [row.previous for row in done])

    def made(self, wrong: Mapping[str, tuple[str, ...]], away: list[str]) -> None:
        """Each host that differs, then the work of which there is one; written down with why."""
        journal = self._live.ledger.journal(f"repair:{self._environment}", self._lease)
        hosts = [host for host in self._live.hosts(self._environment) if host.name in wrong]

        def act() -> Mapping[str, Any]:
            results = asked(hosts, self._brought)
            return {
                "wrong": {host: list(reasons) for host, reasons in wrong.items()},
                "away": {one.host: one.away for one in results if one.away},
                "works_on": self._single_work(away),
            }

        journal.once(f"epoch {self._lease.epoch}", act)

    def _brought(self, host: Host) -> bool:
        """What serves is there with all traffic, and nothing else is but the version before."""
        host.prepare()
        for service, serving in self._serving.items():
            if service in self._live.shop.services:
                self._serves(host, service, serving)
        for unit in superfluous(host.observe(), self._serving, self._warm):
            if unit.kind == "web":
                host.drain(unit.service, unit.version, DRAIN_SECONDS)
            elif unit.role == "working":
                host.role(unit_name(unit.service, unit.version), "standby", self._lease.epoch)
            host.retire(unit_name(unit.service, unit.version), self._lease.epoch)
        return True

    def _serves(self, host: Host, service: str, serving: Serving) -> None:
        """As a candidate would come, and with everything at once."""
        declared = self._live.service(service)
        change = Change(service, declared.kind, None, serving)
        candidate = Candidate(self._live, self._environment, change, self._lease.epoch)
        candidate.ready_on(host)
        if declared.kind == "web":
            host.route(service, {serving.version: 100}, self._lease.epoch)
        for name, unit in host.observe().units.items():
            if unit.service == service and unit.kind == "worker" and name != candidate.name:
                host.role(name, "standby", self._lease.epoch)
        if declared.kind == "worker" and not declared.alone:
            host.role(candidate.name, "working", self._lease.epoch)

    def _single_work(self, away: list[str]) -> dict[str, str]:
        """Workers that must be alone and schedules are on one host; answers which."""
        found = {}
        for service, serving in self._serving.items():
            declared = self._live.shop.services.get(service)
            if declared and (declared.alone or declared.kind == "job"):
                name = unit_name(service, serving.version)
                found[service] = self._on_one_host(name, away, must=declared.kind != "job")
        return found

    def _on_one_host(self, unit: str, away: list[str], *, must: bool) -> str:
        hosts = {host.name: host for host in self._live.hosts(self._environment)}
        chosen = single(unit, self._seen(list(hosts.values())), away, must)
        for name in chosen.silent:
            hosts[name].role(unit, "standby", self._lease.epoch)
        if chosen.host:
            hosts[chosen.host].role(unit, "working", self._lease.epoch)
        return chosen.host

    def _seen(self, hosts: list[Host]) -> dict[str, Observed]:
        """Those that answer."""

        def look(host: Host) -> Observed:
            try:
                return host.observe()
            except TradewindError as error:
                raise Unavailable(str(error)) from error

        return answers(asked(hosts, look))
