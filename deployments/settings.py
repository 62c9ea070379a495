"""Where a shop's state is and how its Prefect is reached; read before Prefect is imported."""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GIVEN_PREFECT, GIVEN_POSTGRES = "TRADEWIND_PREFECT_API", "TRADEWIND_POSTGRES_FILE"
"""Where several machines share them: the API's address, and a file with that of the database."""


def state_of(shop: Path) -> Path:
    """The state folder beside a shop.yaml."""
    return shop.resolve().parent / ".tradewind"


def use(state: Path) -> None:
    """Points this process, and what it starts, at the shop's own Prefect.

    Prefect reads its settings once, when it is imported: call this before.
    """
    os.environ.update({**prefect_environment(state), "PREFECT_LOGGING_LEVEL": "WARNING"})


def prefect_environment(state: Path) -> dict[str, str]:
    """Settings of every process that speaks to this stack's Prefect, apart from the user's own."""
    runtime = state / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "PREFECT_HOME": str(state / "prefect"),
        "PREFECT_API_URL": api_of(state),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", str(runtime)),
    }


def api_of(state: Path) -> str:
    """The address of Prefect's API: a given one, else that of the server beside the shop."""
    return os.environ.get(GIVEN_PREFECT) or f"http://127.0.0.1:{port_of(state)}/api"


def given_postgres() -> str:
    """The address of the database server that others run, "" where there is none."""
    place = os.environ.get(GIVEN_POSTGRES, "")
    return Path(place).read_text().strip() if place else ""


def port_of(state: Path) -> int:
    """The Prefect server's port: chosen once, so that its address outlives a restart."""
    known = remembered(state).get("port")
    if known is None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            known = listening.getsockname()[1]
        remember(state, {"port": known})
    return int(known)


def remembered(state: Path) -> dict[str, Any]:
    place = state / "stack.json"
    known: dict[str, Any] = json.loads(place.read_text()) if place.exists() else {}
    return known


def remember(state: Path, more: Mapping[str, Any]) -> None:
    write_secret(state / "stack.json", json.dumps({**remembered(state), **more}, indent=1))


def write_secret(place: Path, text: str) -> None:
    """For this user only; complete or as it was."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"{place.name}.fresh")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(place)
