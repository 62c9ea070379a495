"""A commit's migrations, and the service's own code that is asked about them or runs them."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from blocks.commands import Ran, run
from domain.errors import Failed, Refused, Unavailable

PLAN_SECONDS = 300.0
APPLY_SECONDS = 3600.0
SHOWN_CHARACTERS = 1000
CHILDREN = Path(__file__).parent / "children"
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL|DSN|URL", re.IGNORECASE)


@dataclass(frozen=True)
class Scripts:
    """An exported commit, the folder of its migrations in it, and its installed requirements.

    ``variables`` are what the service's own code finds in its environment besides DATABASE_URL.
    """

    source: Path
    folder: str
    site: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.source / self.folder

    def upwards(self) -> Iterator[Path]:
        """The folder of the migrations and those around it, up to the commit's own."""
        for folder in (self.path, *self.path.parents):
            yield folder
            if folder == self.source:
                return


@dataclass(frozen=True)
class Child:
    """A process of the service's own environment: ``program`` is one of ``children``.

    It runs in ``home``, is told DATABASE_URL, and dies with this process.
    """

    scripts: Scripts
    program: str
    home: Path
    database_url: str

    def asked(self, request: Mapping[str, Any]) -> Any:
        """Its answer; Refused when it fails, Unavailable after ``PLAN_SECONDS``."""
        with tempfile.TemporaryDirectory(prefix="tradewind-migrator-") as folder:
            ran = self._ran(request, Path(folder), PLAN_SECONDS)
            if ran.exit_code is None:
                raise Unavailable(f"{self.program} did not end within {PLAN_SECONDS:.0f} s")
            if ran.exit_code:
                raise Refused(f"{self.program}: {self._shown(ran)}")
            return json.loads((Path(folder) / "answer").read_text())

    def told(self, what: str, request: Mapping[str, Any]) -> None:
        """Lets it change the database; Failed names ``what``, also after ``APPLY_SECONDS``."""
        with tempfile.TemporaryDirectory(prefix="tradewind-migrator-") as folder:
            ran = self._ran(request, Path(folder), APPLY_SECONDS)
        if ran.exit_code is None:
            raise Failed(f"{what} did not end within {APPLY_SECONDS:.0f} s and was ended")
        if ran.exit_code:
            raise Failed(f"{what} failed: {self._shown(ran)}")

    def _ran(self, request: Mapping[str, Any], folder: Path, limit_seconds: float) -> Ran:
        database = conninfo_to_dict(self.database_url).get("dbname", "")
        (folder / "request").write_text(json.dumps({**request, "database": database}))
        command = [
            sys.executable, "-P", str(CHILDREN / "launch.py"),
            str(CHILDREN / f"{self.program}_child.py"), str(os.getpid()), str(folder),
        ]  # fmt: skip
        return run(command, folder / "log", limit_seconds, self.home, self._environment())

    def _environment(self) -> dict[str, str]:
        paths = dict.fromkeys((self.home, self.scripts.source, self.scripts.site))
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            **self.scripts.variables,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "DATABASE_URL": self.database_url,
        }

    def _shown(self, ran: Ran) -> str:
        """The end of what it wrote, without the values that the environment calls secret."""
        text = ran.tail
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text.strip()[-SHOWN_CHARACTERS:]

    def _secrets(self) -> set[str]:
        variables = self.scripts.variables
        named = {value for name, value in variables.items() if SECRET.search(name)}
        return {*named, self.database_url, *_passwords(self.database_url)} - {""}


def _passwords(database_url: str) -> set[str]:
    """As written in the address, and as it reads when decoded."""
    decoded = conninfo_to_dict(database_url).get("password")
    return {urlsplit(database_url).password or "", str(decoded or "")}


def only_postgresql(database_url: str) -> None:
    """Raises Refused, without the address, for anything else."""
    kind = urlsplit(database_url).scheme or "not named by an address"
    if kind not in ("postgresql", "postgres"):
        raise Refused(f"database is {kind}: only postgresql is supported")
    try:
        conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        raise Refused("database's address cannot be read by libpq") from None
