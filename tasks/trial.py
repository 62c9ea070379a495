"""A candidate on trial: beside what serves, on one host, without weight, and gone afterwards."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from prefect import get_run_logger

from blocks.hosts import Host
from blocks.redaction import redacted
from blocks.shop import Live
from domain.errors import Failed, Refused
from domain.failure.replay import Verdict
from domain.host import Unit
from domain.journal import Release
from domain.plan import Serving
from tasks.deployment import executor, manifest_of, parcel_of, unit_of
from tasks.runs import this_run

WAIT_SECONDS = 5.0
MOST_LINES, SHOWN_LINES = 1000, 20
MOST_READS, READ_BYTES = 100, 200_000
SUFFIX = "-replay"
"""Of the unit's version on the host: never the name of what serves."""

DEBUG = {"TRADEWIND_DEBUG": "1", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}


def tried(live: Live, release: Release, service: str, pages: tuple[str, ...]) -> Verdict:
    """Under the environment's lease, so that no deployment is under way meanwhile."""
    place = live.shop.route[0]
    part = manifest_of(live, release.version).part(service)
    if part is None:
        raise Refused(f"{service} is not in the manifest of {release.version}")
    if part.kind == "job":
        return Verdict(service, True, "a job: it only runs at its times, nothing was started")
    owner, seconds = executor(this_run()), live.environment(place).lease_seconds
    with live.ledger.exclusive(place, owner, seconds, WAIT_SECONDS) as lease:
        _still_free(live, place)
        trial = Trial(live, place, Serving(part.version, part.digest), service)
        return trial.on(live.hosts(place)[0], lease.epoch, pages)


def _still_free(live: Live, place: str) -> None:
    """A deployment may have been opened while the lease was waited for."""
    for row in live.ledger.deployments.unfinished():
        if row.environment == place:
            raise Refused(f"{place} has {row.version} under way: wait until it ended")


class Trial:
    """One service's version under a name of its own."""

    def __init__(self, live: Live, environment: str, serving: Serving, service: str) -> None:
        self._declared = live.service(service)
        self._parcel = parcel_of(live, service, serving)
        usual = unit_of(live, environment, service, serving)
        self.unit: Unit = replace(
            usual,
            version=f"{serving.version}{SUFFIX}",
            environment={**usual.environment, **DEBUG},
        )

    def on(self, host: Host, epoch: int, pages: tuple[str, ...]) -> Verdict:
        """Healthy, and its pages tried; Failed with the end of its output when it is not."""
        health = self._declared.health
        with self._beside(host, epoch):
            host.health(self.unit.name, health.path, health.timeout_seconds)
            get_run_logger().info("%s is healthy on %s", self.unit.name, host.name)
            return self._smoked(host, pages)

    def _smoked(self, host: Host, pages: tuple[str, ...]) -> Verdict:
        service = self.unit.service
        if self.unit.kind != "web" or not pages:
            return Verdict(service, True, f"healthy on {host.name} without traffic, gone again")
        statuses = host.smoke(service, self.unit.version, pages)
        for page, status in statuses.items():
            get_run_logger().info("%s answered %d", page, status)
        bad = [f"{page} answered {status}" for page, status in statuses.items() if status != 200]
        if bad:
            raise Failed(*bad)
        return Verdict(service, True, f"{len(statuses)} pages answered 200 on {host.name}")

    def _written(self, host: Host) -> list[str]:
        """The end of what the unit wrote: a slow one may be waited for longer than it dies."""
        lines, cursor = deque[str](maxlen=MOST_LINES), None
        for _ in range(MOST_READS):
            found = host.output(self.unit.name, cursor, READ_BYTES)
            lines.extend(redacted(text) for _, text in found.lines)
            cursor = found.cursor
            if not found.more:
                break
        return list(lines)

    @contextmanager
    def _beside(self, host: Host, epoch: int) -> Iterator[None]:
        """Runs inside; afterwards the unit and what only it used are gone from the host."""
        host.prepare()
        host.place(self._parcel, epoch)
        role = "working" if self.unit.kind == "web" else "standby"
        try:
            host.start(self.unit, role, epoch)
            yield
        except Failed as error:
            written = self._written(host)
            get_run_logger().error("%s\n%s", error, "\n".join(written))
            raise Failed("\n".join((str(error), *written[-SHOWN_LINES:]))) from error
        finally:
            host.retire(self.unit.name, epoch)
            host.prune(epoch)
