"""Several of everything on one machine: Prefect servers behind a proxy, workers, one Redis."""

import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import httpx

from blocks.prefect_server import POOL
from blocks.shop import Live
from deployments.settings import port_of, prefect_environment
from deployments.stack import START_SECONDS, Stack
from deployments.stack.processes import Process, wait_for
from domain.errors import Unavailable
from tests.deployments.gateway.street import free_port

SERVERS, WORKERS = ("server-a", "server-b"), ("worker-1", "worker-2")
DOOR = """
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  retries 3
  option redispatch
  retry-on conn-failure empty-response response-timeout 503
frontend door
  bind 127.0.0.1:{port}
  default_backend prefect
backend prefect
  balance roundrobin
  option httpchk GET /api/health
  default-server check inter 500ms fall 2 rise 2
{servers}
"""


class ScaledStack(Stack):
    """As docs/how-to/scale.md has it, with processes for machines."""

    def __init__(self, live: Live) -> None:
        super().__init__(live)
        self.ports = {name: free_port() for name in (*SERVERS, "redis")}

    def _server(self) -> None:
        """The first server makes the tables; two on an empty database disturb each other."""
        self._redis()
        for name in SERVERS:
            self._prefect(name, ["start", "--no-services", "--host", "127.0.0.1", "--port",
                                 str(self.ports[name])])  # fmt: skip
            wait_for(name, partial(self.healthy, name), START_SECONDS, self._log(name))
        self._prefect("services", ["services", "start"])
        self._door()
        wait_for("the door", self._healthy, START_SECONDS, self._log("door"))

    def _redis(self) -> None:
        port = str(self.ports["redis"])
        command = [program("redis-server"), "--bind", "127.0.0.1", "--port", port]
        self.start("redis", [*command, "--save", "", "--dir", str(self.state)], {})

    def _prefect(self, name: str, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "prefect", "server", *arguments]
        self.start(name, command, self._server_environment())

    def _door(self) -> None:
        servers = "\n".join(f"  server {name} 127.0.0.1:{self.ports[name]}" for name in SERVERS)
        place = self.state / "door.cfg"
        place.write_text(DOOR.format(port=port_of(self.state), servers=servers))
        self.start("door", [program("haproxy"), "-db", "-f", str(place)], {})

    def _server_environment(self) -> dict[str, str]:
        """Events, their order, leases and background work go by Redis, for every server alike."""
        redis = f"redis://127.0.0.1:{self.ports['redis']}"
        return {
            **super()._server_environment(),
            "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
            "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
            "PREFECT_REDIS_MESSAGING_URL": f"{redis}/0",
            "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
            "PREFECT_SERVER_DOCKET_URL": f"{redis}/1",
        }

    def _worker(self) -> None:
        for name in WORKERS:
            self._one_worker(name, self.state / "tmp" / name)
        wait_for("a Prefect worker", self._polled, START_SECONDS, self._log(WORKERS[0]))

    def _one_worker(self, name: str, temporary: Path) -> None:
        temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process"]
        own: Mapping[str, str] = {
            **prefect_environment(self.state),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_LOGGING_LEVEL": "INFO",
            "TMPDIR": str(temporary),
        }
        self.start(
            name, [*command, "--pool", POOL, "--name", name, "--install-policy", "never"], own
        )

    def process(self, name: str) -> Process:
        found = self._process(name)
        assert found is not None  # started by ``up``
        return found

    def answers(self) -> bool:
        """Whether Prefect does, by whichever server."""
        return self._healthy()

    def healthy(self, name: str) -> bool:
        """Of one server, past the door."""
        try:
            url = f"http://127.0.0.1:{self.ports[name]}/api/health"
            return httpx.get(url, timeout=2).is_success
        except httpx.HTTPError:
            return False


def program(name: str) -> str:
    """Debian keeps some where only root looks."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise Unavailable(f"{name} is not installed; `make engines` as root installs it")
    return found
