"""``python agent VERB HOME …``: serve requests, or become what supervisord was told to run."""

from __future__ import annotations

import sys
from pathlib import Path

from . import jobs, processes, verbs


def main() -> None:
    verb, *words = sys.argv[1:]
    if verb == "serve":
        verbs.serve(Path(words[0]))
    elif verb == "exec":
        processes.become(Path(words[0]), words[1])
    elif verb == "job":
        jobs.execute(Path(words[0]), words[1], words[2], float(words[3]))
    elif verb == "output":
        processes.output_to(words[0], words[1:])
    else:
        sys.exit(f"{verb!r} is none of serve, exec, job, output")
