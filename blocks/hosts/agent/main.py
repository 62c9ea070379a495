"""``python agent VERB …``: serve a connection, run a job, or become a program with its output."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Each word imports what it needs: a start should not wait for the rest."""
    verb, *words = sys.argv[1:]
    if verb == "serve":
        from .verbs import serve

        serve(Path(words[0]))
    elif verb == "job":
        from .jobs import execute

        execute(Path(words[0]), words[1], words[2], float(words[3]))
    elif verb == "output":
        from .launch import output_to

        output_to(words[0], words[1:])
    else:
        sys.exit(f"{verb!r} is none of serve, job, output")
