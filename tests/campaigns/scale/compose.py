"""``python -m tests.campaigns.scale.compose``: deployments/compose.yaml, built and run as it is.

On an engine of its own, with images that stand in for those of public registries: PostgreSQL,
Redis and HAProxy as Debian has them. Both workers carry runs of a flow; then a server and a worker
are killed, and the next run is carried all the same. Needs root; ends with 1 when it does not.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from deployments.settings import write_secret
from tests.engines import BASE_LIMIT_SECONDS, Engine, cached, debootstrapped, require, running

ROOT = Path(__file__).parents[3]
PACKAGES = "python3,python3-venv,git,ca-certificates,openssh-client,postgresql,redis-server,haproxy"
STANDS_IN, DATABASE = "stands-in", "stands-in-db"
OLDER = r"^(\S+==\S+) ; python_full_version < "
"""What the lock has for an older Python than the one that runs here, as Debian's may be."""
SECRET = "four tea-pots"  # noqa: S105 of this run's own database
LIMIT_SECONDS, RUN_SECONDS = 1200.0, 240.0
SHOP = """
shop: teapots
repository: .
route: [production]
services:
  web: {{kind: web, paths: [web], command: [run], requirements: r.txt,
        test: {{command: [test], requirements: r.txt}}}}
environments:
  production:
    ssh: {{key: "${{file:key}}"}}
    hosts: [{{name: away, address: 127.0.0.1, port: 9, host_key: {host_key}}}]
"""
"""Its one host is away: what is shown is that runs are carried, by whoever is left."""
POSTGRES = """#!/bin/sh
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin) data=/var/lib/postgresql/data
mkdir -p $data /run/postgresql && chown -R postgres $data /run/postgresql
cp "$POSTGRES_PASSWORD_FILE" /tmp/password && chown postgres /tmp/password
as() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
[ -e $data/PG_VERSION ] || \\
    as $bin/initdb -D $data -E UTF8 --locale C.UTF-8 -A scram-sha-256 --pwfile /tmp/password
echo "host all all all scram-sha-256" >> $data/pg_hba.conf
exec setpriv --reuid postgres --regid postgres --init-groups $bin/postgres -D $data -h '*'
"""
FLOW = "reconcile/teapots"


def main() -> int:
    require("dockerd", "docker", "docker-compose", "debootstrap")
    with tempfile.TemporaryDirectory(prefix="tradewind-compose-") as place, running() as engine:
        folder = Path(place)
        added(engine)
        with composed(engine, folder) as compose:
            return told(compose)


def added(engine: Engine) -> None:
    """The images that stand in for every base: Debian, the programs, the locked wheels."""
    packed = str(archive())
    own = ["--change", "ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels"]
    engine.docker("import", *own, packed, STANDS_IN)
    engine.docker("import", "--change", 'ENTRYPOINT ["postgres-entry"]', packed, DATABASE)


def archive() -> Path:
    """Made once for a lock, and kept in the user's cache."""
    lock = ROOT / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes() + POSTGRES.encode()).hexdigest()[:12]
    place = cached(f"scale-{digest}.tar")
    if not place.exists():
        said("a base image by debootstrap, with the locked packages beside it")
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="scale-") as folder:
            filled(Path(folder) / "root", lock)
            packed = Path(folder) / "base.tar"
            subprocess.run(["tar", "-C", f"{folder}/root", "-cf", str(packed), "."], check=True)
            packed.rename(place)
    return place


def filled(root: Path, lock: Path) -> None:
    debootstrapped(root, PACKAGES)
    wheels = [sys.executable, "-m", "pip", "wheel", "-qqq", "--no-deps", "--require-hashes"]
    chosen = ["--requirement", str(lock), "--wheel-dir", str(root / "wheels")]
    subprocess.run([*wheels, *chosen], check=True, timeout=BASE_LIMIT_SECONDS)
    older = re.findall(OLDER, lock.read_text(), re.MULTILINE)
    subprocess.run([*wheels[:-1], *older, *chosen[2:]], check=True, timeout=BASE_LIMIT_SECONDS)
    entry = root / "usr" / "local" / "bin" / "postgres-entry"
    entry.write_text(POSTGRES)
    entry.chmod(0o755)


