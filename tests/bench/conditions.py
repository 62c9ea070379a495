"""Under which conditions a run measured."""

import os
import platform
import subprocess
import time
from pathlib import Path

import paramiko
import psutil

from tests.bench.results import Result
from tests.bench.tools import version_of

GIB = 1 << 30


def conditions() -> Result:
    found = {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": said("git", "rev-parse", "--short", "HEAD"),
        "machine": f"{os.cpu_count()} cores ({processor()}), "
        f"{psutil.virtual_memory().total / GIB:.0f} GiB",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "OpenSSH": said("ssh", "-V").split(",")[0],
        "paramiko": paramiko.__version__,
        "ansible-core": version_of("ansible-core"),
        "pyinfra": version_of("pyinfra"),
        "hosts": "real sshd processes on loopback addresses of this machine",
    }
    return Result("Conditions", ("what", "found"), tuple(found.items()), found)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def said(*command: str) -> str:
    """What a program says of itself, on either output."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (ran.stdout or ran.stderr).strip()
