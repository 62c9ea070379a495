"""A real Bugsink on this machine: an error tracker that speaks the Sentry SDKs' protocol."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sentry_sdk

from blocks.environments import Environments
from deployments.stack.processes import end_tree, started, wait_for

LOCK = Path(__file__).with_name("bugsink.lock")
START_SECONDS, END_SECONDS, CALL_SECONDS, MIGRATION_SECONDS = 60.0, 10.0, 10.0, 300
DATABASES, TOKEN = ("default", "snappea"), "token"
SETTINGS = """
from pathlib import Path
from bugsink.settings.default import *
HERE = Path(__file__).parent
SECRET_KEY = "of a test"
for name in ("default", "snappea"):
    DATABASES[name]["NAME"] = HERE / f"{name}.sqlite3"
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
BUGSINK = {
    "BASE_URL": "ADDRESS", "SINGLE_USER": True, "SINGLE_TEAM": True, "PHONEHOME": False,
    "INGEST_STORE_BASE_DIR": str(HERE / "ingest"), "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES": 100_000,
    "MAX_EVENTS_PER_PROJECT_PER_HOUR": 100_000, "MAX_EVENTS_PER_5_MINUTES": 100_000,
    "MAX_EVENTS_PER_HOUR": 100_000,
}
"""


@dataclass(frozen=True)
class Bugsink:
    """One server; ``token`` may do everything."""

    url: str
    token: str

    def project(self, name: str) -> tuple[str, str]:
        """A new one: its number and its DSN."""
        team = self._asked("POST", "teams", {"name": name})["id"]
        self._asked("POST", "projects", {"name": name, "team": team})
        (row,) = (one for one in self.rows("projects") if one["name"] == name)
        return str(row["id"]), str(row["dsn"])

    def rows(self, what: str, **asked: Any) -> list[dict[str, Any]]:
        return list(self._asked("GET", what, None, asked)["results"])

    def _asked(
        self, method: str, what: str, body: Any, asked: Mapping[str, Any] | None = None
    ) -> Any:
        answer = httpx.request(
            method, f"{self.url}/api/canonical/0/{what}/", json=body, params=asked,
            headers={"Authorization": f"Bearer {self.token}"}, timeout=CALL_SECONDS,
        )  # fmt: skip
        return answer.raise_for_status().json()


class Reporter:
    """A service as its SDK speaks for it."""

    def __init__(self, dsn: str, release: str, environment: str = "production") -> None:
        self._client = sentry_sdk.Client(
            dsn=dsn, release=release, environment=environment,
            default_integrations=False, auto_enabling_integrations=False,
        )  # fmt: skip

    def fails(self, kind: str, times: int = 1) -> None:
        """Errors of one kind; they have arrived when this returns."""
        values = [{"type": kind, "value": "of a test"}]
        for _ in range(times):
            told: Any = {"exception": {"values": values}, "level": "error"}
            assert self._client.capture_event(told)
        self._client.flush(CALL_SECONDS)


@contextmanager
def running(folder: Path) -> Iterator[Bugsink]:
    """From a database that was made once; everything it keeps is in ``folder``."""
    address = f"http://127.0.0.1:{_free_port()}"
    environment = _prepared(folder, address)
    for name in DATABASES:
        shutil.copy(_template() / f"{name}.sqlite3", folder)
    token = (_template() / TOKEN).read_text().strip()
    bind = address.removeprefix("http://")
    command = [sys.executable, "-m", "gunicorn", "--bind", bind, "--threads", "4"]
    log = folder / "bugsink.log"
    server = started(
        [*command, "--no-control-socket", "--graceful-timeout", "1", "bugsink.wsgi"],
        log,
        environment,
    )
    try:
        wait_for("bugsink", lambda: _answers(address), START_SECONDS, log)
        yield Bugsink(address, token)
    finally:
        end_tree(server, END_SECONDS)


@pytest.fixture(scope="session")
def bugsink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    with running(tmp_path_factory.mktemp("bugsink")) as server:
        yield server


def _template() -> Path:
    """Migrated databases, made once for these locked versions: they take half a minute."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradewind-tests"
    place = _site().with_suffix(".databases")
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=cache, prefix="bugsink-") as folder:
            fresh = Path(folder) / "fresh"
            fresh.mkdir()
            environment = _prepared(fresh, "http://127.0.0.1")
            for name in DATABASES:
                _manage(environment, "migrate", f"--database={name}")
            (fresh / TOKEN).write_text(_manage(environment, "create_auth_token"))
            if not place.exists():
                fresh.rename(place)
    return place


def _site() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradewind-tests"
    return Environments(cache / "bugsink").site(LOCK)


def _prepared(folder: Path, address: str) -> Mapping[str, str]:
    """Its settings in ``folder``, and the variables by which it finds them."""
    (folder / "bugsink_conf.py").write_text(SETTINGS.replace("ADDRESS", address))
    path = f"{folder}{os.pathsep}{_site()}"
    return {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "bugsink_conf"}


def _manage(environment: Mapping[str, str], *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "django", *words],
        env=dict(environment), capture_output=True, text=True,
        timeout=MIGRATION_SECONDS, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready", timeout=CALL_SECONDS).is_success
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
