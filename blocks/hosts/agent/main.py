"""``python agent VERB HOME …``: serve requests, or become what supervisord was told to run."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Each word imports what it needs: a unit's start should not wait for the rest."""
    verb, *words = sys.argv[1:]
    if verb == "serve":
        from .verbs import serve

        serve(Path(words[0]))
    elif verb == "exec":
        from .launch import become

        become(Path(words[0]), words[1])
    elif verb == "job":
        from .jobs import execute

        execute(Path(words[0]), words[1], words[2], float(words[3]))
    elif verb == "output":
        from .launch import output_to

        output_to(words[0], words[1:])
    else:
        sys.exit(f"{verb!r} is none of serve, exec, job, output")
