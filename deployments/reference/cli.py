"""Every command of ``tradewind``, read from the command line's own objects."""

from collections.abc import Iterator
from typing import Any

import typer

from deployments.cli import app
from deployments.reference.page import described, page, shown, table

SAID = (
    "`tradewind --help` and `tradewind COMMAND --help` say the same. `--shop` names the shop's file"
    " (or the variable `TRADEWIND_SHOP`; `shop.yaml` where there is neither), and stands before the"
    " command. Exit codes: 0 done, 2 refused (nothing was changed), 3 a person is waited for, 1"
    " anything else."
)


def cli() -> str:
    """A section for each command, groups in the order of the help."""
    root = typer.main.get_command(app)
    return page("The command line", SAID, (_section(*one) for one in commands(root, "tradewind")))


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Everything that can be called, by its full name."""
    below = getattr(command, "commands", {})
    if not below or getattr(command, "invoke_without_command", False):
        yield name, command
    for word, one in below.items():
        yield from commands(one, f"{name} {word}")


def _section(name: str, command: Any) -> str:
    rows = [_row(one) for one in command.params if one.name != "help"]
    called = " ".join((name, *_usage(command)))
    said = described(command.callback) or command.help or ""
    made = table(("Option or argument", "What", "Where it is left out"), rows)
    return "\n\n".join(part for part in (f"## {name}", said, f"    {called}", made) if part)


def _usage(command: Any) -> Iterator[str]:
    for one in command.params:
        if one.param_type_name == "argument":
            yield one.name.upper() if one.required else f"[{one.name.upper()}]"
        elif one.required:
            yield f"{one.opts[0]} {_value(one)}"
    if any(one.param_type_name == "option" and not one.required for one in command.params):
        yield "[options]"


def _row(one: Any) -> tuple[str, str, str]:
    name = one.name.upper()
    if one.param_type_name == "option":
        name = ", ".join(one.opts) + (f" {_value(one)}" if _value(one) else "")
    said = (getattr(one, "help", "") or "").replace("|", "\\|")
    again = "" if one.nargs != -1 and not getattr(one, "multiple", False) else "May be repeated."
    told = said if "repeated" in said else f"{said} {again}".strip()
    return f"`{name}`", told, _default(one)


def _value(one: Any) -> str:
    """What follows an option; nothing follows one that is only there or not."""
    if one.is_flag:
        return ""
    return " ".join([one.name.split("_")[-1].upper()] * max(one.nargs, 1))


def _default(one: Any) -> str:
    if one.required:
        return f"**needed**, or `{one.envvar}`" if one.envvar else "**needed**"
    return "off" if one.default is False else shown(one.default)
