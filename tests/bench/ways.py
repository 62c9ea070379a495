"""What every way of deploying has to do on every host, and where."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

from tests.bench.releases import Release
from tests.sshd import Fleet, Sshd

RESTART = """\
#!/bin/sh
# restart.sh ADDRESS PORT: the server of current/ instead of the one that ran.
cd "$(dirname "$0")" || exit 1
[ ! -f server.pid ] || kill "$(cat server.pid)" 2>/dev/null
ADDRESS=$1 PORT=$2 setsid python3 -I -S current/app/server.py </dev/null >server.log 2>&1 &
echo $! >server.pid
"""
HEALTH = """\
#!/bin/sh
# health.sh ADDRESS PORT VERSION: the server answers with the version, within 20 s.
tries=0
until [ "$(curl -fsS --max-time 5 "http://$1:$2/" 2>/dev/null)" = "$3" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 400 ] || exit 1
    sleep 0.05
done
"""


class Way(Protocol):
    """``deploy`` is what is timed: every file, the link, a restart, the health check."""

    name: str

    def prepare(self, fleet: Fleet, held: ExitStack) -> None:
        """Once; what has to end afterwards is put into ``held``."""
        ...

    def pack(self, release: Release) -> None:
        """What is done once, when a release is built; as the archive is, outside the time."""
        ...

    def deploy(self, release: Release) -> None: ...

    def tidy(self, release: Release) -> None:
        """Every older version goes from the hosts' disks, outside the time."""
        ...


class Place:
    """One way's folder on one host, and where its server listens."""

    def __init__(self, host: Sshd, way: str, offset: int) -> None:
        self.host, self.address = host, host.address
        self.port = host.port + offset
        self.folder = host.folder / way.replace(" ", "-")
        self.folder.mkdir()
        for name, text in (("restart.sh", RESTART), ("health.sh", HEALTH)):
            (self.folder / name).write_text(text)

    def release(self, version: str) -> Path:
        return self.folder / "releases" / version

    def tidy(self, version: str) -> None:
        for path in (self.folder / "releases").iterdir():
            if path.name != version:
                shutil.rmtree(path)
        for path in self.folder.glob("*.tar"):
            path.unlink()

    def end(self) -> None:
        """The server ends; it was started by a session that is long gone."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder / "server.pid").read_text()), signal.SIGTERM)


class OnPlaces:
    """What the ways that people know have in common."""

    name = ""
    offset = 0

    def prepare(self, fleet: Fleet, held: ExitStack) -> None:
        self.fleet = fleet
        self.places = tuple(Place(host, self.name, self.offset) for host in fleet.hosts)
        for place in self.places:
            held.callback(place.end)
        self.folder = fleet.folder / self.name.replace(" ", "-")
        self.folder.mkdir()
        known = "".join(f"[{h.address}]:{h.port} {h.host_key}\n" for h in fleet.hosts)
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.write_text(known)
        self.begin()

    def begin(self) -> None:
        """What has to be written once for this way."""

    def pack(self, release: Release) -> None:
        """The release came with its folder and its archive."""

    def tidy(self, release: Release) -> None:
        for place in self.places:
            place.tidy(release.version)

    def finishing(self, place: Place, version: str) -> Iterator[str]:
        """The commands after the files are there."""
        yield f"ln -sfn releases/{version} {place.folder}/current"
        yield f"sh {place.folder}/restart.sh {place.address} {place.port}"
        yield f"sh {place.folder}/health.sh {place.address} {place.port} {version}"
