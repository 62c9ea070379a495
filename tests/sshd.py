"""A fleet of real SSH servers: ordinary sshd processes, each on a loopback address of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from deployments.stack.processes import until

PROGRAM = "/usr/sbin/sshd"
STARTED_SECONDS, ENDED_SECONDS = 20.0, 10.0
HOSTS_A_NET = 250
CONFIGURATION = """\
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
MaxStartups 1000
MaxSessions 64
ClientAliveInterval 0
LogLevel VERBOSE
Subsystem sftp internal-sftp
SetEnv SHLVL=2
"""
"""With a shell level, bash leaves this user's own ~/.bashrc alone, which is none of the host's."""


def require_sshd() -> None:
    """Skips the test where OpenSSH is missing; in CI, as root, that is a failure."""
    missing = [name for name in (PROGRAM, "ssh") if shutil.which(name) is None]
    if not missing:
        return
    reason = f"needs OpenSSH's server and client: {', '.join(missing)} is not here"
    if os.environ.get("CI") and os.geteuid() == 0:
        pytest.fail(reason)
    pytest.skip(reason)


class Sshd:
    """One host. ``home`` is the agent's folder on it, ``log`` what sshd says at level VERBOSE."""

    def __init__(self, folder: Path, address: str, port: int) -> None:
        self.folder, self.address, self.port = folder, address, port
        self.home, self.log = folder / "home", folder / "sshd.log"
        self.home.mkdir(parents=True)
        self.host_key = new_key(folder / "host_key")
        (folder / "sshd_config").write_text(
            CONFIGURATION.format(address=address, port=port, folder=folder)
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._said = 0

    def authorize(self, key: str, options: str) -> None:
        """``key`` ("ssh-ed25519 AAAA…") is the only one let in, as ``options`` allow."""
        (self.folder / "authorized_keys").write_text(f"{options} {key}\n")

    def start(self) -> None:
        self.begin()
        self.await_start()

    def begin(self) -> None:
        """Without waiting, so that a fleet starts at once; Ctrl-C at the terminal is not for it."""
        self._said = self.log.stat().st_size if self.log.exists() else 0
        command = [PROGRAM, "-D", "-f", str(self.folder / "sshd_config"), "-E", str(self.log)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def await_start(self) -> None:
        """Until it says that it listens: a connection to try it would be in its log."""
        if not until(self._listens, STARTED_SECONDS):
            log = self.log.read_text() if self.log.exists() else ""
            raise TimeoutError(f"sshd on {self.address}:{self.port} did not start: {log[-1000:]}")

    def _listens(self) -> bool:
        if not self.log.exists():
            return False
        with self.log.open("rb") as file:
            file.seek(self._said)
            return b"Server listening on" in file.read()

    def stop(self) -> None:
        """The daemon and every connection end; what runs on the host goes on."""
        if self._process is None:
            return
        for one in self._servers():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self._process.wait(ENDED_SECONDS)
        self._process = None

    def pause(self) -> None:
        """Frozen: connections are neither answered nor closed."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def change_host_key(self) -> None:
        """As a machine installed anew, or somebody in the middle, would show."""
        self.stop()
        self.host_key = new_key(self.folder / "host_key")
        self.start()

    def _signal(self, number: signal.Signals) -> None:
        for one in self._servers():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(number)

    def _servers(self) -> Iterator[psutil.Process]:
        """The daemon, then the processes of its connections, not what they run."""
        if self._process is None:
            raise ValueError(f"sshd on {self.address}:{self.port} does not run")
        with suppress(psutil.NoSuchProcess):
            daemon = psutil.Process(self._process.pid)
            children = daemon.children(recursive=True)
            yield daemon
            yield from (one for one in children if is_sshd(one))


class Fleet:
    """``count`` hosts at one port, let in by one key, each running ``command`` only.

    ``{home}`` in ``command`` becomes the host's folder; an empty command allows every one.
    """

    def __init__(self, folder: Path, count: int, command: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.key = folder / "client_key"
        self.public, port = new_key(self.key), free_port()
        self.hosts = tuple(
            Sshd(folder / f"host-{number}", address_of(number), port) for number in range(count)
        )
        for host in self.hosts:
            host.authorize(self.public, options_for(command.format(home=host.home)))

    def __enter__(self) -> "Fleet":
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        try:
            for host in self.hosts:
                host.begin()
            for host in self.hosts:
                host.await_start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        for host in self.hosts:
            host.stop()


def new_key(path: Path) -> str:
    """Writes a private key; its public half, as in ``authorized_keys`` and ``known_hosts``."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def address_of(number: int) -> str:
    """127.0.1.1, 127.0.1.2, … and on in 127.0.2.0."""
    return f"127.0.{1 + number // HOSTS_A_NET}.{1 + number % HOSTS_A_NET}"


def free_port() -> int:
    with socket.socket() as free:
        free.bind((address_of(0), 0))
        port: int = free.getsockname()[1]
        return port


def options_for(command: str) -> str:
    """The options of a line in ``authorized_keys``; see sshd(8)."""
    if not command:
        return "restrict"
    quoted = command.replace('"', '\\"')
    return f'restrict,command="{quoted}"'


def is_sshd(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return str(process.name()).startswith("sshd")
    return False
