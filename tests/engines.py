"""Real Docker engines and a real registry, each with folders, addresses and an end of its own."""

import json
import os
import platform
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
import httpx
import psutil
import pytest

from blocks.images import ImageIngredients
from deployments.stack.processes import Process, end_tree, ended, started, until, wait_for

BASE = "tradewind-base"
BASE_LIMIT_SECONDS, START_SECONDS, END_SECONDS, CALL_SECONDS = 900, 120.0, 30.0, 180
PACKAGES = "python3-minimal,libpython3-stdlib"
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
              "var/lib/apt/lists", "var/cache/apt", "var/log")  # fmt: skip
SAMPLE = Path(__file__).parent / "blocks" / "sample_image"
SERVED_PORTS = range(20_000, 30_000)
NETS = range(1, 200)
USER, PASSWORD = "shop", "four tea-pots"


def require(*programs: str) -> None:
    """Skips the test where a program or root is missing; in CI, as root, that is a failure."""
    missing = [name for name in programs if shutil.which(name) is None]
    if os.geteuid() == 0 and missing and os.environ.get("CI"):
        pytest.fail(f"not installed: {', '.join(missing)}; see `make engines`")
    if os.geteuid() or missing:
        pytest.skip(f"needs root and {', '.join(programs)}")


def base_archive() -> Path:
    """A small Debian with Python as a tar, made once and kept in the user's cache."""
    place = cached(f"base-{codename()}-{platform.machine()}.tar")
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="base-") as folder:
            debootstrapped(Path(folder) / "root")
            command = ["tar", "-C", f"{folder}/root", "-cf", f"{folder}/base.tar", "."]
            subprocess.run(command, check=True, timeout=BASE_LIMIT_SECONDS)
            Path(folder, "base.tar").rename(place)
    return place


