"""References in shop.yaml: ``${env:NAME}`` and ``${file:PATH}``, resolved when used."""

import re
from collections.abc import Mapping
from pathlib import Path

from domain.errors import BadInput

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")


def resolve(text: str, folder: Path, environment: Mapping[str, str]) -> str:
    """``text`` with every reference replaced; files are relative to ``folder`` and inside it.

    Raises BadInput naming a reference that leads nowhere; a value is never part of an error.
    """
    return _REFERENCE.sub(lambda found: _value(found, folder, environment), text)


def _value(found: re.Match[str], folder: Path, environment: Mapping[str, str]) -> str:
    kind, name = found.groups()
    if kind == "env":
        if name not in environment:
            raise BadInput(f"{found[0]}: the environment variable {name} is not set")
        return environment[name]
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadInput(f"{found[0]} leads outside of {folder}")
    try:
        return path.read_text().rstrip("\n")
    except OSError as error:
        raise BadInput(f"{found[0]}: {path} cannot be read: {error.strerror}") from error
