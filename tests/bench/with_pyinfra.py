"""pyinfra as its users would: one archive to each host, unpacked there, then shell operations."""

import json
import subprocess

from tests.bench.releases import Release
from tests.bench.tools import program
from tests.bench.ways import OnPlaces, Place

LIMIT_SECONDS = 600
DEPLOY = """\
from pyinfra import host
from pyinfra.operations import files, server

place, version = host.data.folder, {version!r}
target, archive = f"{{place}}/releases/{{version}}", f"{{place}}/{{version}}.tar"
files.put(src={archive!r}, dest=archive)
server.shell(commands=[f"mkdir -p {{target}} && tar x -f {{archive}} -C {{target}}"])
files.link(path=f"{{place}}/current", target=target)
server.shell(commands=[f"sh {{place}}/restart.sh {{host.data.server}}"])
server.shell(commands=[f"sh {{place}}/health.sh {{host.data.server}} {{version}}"])
"""


class Pyinfra(OnPlaces):
    name = "pyinfra"
    offset = 2

    def begin(self) -> None:
        hosts = [(place.address, self._about(place)) for place in self.places]
        text = f"import json\nhosts = [tuple(one) for one in json.loads({json.dumps(hosts)!r})]\n"
        (self.folder / "inventory.py").write_text(text)

    def deploy(self, release: Release) -> None:
        script = self.folder / "deploy.py"
        script.write_text(DEPLOY.format(version=release.version, archive=str(release.archive)))
        command = [program("pyinfra"), "-y", "inventory.py", "deploy.py"]
        ran = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=LIMIT_SECONDS
        )
        if ran.returncode:
            raise RuntimeError(f"pyinfra failed: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")

    def _about(self, place: Place) -> dict[str, object]:
        return {
            "ssh_user": self.fleet.user,
            "ssh_port": place.host.port,
            "ssh_key": str(self.fleet.key),
            "ssh_known_hosts_file": str(self.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
            "_temp_dir": str(place.folder),
            "folder": str(place.folder),
            "server": f"{place.address} {place.port}",
        }
