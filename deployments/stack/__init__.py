"""Everything Tradewind needs on one machine: started in order, known by id, ended cleanly."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from blocks.hosts import Host
from blocks.prefect_server import POOL
from blocks.shop import Live
from deployments.settings import (
    GIVEN_PREFECT,
    api_of,
    given_postgres,
    port_of,
    prefect_environment,
    remember,
    remembered,
    write_secret,
)
from deployments.stack import commands
from deployments.stack.postgres import GivenPostgres, Postgres
from deployments.stack.processes import Process, end_tree, started, wait_for
from domain.errors import BadInput

START_SECONDS = 120.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Part:
    """One part of the stack as ``tradewind status`` shows it."""

    name: str
    runs: bool
    detail: str


class Stack:
    """PostgreSQL, Prefect's server and worker, and the hosts of every environment."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.state = live.state
        self.postgres = _postgres(self.state / "postgres")

    @property
    def api(self) -> str:
        """The address of Prefect's API."""
        return api_of(self.state)

    @property
    def ui(self) -> str:
        """Where people work: the gateway, where there is one, else Prefect's own UI.

        Its second version draws the reports' pictures.
        """
        if self.live.shop.gateway is not None:
            return f"{self.live.shop.gateway.origin}/gate/"
        return f"{self.api.removesuffix('/api')}/v2"

    def up(self) -> None:
        """Idempotent: what runs already is kept, and what others run is not started."""
        self._reachable_by_all()
        self.state.mkdir(parents=True, exist_ok=True)
        self.postgres.start()
        self._databases()
        self.live.ledger.migrate()
        if GIVEN_PREFECT in os.environ:
            encryption_key(self.state)
        else:
            self._server()
            self._worker()
            self._gateway()
        for host in self._hosts():
            host.prepare()

    def _reachable_by_all(self) -> None:
        """BadInput where several machines share a stack and a host is only on one of them."""
        declared = [one for place in self.live.shop.environments.values() for one in place.hosts]
        local = [one.name for one in declared if one.address == "local"]
        if GIVEN_PREFECT in os.environ and local:
            against = f"local, but with {GIVEN_PREFECT} given workers reach hosts by SSH only"
            raise BadInput(*(f"the address of host {name} is {against}" for name in local))

    def down(self) -> None:
        """Ends what runs, in the opposite order; data stays."""
        for name in reversed([name for name in remembered(self.state) if name != "port"]):
            self.stop(name)
        for host in self._hosts():
            if (self.state / "hosts" / host.name).exists():
                host.shutdown()
        self.postgres.stop()

    def stop(self, name: str) -> None:
        """Ends one process and everything it started."""
        process = self._process(name)
        if process is not None:
            end_tree(process, STOP_SECONDS)

    def status(self) -> tuple[Part, ...]:
        if GIVEN_PREFECT in os.environ:
            return (
                Part("prefect servers", self._healthy(), self.api),
                Part("prefect workers", self._polled(), f"pool {POOL}"),
            )
        server, worker = self._process("server"), self._process("worker")
        postgres = self.postgres.process()
        shown: tuple[tuple[str, Process | None, str], ...] = (
            ("postgres", postgres, str(self.state / "postgres")),
            ("prefect server", server, self.api if server else ""),
            ("prefect worker", worker, f"pool {POOL}" if worker else ""),
            *((("gateway", self._process("gateway"), self.ui),) if self.live.shop.gateway else ()),
        )
        return tuple(
            Part(name, bool(one and one.runs()), f"{detail} (process {one.pid})" if one else "")
            for name, one, detail in shown
        )

    def _databases(self) -> None:
        """For Prefect, the ledger and every environment without a database of its own."""
        own = [f"shop_{name}" for name, place in self.live.shop.environments.items()
               if place.database == "embedded"]  # fmt: skip
        self.postgres.create("prefect")
        for name in ("ledger", *own):
            self.postgres.create(name)
            write_secret(self.state / "databases" / name, self.postgres.url(name))

    def _server(self) -> None:
        self.start("server", commands.server(port_of(self.state)), self._server_environment())
        wait_for("the Prefect server", self._healthy, START_SECONDS, self._log("server"))

    def _worker(self) -> None:
        own = commands.worker_environment(self.state, self.state / "tmp")
        self.start("worker", commands.worker(POOL), own)
        wait_for("the Prefect worker", self._polled, START_SECONDS, self._log("worker"))

    def _gateway(self) -> None:
        """The only way in for people and machines, where shop.yaml declares one."""
        if self.live.shop.gateway is not None:
            command = [sys.executable, "-m", "deployments.gateway", "--shop", str(self.live.path)]
            self.start("gateway", command, prefect_environment(self.state))
            wait_for("the gateway", self._answers, START_SECONDS, self._log("gateway"))

    def _answers(self) -> bool:
        """Asked where it listens; whose certificate it shows is the browsers' to judge."""
        declared = self.live.shop.gateway
        assert declared is not None  # only then it was started
        scheme = "https" if declared.tls_certificate else "http"
        url = f"{scheme}://{declared.address}:{declared.port}/gate/health"
        try:
            return httpx.get(url, timeout=2, verify=False).is_success
        except httpx.HTTPError:
            return False

    def _server_environment(self) -> dict[str, str]:
        database = self.postgres.url("prefect")
        return commands.server_environment(self.state, database, encryption_key(self.state))

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """A process of this stack, which ``down`` will end; one that runs already is kept."""
        process = self._process(name)
        if process is None or not process.runs():
            begun = started(command, self._log(name), environment)
            remember(self.state, {name: asdict(begun)})

    def _process(self, name: str) -> Process | None:
        known = remembered(self.state).get(name)
        return Process(**known) if known else None

    def _healthy(self) -> bool:
        return self._asked("health").is_success

    def _polled(self) -> bool:
        """Whether a worker's heartbeat came in for the pool."""
        answer = self._asked(f"work_pools/{POOL}")
        return answer.is_success and answer.json()["status"] == "READY"

    def _asked(self, path: str) -> httpx.Response:
        try:
            return httpx.get(f"{self.api}/{path}", timeout=2)
        except httpx.HTTPError:
            return httpx.Response(503)

    def _hosts(self) -> list[Host]:
        """Those on this machine; other machines run whether this stack does or not."""
        return [
            host
            for place, environment in self.live.shop.environments.items()
            for declared, host in zip(environment.hosts, self.live.hosts(place), strict=True)
            if declared.address == "local"
        ]

    def _log(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"


def _postgres(folder: Path) -> Postgres | GivenPostgres:
    given = given_postgres()
    return GivenPostgres(given) if given else Postgres(folder)


def encryption_key(state: Path) -> str:
    """Of Prefect's own secrets, made when first asked for: never in the database they are in."""
    place = state / "prefect" / "encryption_key"
    if not place.exists():
        write_secret(place, Fernet.generate_key().decode())
    return place.read_text()
