"""A release's schema change by Alembic, as SQL, made in the release's own environment."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Refused, Unavailable
from domain.migration import Migration

LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class Scripts:
    """An exported commit, the folder of its migrations in it, and its installed requirements."""

    source: Path
    folder: str
    site: Path


def planned(scripts: Scripts, before: str) -> Migration:
    """The SQL from revision ``before`` ("" = nothing there) to this commit's newest.

    Raises Refused when the scripts do not work or have no single head.
    """
    heads = _alembic(scripts, "heads").split()
    names = [word for word in heads if word != "(head)"]
    if len(names) != 1:
        raise Refused(f"migrations have {len(names)} heads ({', '.join(names)}), 1 is needed")
    after = names[0]
    if before == after:
        return Migration(before, before, "")
    span = f"{before}:{after}" if before else after
    return Migration(before, after, _plain(_alembic(scripts, "upgrade", span, "--sql")))


def _alembic(scripts: Scripts, *arguments: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as ini:
        ini.write(f"[alembic]\nscript_location = {scripts.source / scripts.folder}\n")
        ini.flush()
        return _ran([sys.executable, "-m", "alembic", "-c", ini.name, *arguments], scripts)


def _ran(command: Sequence[str], scripts: Scripts) -> str:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join((str(scripts.source), str(scripts.site))),
    }
    try:
        ran = subprocess.run(
            command, env=environment, cwd=scripts.source, timeout=LIMIT_SECONDS,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"alembic did not end within {LIMIT_SECONDS:.0f} s") from error
    if ran.returncode:
        raise Refused(f"alembic {command[-1]}: {ran.stderr.strip()[-1000:]}")
    return ran.stdout


def _plain(text: str) -> str:
    """Without its own transaction: it runs in ours, with the fence."""
    lines = (line for line in text.splitlines() if line.strip() not in ("BEGIN;", "COMMIT;"))
    return "\n".join(lines).strip()
