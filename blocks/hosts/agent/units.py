"""Units as files: one version of one service, its role, and the weights of a service's versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .files import read, write_text


def units(home: Path) -> dict[str, Any]:
    return {path.stem: read(path) for path in sorted((home / "units").glob("*@*.json"))}


def unit_path(home: Path, name: str) -> Path:
    return home / "units" / f"{name}.json"


def script_path(home: Path, name: str) -> Path:
    return home / "units" / f"{name}.sh"


def role_path(home: Path, name: str) -> Path:
    return home / "units" / f"{name}.role"


def role_of(home: Path, name: str) -> str:
    place = role_path(home, name)
    return place.read_text() if place.exists() else ""


def set_role(home: Path, name: str, role: str) -> None:
    write_text(role_path(home, name), role, 0o644)  # a container's user may be another


def weights_path(home: Path, service: str) -> Path:
    return home / "proxy" / f"weights-{service}.json"


def weights_of(home: Path, service: str) -> dict[str, int]:
    """Percent by version, as asked for last."""
    weights: dict[str, int] = read(weights_path(home, service), {})
    return weights


def web_services(home: Path) -> list[str]:
    return sorted({unit["service"] for unit in units(home).values() if unit["kind"] == "web"})


def versions_of(home: Path, service: str) -> list[str]:
    return [unit["version"] for unit in units(home).values() if unit["service"] == service]


def hex_of(digest: str) -> str:
    return digest.rpartition(":")[2]
