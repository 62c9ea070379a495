"""ansible-core as its users would when they care for speed: 50 forks, pipelining, no facts."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from tests.bench.releases import Release
from tests.bench.tools import program
from tests.bench.ways import OnPlaces, Place

LIMIT_SECONDS = 900
CONFIGURATION = """\
[defaults]
forks = 50
interpreter_python = auto_silent
nocows = true
[ssh_connection]
pipelining = true
ssh_args = -F none -o ControlMaster=auto -o ControlPersist=15s
"""
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - file: {path: "{{ place }}/releases/{{ version }}", state: directory}
    - unarchive: {src: "{{ archive }}", dest: "{{ place }}/releases/{{ version }}"}
    - file: {src: "{{ place }}/releases/{{ version }}", dest: "{{ place }}/current", state: link}
    - shell: "sh {{ place }}/restart.sh {{ address }} {{ server_port }}"
    - uri: {url: "http://{{ address }}:{{ server_port }}/", return_content: true}
      register: answer
      until: answer.content is defined and answer.content == version
      retries: 20
      delay: 1
"""


class Ansible(OnPlaces):
    name = "ansible-core"
    offset = 3

    def begin(self) -> None:
        (self.folder / "ansible.cfg").write_text(CONFIGURATION)
        (self.folder / "playbook.yaml").write_text(PLAYBOOK)
        hosts = {place.address: self._about(place) for place in self.places}
        (self.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))

    def deploy(self, release: Release) -> None:
        """Connections are new each time, as they are for everybody here."""
        asked = json.dumps({"version": release.version, "archive": str(release.archive)})
        command = [
            program("ansible-playbook"), "-i", "inventory.json", "playbook.yaml", "-e", asked,
        ]  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="ansible-") as sockets:
            ran = subprocess.run(
                command, cwd=self.folder, env=self._environment(sockets),
                capture_output=True, text=True, timeout=LIMIT_SECONDS,
            )  # fmt: skip
            self._disconnect(Path(sockets))
        if ran.returncode:
            raise RuntimeError(f"ansible failed: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")

    def _environment(self, sockets: str) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "temporary"),
        }

    def _disconnect(self, sockets: Path) -> None:
        for one in sockets.iterdir():
            subprocess.run(
                ["ssh", "-F", "none", "-o", f"ControlPath={one}", "-O", "exit", "any"],
                capture_output=True, check=False,
            )  # fmt: skip

    def _about(self, place: Place) -> dict[str, object]:
        checked = f"-o UserKnownHostsFile={self.known_hosts} -o StrictHostKeyChecking=yes"
        return {
            "ansible_user": self.fleet.user,
            "ansible_port": place.host.port,
            "ansible_ssh_private_key_file": str(self.fleet.key),
            "ansible_ssh_common_args": checked,
            "ansible_remote_tmp": str(place.folder / "temporary"),
            "ansible_python_interpreter": "/usr/bin/python3",
            "place": str(place.folder),
            "address": place.address,
            "server_port": place.port,
        }
