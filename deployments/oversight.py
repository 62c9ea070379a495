"""Commands of those who watch over releases: the audit, the calendar, freezes that are lifted."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deployments.terminal import By, Json, live, shown
from domain.calendar.overrides import Override
from domain.errors import BadInput

audit = typer.Typer(
    invoke_without_command=True, help="Who did what, when: found, exported, proven."
)
freeze = typer.Typer(no_args_is_help=True, help="Freezes of the calendar that two people lift.")

Moment = Annotated[str, typer.Option(help="A date, or a time as 2026-11-24T02:00Z.")]


@audit.callback()
def find(
    context: typer.Context,
    since: Moment = "",
    until: Moment = "",
    who: Annotated[str, typer.Option(help="Exactly this name.")] = "",
    what: Annotated[str, typer.Option(help="Words of what was done.")] = "",
    version: str = "",
    environment: str = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
    as_json: Json = False,
) -> None:
    """What was decided and done, oldest first."""
    if context.invoked_subcommand is not None:
        return
    from deployments import audit as entries

    others = {"who": who, "what": what, "version": version, "environment": environment}
    asked = entries.wanted(since, until, others)
    shop = live()
    if as_csv:
        sys.stdout.writelines(entries.find_csv(shop, asked))
    else:
        shown({"audit": list(entries.find(shop, asked))}, as_json)


@audit.command("export")
def export_entries(
    file: Annotated[Path, typer.Argument(help="Where to; lines of JSON, a signed head first.")],
) -> None:
    """Write all of it down so that it proves itself anywhere."""
    from deployments import audit as entries

    with file.open("x") as written:
        written.writelines(entries.export(live()))
    print(f"{file}: proven by `tradewind audit verify {file} --key {entries.key(live())}`")


@audit.command("key")
def key() -> None:
    """Show the fingerprint of whoever signs; keep it apart from the exports."""
    from deployments import audit as entries

    print(entries.key(live()))


@audit.command("verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export; none: the ledger itself.")] = None,
    older: Annotated[list[Path] | None, typer.Option(help="Exports and heads of before.")] = None,
    key: Annotated[str, typer.Option(help="As `tradewind audit key` showed it.")] = "",
    as_json: Json = False,
) -> None:
    """Find everything that was changed, cut off or added; exits 1 when there is any."""
    from deployments import audit as entries

    broken = entries.verify_live(live()) if file is None else entries.verify(file, older or [], key)
    shown({"broken": list(broken)}, as_json)
    raise typer.Exit(1 if broken else 0)


def calendar(
    days: Annotated[int, typer.Option(help="How far ahead, 1 to 366.")] = 90,
    as_ics: Annotated[bool, typer.Option("--ics", help="For people's own calendars.")] = False,
    as_json: Json = False,
) -> None:
    """Promotions and freezes of the next days, by each channel's own clock."""
    shop = live()
    from deployments.calendar import view_of

    view = view_of(shop, days)
    if as_ics:
        sys.stdout.write(view.ics().decode())
    else:
        shown(view.machine() if as_json else view.shown(), as_json)


@freeze.command("override")
def override(
    environment: str,
    event: Annotated[list[str], typer.Option(help="As the calendar names it")],
    until: Annotated[str, typer.Option(help="When it ends, with its zone; at most 72 h ahead.")],
    reason: Annotated[str, typer.Option(help="Why it cannot wait.")],
    by: By,
) -> None:
    """Ask that a freeze be lifted; it counts once a second person agrees."""
    shop = live()
    shop.environment(environment)
    asked = Override(by, "", reason, _moment(until), tuple(event))
    made = shop.ledger.overrides.ask(environment, asked)
    print(f"override {made.id}: somebody else agrees with `tradewind freeze agree {made.id}`")


@freeze.command("agree")
def agree(number: int, by: By) -> None:
    """Be the second person."""
    made = live().ledger.overrides.agree(number, by)
    lifted, until = ", ".join(made.override.events), made.override.until
    print(f"override {made.id}: {lifted} holds nothing up until {until:%F %R} UTC")


@freeze.command("list")
def overrides(environment: str, as_json: Json = False) -> None:
    """Overrides that are not over."""
    shop = live()
    shop.environment(environment)
    rows = [
        {"id": one.id, **vars(one.override), "asked_at": one.asked_at}
        for one in shop.ledger.overrides.open(environment)
    ]
    shown({"overrides": rows}, as_json)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"until is {text!r}: a time with its zone, as 2026-11-11T02:00Z") from None
    if found.tzinfo is None:
        raise BadInput(f"until is {text!r}, in no time zone: one as in 2026-11-11T02:00Z is needed")
    return found.astimezone(UTC)