def cached(name: str) -> Path:
    """Where a file that is costly to make is kept for this user, whether it is there or not."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradewind-tests"
    cache.mkdir(parents=True, exist_ok=True)
    return cache / name


def codename() -> str:
    """Of this Debian; elsewhere the stable one."""
    release = platform.freedesktop_os_release()
    return release["VERSION_CODENAME"] if release["ID"] == "debian" else "stable"


def debootstrapped(root: Path, packages: str = PACKAGES) -> None:
    """A Debian with ``packages`` in an empty folder."""
    require("debootstrap")
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", codename(), str(root)]
    made = subprocess.run(
        [*command, *_mirrors()], capture_output=True, text=True, timeout=BASE_LIMIT_SECONDS
    )
    if made.returncode:
        pytest.fail(f"debootstrap: {(made.stdout + made.stderr)[-1500:]}")
    for name in NOT_NEEDED:
        shutil.rmtree(root / name, ignore_errors=True)


def _mirrors() -> list[str]:
    """Where apt finds this Debian, if it says so; else debootstrap has a default."""
    command = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=CALL_SECONDS)
    known = [line.split() for line in listed.stdout.splitlines()]
    return [place for release, place in known if release == codename()][:1]


def sample(
    version: str, source: str = "1", folder: Path = SAMPLE, **arguments: str
) -> ImageIngredients:
    """The sample shop as a service "web"; other arguments make another image."""
    told = {"BASE": BASE, **arguments}
    when = datetime(2026, 11, 24, tzinfo=UTC)
    return ImageIngredients(
        "web", version, version, "c0ffee", when, folder, "Dockerfile", told, source
    )


def served_port() -> int:
    """A free port on loopback, below those that the kernel takes for outgoing connections."""
    for port in random.sample(SERVED_PORTS, len(SERVED_PORTS)):
        with suppress(OSError), socket.socket() as free:
            free.bind(("127.0.0.1", port))
            return port
    raise TimeoutError(f"no port of {SERVED_PORTS} is free")


class Engine:
    """A dockerd on a Unix socket only, with a bridge of its own; it publishes ports on loopback."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tw-engine-"))
        self.socket = str(self.folder / "docker.sock")
        self.log = self.folder / "log"
        self.net = _bridge()
        self.process: Process | None = None

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        self.process = started(self._command(), self.log, {})
        wait_for("dockerd", self._answers, START_SECONDS, self.log)

    def _command(self) -> list[str]:
        """Without iptables, which it would share with others: docker-proxy publishes the ports."""
        return [
            "dockerd", "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
            "--pidfile", f"{self.folder}/pid", "--host", self.address,
            "--bridge", _name(self.net), "--iptables=false", "--ip6tables=false",
            "--ip-masq=false", "--cgroup-parent", f"/{_name(self.net)}",
            "--default-address-pool", f"base=10.213.{self.net}.128/25,size=28",
        ]  # fmt: skip

    def _answers(self) -> bool:
        return self.docker("version", check=False).returncode == 0

    def docker(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """The command line's own answer, for what a person would look at."""
        command = ["docker", "--host", self.address, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=check, timeout=CALL_SECONDS
        )

    def inspect(self, name: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.docker("inspect", name).stdout)[0]
        return found

    def add_base(self) -> None:
        """The base image, which no registry has to give."""
        self.docker("import", str(base_archive()), BASE)

    def listening(self) -> set[tuple[str, int]]:
        """TCP addresses on which this engine, or what it started, listens."""
        assert self.process is not None
        engine = psutil.Process(self.process.pid)
        every = (engine, *engine.children(recursive=True))
        return set().union(*(_listening(one) for one in every))

    def clear(self) -> None:
        """No container is left."""
        names = self.docker("ps", "--all", "--quiet").stdout.split()
        if names:
            self.docker("rm", "--force", "--volumes", *names)
        self.docker("network", "prune", "--force")

    def end(self) -> None:
        """It ends with all that it started; mounts, control groups and the bridge go."""
        if self.process is not None and self.process.runs():
            self.clear()
            end_tree(self.process, END_SECONDS)
        for left in _processes_of(self.folder):
            ended(left, "KILL", END_SECONDS)
        _unmount(self.folder)
        for group in Path("/sys/fs/cgroup").glob(f"**/{_name(self.net)}"):
            _remove_group(group)
        subprocess.run(["ip", "link", "delete", _name(self.net)], check=True, timeout=CALL_SECONDS)
        shutil.rmtree(self.folder)


def _processes_of(folder: Path) -> list[Process]:
    """What names the folder in its command: nobody else's does."""
    named = [one for one in psutil.process_iter(["cmdline"]) if f"{folder}/" in _command(one)]
    return [Process.of(one.pid) for one in named]


def _command(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or ())


def _listening(process: psutil.Process) -> set[tuple[str, int]]:
    with suppress(psutil.NoSuchProcess):
        found = process.net_connections(kind="tcp")
        return {tuple(one.laddr) for one in found if one.status == psutil.CONN_LISTEN}
    return set()


def _name(net: int) -> str:
    return f"tradewind{net}"


def _bridge() -> int:
    """The number of a bridge that is ours alone: making one that is there fails."""
    for net in NETS:
        command = ["ip", "link", "add", _name(net), "type", "bridge"]
        if subprocess.run(command, capture_output=True, timeout=CALL_SECONDS).returncode == 0:
            for more in (
                ["addr", "add", f"10.213.{net}.1/25", "dev", _name(net)],
                ["link", "set", _name(net), "up"],
            ):
                subprocess.run(["ip", *more], check=True, timeout=CALL_SECONDS)
            return net
    raise TimeoutError(f"no bridge of {len(NETS)} is free: `ip link` shows who has them")


def _unmount(folder: Path) -> None:
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((one for one in mounted if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=True, timeout=CALL_SECONDS)


def _remove_group(group: Path) -> None:
    """A control group goes once nothing is in it; those inside it go first."""
    for inner in sorted(group.rglob("*/"), reverse=True):
        with suppress(OSError):
            inner.rmdir()
    until(lambda: _removed(group), END_SECONDS)


def _removed(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


class Registry:
    """Debian's docker-registry on loopback, with one account."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.address = folder, f"127.0.0.1:{served_port()}"
        self.log = folder / "log"
        self.process: Process | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (self.folder / "htpasswd").write_text(f"{USER}:{secret}\n")
        (self.folder / "config.yml").write_text(json.dumps(self._configuration()))
        command = ["docker-registry", "serve", str(self.folder / "config.yml")]
        self.process = started(command, self.log, {"OTEL_TRACES_EXPORTER": "none"})
        wait_for("the registry", self._answers, START_SECONDS, self.log)

    def _configuration(self) -> dict[str, object]:
        return {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "images")}},
            "http": {"addr": self.address},
            "auth": {"htpasswd": {"realm": "tests", "path": str(self.folder / "htpasswd")}},
        }

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://{self.address}/v2/", auth=(USER, PASSWORD)).is_success
        return False

    def end(self) -> None:
        if self.process is not None:
            end_tree(self.process, END_SECONDS)


@contextmanager
def running() -> Iterator[Engine]:
    """An engine of one's own; everything of it is gone afterwards."""
    require("dockerd", "docker", "ip")
    engine = Engine()
    with ExitStack() as at_end:
        at_end.callback(engine.end)
        engine.start()
        yield engine


@pytest.fixture(scope="session")
def builder() -> Iterator[Engine]:
    """The engine on which images are built; it has the base image."""
    with running() as engine:
        engine.add_base()
        yield engine


@pytest.fixture(scope="session")
def host_engine() -> Iterator[Engine]:
    """A host's engine, with no image at first."""
    with running() as engine:
        yield engine


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    require("docker-registry")
    made = Registry(tmp_path_factory.mktemp("registry"))
    with ExitStack() as at_end:
        at_end.callback(made.end)
        made.start()
        yield made