class Compose:
    """The project as an operator drives it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        shop, secrets = folder / "shop", folder / "secrets"
        for one in (shop, secrets):
            one.mkdir()
        key = ed25519.Ed25519PrivateKey.generate()
        write_secret(shop / ".tradewind" / "key", pem(key))
        (shop / "shop.yaml").write_text(SHOP.format(host_key=line(key)))
        (secrets / "postgres_password").write_text(SECRET)
        address = f"postgresql://postgres:{SECRET.replace(' ', '%20')}@postgres/postgres"
        (secrets / "postgres_address").write_text(address)
        self._environment = {
            **os.environ, "DOCKER_HOST": engine.address, "COMPOSE_PROJECT_NAME": "tradewind",
            "SHOP_FOLDER": str(shop), "SECRETS_FOLDER": str(secrets), "TRADEWIND_USER": "0:0",
            "BASE_IMAGE": STANDS_IN, "REDIS_IMAGE": STANDS_IN, "HAPROXY_IMAGE": STANDS_IN,
            "POSTGRES_IMAGE": DATABASE,
        }  # fmt: skip

    def __call__(self, *arguments: str) -> str:
        command = ["docker-compose", "--file", str(ROOT / "deployments" / "compose.yaml")]
        ran = subprocess.run(
            [*command, *arguments], env=self._environment, capture_output=True, text=True,
            timeout=LIMIT_SECONDS,
        )  # fmt: skip
        if ran.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}")
        return ran.stdout

    def python(self, script: str) -> str:
        """Inside the first worker's image, against the door."""
        return self("run", "--rm", "-T", "apply", "python", "-c", script)


def pem(key: ed25519.Ed25519PrivateKey) -> str:
    form, none = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, none).decode()


def line(key: ed25519.Ed25519PrivateKey) -> str:
    """As a host shows it."""
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(encoding, form).decode()


@contextmanager
def composed(engine: Engine, folder: Path) -> Iterator[Compose]:
    compose = Compose(engine, folder)
    said("docker-compose build")
    compose("build")
    said("docker-compose up")
    begun = time.monotonic()
    compose("up", "--detach")
    said(f"  up after {time.monotonic() - begun:.0f} s")
    yield compose
    compose("down", "--volumes")


def told(compose: Compose) -> int:
    seen = carried(compose, lambda found: len(found) == 2, "both workers carry runs")
    compose("kill", "server-a")
    compose("kill", seen[0])
    left = ({"worker-1", "worker-2"} - {seen[0]}).pop()
    after = carried(compose, lambda found: found == [left], f"without server-a and {seen[0]}")
    return 0 if after == [left] else 1


def carried(compose: Compose, enough: Callable[[list[str]], bool], what: str) -> list[str]:
    """Runs of a flow, one after another, until ``enough`` workers had one of them."""
    begun, found = time.monotonic(), set[str]()
    while time.monotonic() - begun < RUN_SECONDS and not enough(sorted(found)):
        ran = json.loads(compose.python(ONE_RUN).splitlines()[-1])
        found = found | {ran["worker"]} if ran["state"] == "Completed" else found
    said(f"{what}: {', '.join(sorted(found))} after {time.monotonic() - begun:.0f} s")
    return sorted(found)


ONE_RUN = f"""
import json
import re
from pathlib import Path
from deployments.settings import state_of, use
use(state_of(Path("/shop/shop.yaml")))
from blocks import prefect_runs as runs
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
run = runs.start({FLOW!r}, {{"shop": "teapots"}})
ended = runs.follow(run, {RUN_SECONDS})
chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
with get_client(sync_client=True) as client:
    said = " ".join(one.message for one in client.read_logs(chosen, limit=50))
found = re.search("worker-[12]", said)
print(json.dumps({{"state": ended.name, "worker": found.group() if found else said}}))
"""


def said(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
