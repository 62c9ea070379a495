"""What the commands do; each answers a JSON-ready value."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console

from blocks import prefect_runs as runs
from blocks.ledger.pauses import EVERYWHERE
from blocks.people import People
from blocks.prefect_server import PrefectServer
from blocks.quality import Quality
from blocks.shop import Live
from deployments import hosts
from deployments.apply import apply
from deployments.gateway.lent import Lent
from deployments.people import key_of
from deployments.settings import state_of
from deployments.stack import Stack
from domain.access.people import Signed
from domain.checks.page import csv_lines
from domain.contracts.findings import KINDS
from domain.errors import Refused
from domain.host import Observed
from tasks.drift import find_drift, observed, under_way
from tasks.make_good import run_waiting
from tasks.recover import backups
from tasks.report import stages
from tasks.rollback import find_candidates
from tasks.statements import policy_of

LIMIT_SECONDS = 4 * 3600.0
Proof = Callable[[], tuple[str, str]]
"""Asks a person for the password and a one-time code."""


class Actions:
    """On one shop; progress of long work goes to standard error."""

    def __init__(self, shop: Path) -> None:
        self.live = Live(shop, state_of(shop))
        self.stack = Stack(self.live)

    def up(self) -> str:
        """Answers the UI's address."""
        self.stack.up()
        return self.stack.ui

    def down(self) -> None:
        self.stack.down()

    def apply(self, dry_run: bool) -> dict[str, Any]:
        found = apply(self.live, PrefectServer(), dry_run=dry_run)
        return {"differences": [str(one) for one in found], "applied": not dry_run}

    def status(self) -> dict[str, Any]:
        """The stack's parts; what the ledger says serves, beside what the hosts say runs."""
        parts = self.stack.status()
        up = all(part.runs for part in parts)
        return {
            "stack": [asdict(part) for part in parts],
            "serving": self._serving() if up else [],
            "under way": [
                {"version": row.version, "environment": row.environment, "state": row.state}
                for row in (self.live.ledger.deployments.unfinished() if up else ())
            ],
        }

    def release(self, request: dict[str, Any], key: str) -> dict[str, Any]:
        asked = {**request, "ref": request["ref"] or self.live.shop.branch}
        return self._run("release", asked, key)

    def rollback(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._run("rollback", request, "")

    def promote(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._run("promote", request, "")

    def restore(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._run("restore", request, "")

    def replay(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._run("replay", request, "")

    def drill(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._run("drill", request, "")

    def backups(self, environment: str) -> dict[str, Any]:
        """What a database can be put back to, newest first."""
        self.live.environment(environment)
        return {
            "backups": [
                {
                    "name": name, "taken_at": backup["taken_at"], "kind": backup["kind"],
                    "tables": len(backup["tables"]), "before": row.version,
                }
                for name, (row, _, backup) in backups(self.live, environment).items()
            ]
        }  # fmt: skip

    def drift(self, environment: str) -> dict[str, Any]:
        """Of one environment or, with none, of all; those being changed now are only named."""
        if environment:
            self.live.environment(environment)
        places = [environment] if environment else list(self.live.shop.environments)
        moving = under_way(self.live)
        return {
            "drift": [
                asdict(one)
                for place in places
                if place not in moving
                for one in find_drift.fn(self.live, place)
            ],
            "under way": [place for place in places if place in moving],
        }

    def candidates(self, environment: str) -> dict[str, Any]:
        found = find_candidates.fn(self.live, environment)
        return {"candidates": [asdict(one) for one in found]}

    def hold(self, environment: str, by: str, reason: str) -> None:
        self._known(environment)
        self.live.ledger.pauses.hold(environment, by, reason)

    def let_go(self, environment: str, by: str, reason: str) -> None:
        self._known(environment)
        self.live.ledger.pauses.let_go(environment, by, reason)

    def _known(self, environment: str) -> None:
        """``*`` is every environment."""
        if environment != EVERYWHERE:
            self.live.environment(environment)

    def differing(self, environment: str) -> list[dict[str, Any]]:
        """SKUs and orders that do not agree now, the oldest first."""
        self.live.environment(environment)
        found = Quality(self.live.ledger.url).open_divergences(environment)
        return [asdict(one) for one in found]

    def differing_csv(self, environment: str) -> Iterator[str]:
        self.live.environment(environment)
        return csv_lines(Quality(self.live.ledger.url).open_divergences(environment))

    def make_good(self, environment: str, version: str) -> dict[str, Any]:
        return self._run("make-good", {"environment": environment, "version": version}, "")

    def contracts(self) -> list[dict[str, Any]]:
        """Findings that stand, those that stop a release first."""
        found = [one for one in self.live.ledger.findings.all() if one.gone_at is None]
        return [asdict(one) for one in sorted(found, key=lambda one: KINDS.index(one.kind))]

    def accept_finding(self, number: str, by: str, reason: str) -> dict[str, Any]:
        return asdict(self.live.ledger.findings.accept(number, by, reason))

    def approve(self, version: str, said: Mapping[str, str], proof: Proof) -> dict[str, Any]:
        """Answers the gate of a release or its promotion, then follows that run to the end.

        Where only signed statements count, ``proof`` is asked for the password and the code.
        """
        release = self.live.ledger.releases.get(version)
        waiting = [
            (UUID(run_waiting(self.live, row, approval)), approval)
            for row in self.live.ledger.deployments.of_release(version)
            for approval in self.live.ledger.approvals.of_deployment(row.id)
            if approval.decision == "waiting"
        ]
        if not waiting:
            raise Refused(f"{version} waits for no approval, it is {release.state}")
        run, approval = waiting[-1]
        answer: dict[str, Any] = {**said, "plan": approval.plan_digest}
        if policy_of(self.live, approval).signed:
            Lent(self.live).may_resume(self._signed_in(said["decided_by"], proof), run, answer)
        runs.answer(run, answer)
        return self._follow(run)

    def _signed_in(self, name: str, proof: Proof) -> Signed:
        """As at the gateway's own door; the session ends at once."""
        people = People(self.live.ledger_url, key_of(self.live.state))
        password, code = proof()
        session = people.signed_in(name, password, code, "this machine")
        signed = people.session(session.token, datetime.now(UTC))
        people.end_session(session.token)
        assert signed is not None  # just signed in
        return signed

    def host_add(self, environment: str, name: str) -> str:
        return hosts.to_install(self.live, environment, name)

    def host_check(self, environment: str, name: str) -> list[dict[str, Any]]:
        return [asdict(one) for one in hosts.check(self.live, environment, name)]

    def verify(self) -> tuple[str, ...]:
        return self.live.ledger.verify()

    def _run(self, flow: str, request: dict[str, Any], key: str) -> dict[str, Any]:
        shop = self.live.shop.shop
        parameters = {"shop": shop, "request": request}
        return self._follow(runs.start(f"{flow}/{shop}", parameters, key or None))

    def _follow(self, run: UUID) -> dict[str, Any]:
        console = Console(stderr=True)
        with console.status("waiting for the worker") as line:
            ended = runs.follow(run, LIMIT_SECONDS, self._watch(run, console, line.update))
        release = self.live.ledger.releases.of_flow_run(str(run))
        version = release.version if release else ""
        return {
            "run": str(run), "version": version, "state": ended.name, "message": ended.message
        }  # fmt: skip

    def _watch(
        self, run: UUID, console: Console, update: Callable[[str], None]
    ) -> Callable[[], None]:
        """Prints each step once it is recorded, and shows the one under way."""
        told: set[tuple[str, str]] = set()

        def watch() -> None:
            release = self.live.ledger.releases.of_flow_run(str(run))
            for stage in stages(self.live, release) if release else ():
                if stage.seconds is None:
                    update(f"{release.version if release else ''} {stage.where}: {stage.name}")
                elif (stage.where, stage.name) not in told:
                    told.add((stage.where, stage.name))
                    console.print(f"{stage.status:>8}  {stage.where}: {stage.name}", style="dim")

        return watch

    def _serving(self) -> list[dict[str, Any]]:
        return [
            {
                "environment": place, "service": service, "version": one.version,
                "digest": one.digest, "hosts": running(seen, service),
            }
            for place, seen in self._seen()
            for service, one in sorted(self.live.ledger.deployments.serving(place).items())
        ]  # fmt: skip

    def _seen(self) -> Iterator[tuple[str, dict[str, Observed | str]]]:
        for place in self.live.shop.environments:
            yield place, observed(self.live, place)


def running(seen: Mapping[str, Observed | str], service: str) -> list[str]:
    """Per host: which versions of a service run, with their weight or role; or that it is away."""
    return [line for host, one in seen.items() for line in _on_host(host, one, service)]


def _on_host(host: str, seen: Observed | str, service: str) -> Iterator[str]:
    if isinstance(seen, str):
        yield f"{host}: does not answer"
        return
    for unit in seen.units.values():
        if unit.service == service:
            how = f"{unit.weight} %" if unit.kind == "web" else unit.role
            yield f"{host}: {unit.version} {how}, {unit.state.lower()}"
