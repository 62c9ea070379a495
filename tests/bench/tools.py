"""ansible-core and pyinfra in an environment of their own, exactly as locked."""

import os
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("requirements.lock")
FOLDER = Path(".tradewind/bench").absolute()
ENVIRONMENT = FOLDER / "tools"
LIMIT_SECONDS = 600


def install() -> None:
    """Does nothing when what is there is what the lock says."""
    mark = ENVIRONMENT / "installed.lock"
    if mark.exists() and mark.read_text() == LOCK.read_text():
        return
    ours = Path(sys.executable).parent / "uv"
    environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT)}
    for asked in (
        ("venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)),
        ("pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(LOCK)),
    ):
        subprocess.run([ours, *asked], env=environment, check=True, timeout=LIMIT_SECONDS)
    mark.write_text(LOCK.read_text())


def program(name: str) -> str:
    return str(ENVIRONMENT / "bin" / name)


def version_of(package: str) -> str:
    """As locked."""
    found = (line for line in LOCK.read_text().splitlines() if line.startswith(f"{package}=="))
    return next(found).split("==")[1].split()[0]
