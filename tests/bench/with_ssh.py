"""The floor: OpenSSH's own pipe, every host at once, a connection for each deployment."""

import shlex
import subprocess

from tests.bench.releases import Release
from tests.bench.ways import OnPlaces, Place

LIMIT_SECONDS = 300


class Pipe(OnPlaces):
    name = "OpenSSH pipe"
    offset = 1

    def deploy(self, release: Release) -> None:
        running = [self._begin(place, release) for place in self.places]
        codes = [one.wait(LIMIT_SECONDS) for one in running]
        if any(codes):
            raise RuntimeError(f"{sum(map(bool, codes))} of {len(codes)} pipes failed")

    def _begin(self, place: Place, release: Release) -> subprocess.Popen[bytes]:
        target = place.release(release.version)
        unpack = f"mkdir -p {shlex.quote(str(target))} && tar x -C {shlex.quote(str(target))}"
        remote = " && ".join((unpack, *self.finishing(place, release.version)))
        command = (
            f"tar c -C {release.folder} . | {shlex.join(self._ssh(place))} {shlex.quote(remote)}"
        )
        return subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL)

    def _ssh(self, place: Place) -> list[str]:
        options = (
            f"UserKnownHostsFile={self.known_hosts}", "GlobalKnownHostsFile=none",
            "StrictHostKeyChecking=yes", "BatchMode=yes", "ControlPath=none", "LogLevel=ERROR",
        )  # fmt: skip
        return [
            "ssh", "-F", "none", "-c", "aes128-gcm@openssh.com",
            *(word for option in options for word in ("-o", option)),
            "-i", str(self.fleet.key), "-p", str(place.host.port),
            f"{self.fleet.user}@{place.address}",
        ]  # fmt: skip
