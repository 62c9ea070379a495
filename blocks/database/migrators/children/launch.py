"""Runs a program that answers one request, and dies with the process that started it."""

import ctypes
import json
import os
import runpy
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main(program: str, parent: str, folder: str) -> None:
    """``folder`` has the request, and gets the answer, as JSON."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        raise SystemExit("who asked is gone")
    request = json.loads((Path(folder) / "request").read_text())
    answer = runpy.run_path(program)["answer"](request)
    (Path(folder) / "answer").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
