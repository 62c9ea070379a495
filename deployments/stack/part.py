"""``python -m deployments.stack.part PART``: one part of a stack that several machines share.

In the foreground, as a container or a system service runs it. Reads TRADEWIND_SHOP,
TRADEWIND_PREFECT_API, TRADEWIND_POSTGRES_FILE and TRADEWIND_REDIS.
"""

import os
import socket
from pathlib import Path
from typing import Annotated, Literal

import typer

from deployments.settings import given_postgres, state_of, use
from domain.errors import BadInput

Shop = Annotated[Path, typer.Option(help="The shop's file.", envvar="TRADEWIND_SHOP")]
Redis = Annotated[str, typer.Option(help="As redis://host:6379.", envvar="TRADEWIND_REDIS")]
Part = Literal["server", "services", "worker"]
PORT = 4200


def main(part: Part, shop: Shop = Path("shop.yaml"), redis: Redis = "") -> None:
    """This process becomes that part; BadInput where an address is missing."""
    state = state_of(shop)
    use(state)
    from deployments.stack import commands  # Prefect reads its settings when it is imported

    if part == "worker":
        name, temporary = socket.gethostname(), state / "tmp" / socket.gethostname()
        _become(commands.worker(name), commands.worker_environment(state, temporary))
    else:
        command = commands.services() if part == "services" else commands.api_only(PORT, "0.0.0.0")
        _become(command, _of_servers(state, redis))


def _of_servers(state: Path, redis: str) -> dict[str, str]:
    from deployments.stack import commands, encryption_key
    from deployments.stack.postgres import GivenPostgres

    database = given_postgres()
    missing = [
        f"{name} is missing: servers share it"
        for name, value in (("TRADEWIND_POSTGRES_FILE", database), ("TRADEWIND_REDIS", redis))
        if not value
    ]
    if missing:
        raise BadInput(*missing)
    own = commands.server_environment(
        state, GivenPostgres(database).url("prefect"), encryption_key(state)
    )
    return {**own, **commands.shared_by_redis(redis)}


def _become(command: list[str], environment: dict[str, str]) -> None:
    os.execvpe(command[0], command, {**os.environ, **environment})  # noqa: S606 a list, on purpose


if __name__ == "__main__":
    typer.run(main)
