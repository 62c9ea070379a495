"""Locked requirements, installed once per digest into a folder that a PYTHONPATH can name."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from blocks.commands import run
from domain.errors import Failed

LIMIT_SECONDS = 600.0


class Environments:
    """A folder of site directories by digest, each complete or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def site(self, requirements: Path) -> Path:
        """The folder with everything that ``requirements`` locks; Failed when it cannot be had."""
        place = self.folder / requirements_digest(requirements).removeprefix("sha256:")[:24]
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(place.with_suffix(".lock")):
            if not place.exists():
                self._install(requirements, place)
        return place

    def _install(self, requirements: Path, place: Path) -> None:
        fresh = Path(tempfile.mkdtemp(prefix="incomplete-", dir=self.folder))
        try:
            ran = run(_command(requirements, fresh), place.with_suffix(".log"), LIMIT_SECONDS)
            if ran.exit_code != 0:
                raise Failed(f"installing {requirements.name} failed: {ran.tail[-2000:]}")
            fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def requirements_digest(requirements: Path) -> str:
    """Of the locked versions and of the Python they are for."""
    version = f"{sys.implementation.cache_tag}\n".encode()
    return "sha256:" + sha256(version + requirements.read_bytes()).hexdigest()


def _command(requirements: Path, into: Path) -> list[str]:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else "uv"
    return [
        uv, "pip", "install", "--quiet", "--require-hashes", "--link-mode", "copy",
        "--python", sys.executable, "--target", str(into), "--requirements", str(requirements),
    ]  # fmt: skip


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
