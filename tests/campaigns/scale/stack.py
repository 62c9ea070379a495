"""Several of everything on one machine: Prefect servers behind a proxy, workers, one Redis."""

import shutil
from functools import partial

import httpx

from blocks.shop import Live
from deployments.settings import port_of
from deployments.stack import START_SECONDS, Stack, commands
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
            self.start(name, commands.api_only(self.ports[name]), self._server_environment())
            wait_for(name, partial(self.healthy, name), START_SECONDS, self._log(name))
        self.start("services", commands.services(), self._server_environment())
        self._door()
        wait_for("the door", self._healthy, START_SECONDS, self._log("door"))

    def _redis(self) -> None:
        port = str(self.ports["redis"])
        command = [program("redis-server"), "--bind", "127.0.0.1", "--port", port]
        self.start("redis", [*command, "--save", "", "--dir", str(self.state)], {})

    def _door(self) -> None:
        servers = "\n".join(f"  server {name} 127.0.0.1:{self.ports[name]}" for name in SERVERS)
        place = self.state / "door.cfg"
        place.write_text(DOOR.format(port=port_of(self.state), servers=servers))
        self.start("door", [program("haproxy"), "-db", "-f", str(place)], {})

    def _server_environment(self) -> dict[str, str]:
        redis = f"redis://127.0.0.1:{self.ports['redis']}"
        return {**super()._server_environment(), **commands.shared_by_redis(redis)}

    def _worker(self) -> None:
        for name in WORKERS:
            own = commands.worker_environment(self.state, self.state / "tmp" / name)
            self.start(name, commands.worker(name), own)
        wait_for("a Prefect worker", self._polled, START_SECONDS, self._log(WORKERS[0]))

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
