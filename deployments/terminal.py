"""What the commands share: their options, the shop they are about, how an answer is shown."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.settings import state_of, use
from domain.errors import BadInput

if TYPE_CHECKING:
    from blocks.shop import Live
    from deployments.actions import Actions

Json = Annotated[bool, typer.Option("--json", help="For machines: one JSON value.")]
By = Annotated[str, typer.Option("--by", help="Your name.", envvar="TRADEWIND_BY")]
Reason = Annotated[str, typer.Option(help="Why.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


class Chosen:
    """The shop that this call is about: the root command's ``--shop``."""

    shop = Path("shop.yaml")


def actions() -> "Actions":
    """Imported late: Prefect reads its settings when it is imported, and ``--help`` needs none."""
    _use_its_prefect()
    from deployments.actions import Actions

    return Actions(Chosen.shop)


def live() -> "Live":
    """The shop that ``--shop`` names; imported late, too."""
    _use_its_prefect()
    from blocks.shop import Live

    return Live(Chosen.shop, state_of(Chosen.shop))


def _use_its_prefect() -> None:
    """BadInput where there is no shop.yaml, before a state folder is made beside it."""
    if not Chosen.shop.is_file():
        raise BadInput(f"--shop is {Chosen.shop}: there is no such file")
    use(state_of(Chosen.shop))


def shown(content: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(content, indent=2, default=str))
        return
    from deployments.screen import show

    show(content)


def ended(content: dict[str, Any], as_json: bool) -> None:
    """0 for a good end, 2 when nothing was changed, 3 while a person is waited for, else 1."""
    shown(content, as_json)
    if content["version"] and content["state"] in ("Refused", "Restored", "Halted"):
        print(f"why, and what to do: tradewind why {content['version']}", file=sys.stderr)
    raise typer.Exit({"Completed": 0, "Refused": 2, "Suspended": 3}.get(content["state"], 1))
