"""Tradewind's own hosts, asked for the same: place, start beside the old one, health, retire it.

``Tradewind`` does the job that the others do; ``Switched`` also has its service behind the host's
proxy, and takes the old version's traffic before it ends, which the others cannot.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from blocks.artifacts import Artifacts, Ingredients
from blocks.hosts import Host, Parcel
from blocks.hosts.agent_host import AgentHost
from blocks.hosts.bundle import DOOR
from blocks.hosts.ssh import Account, Door, ssh_host
from domain.host import Unit
from domain.shop import Host as Declared
from domain.shop import Ssh, Stop
from tests.bench.releases import Release
from tests.sshd import Fleet, Sshd

BESIDE = Path(sys.executable).parent
TOOLS = {
    "python": "/usr/bin/python3",
    "supervisord": str(BESIDE / "supervisord"),
    "envoy": str(BESIDE / "envoy"),
}
COMMAND = f"/usr/bin/python3 -I -S {DOOR} {{home}}"
SERVER = ("/usr/bin/python3", "-I", "-S", "server.py")
HOSTS_AT_ONCE = 50
HEALTH_SECONDS, DRAIN_SECONDS, CONNECT_SECONDS, STEP_SECONDS = 30, 30, 60, 120
EPOCH = 1


class Tradewind:
    """A service without traffic, as the server is for everybody else."""

    name = "Tradewind"
    kind = "worker"

    def prepare(self, fleet: Fleet, held: ExitStack) -> None:
        """A fleet of its own, whose key runs the agent and nothing else."""
        folder = fleet.folder / self.name.replace(" ", "-")
        self._artifacts = Artifacts(folder / "artifacts")
        self._serving = ""
        own = held.enter_context(Fleet(folder / "fleet", len(fleet.hosts), COMMAND))
        self._at_once = held.enter_context(ThreadPoolExecutor(HOSTS_AT_ONCE))
        self.hosts = hosts_of(own, "haproxy")
        held.callback(self._everywhere, AgentHost.shutdown)
        self._everywhere(AgentHost.prepare)
        self._disconnect()

    def pack(self, release: Release) -> None:
        made = self._artifacts.build(
            Ingredients("web", release.folder / "app", release.folder / "site", "s", "r")
        )
        self._digest = made.digest

    def deploy(self, release: Release) -> None:
        """From the artifact's check to the last host's answer, connections included."""
        parcel = self._artifacts.parcel(self._digest)
        self._everywhere(lambda host: self._on(host, parcel, release.version))
        self._serving = release.version
        self._disconnect()

    def _on(self, host: Host, parcel: Parcel, version: str) -> None:
        host.place(parcel, EPOCH)
        host.start(Unit("web", version, parcel.digest, self.kind, SERVER, {}, Stop()), "", EPOCH)
        host.health(f"web@{version}", "/", HEALTH_SECONDS)
        self.take_over(host, version)
        if self._serving:
            host.retire(f"web@{self._serving}", EPOCH)

    def take_over(self, host: Host, version: str) -> None:
        """Nothing to switch: the server is asked directly."""

    def tidy(self, release: Release) -> None:
        self._everywhere(lambda host: host.prune(EPOCH))
        self._disconnect()

    def _disconnect(self) -> None:
        for host in self.hosts:
            host.close()

    def _everywhere(self, act: Callable[[AgentHost], None]) -> None:
        list(self._at_once.map(act, self.hosts))


class Switched(Tradewind):
    name = "Tradewind, traffic moved"
    kind = "web"

    def take_over(self, host: Host, version: str) -> None:
        host.route("web", {version: 100}, EPOCH)
        if self._serving:
            host.drain("web", self._serving, DRAIN_SECONDS)


def hosts_of(fleet: Fleet, proxy: str) -> tuple[AgentHost, ...]:
    account = Account(Ssh("", CONNECT_SECONDS, STEP_SECONDS), fleet.key.read_text())
    return tuple(
        ssh_host(Door(declared(fleet, sshd, proxy), account, None)) for sshd in fleet.hosts
    )


def declared(fleet: Fleet, sshd: Sshd, proxy: str) -> Declared:
    return Declared(
        sshd.address, sshd.address, sshd.port, fleet.user, sshd.host_key,
        proxy="haproxy" if proxy == "haproxy" else "envoy", tools=TOOLS,
    )  # fmt: skip


@contextmanager
def agents(count: int, proxy: str) -> Iterator[tuple[AgentHost, ...]]:
    """So many hosts with their agents, nothing prepared."""
    with (
        tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder,
        Fleet(Path(folder), count, COMMAND) as fleet,
    ):
        hosts = hosts_of(fleet, proxy)
        try:
            yield hosts
        finally:
            for host in hosts:
                host.close()
