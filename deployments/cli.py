"""The command line: thin commands over ``deployments.actions``, a module for each occasion."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from deployments import drills, figures, logs, oversight, starting, tracing
from deployments import people as access
from deployments.terminal import By, Chosen, Json, Reason, Why, actions, shown
from domain.errors import Refused, TradewindError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
ledger = typer.Typer(no_args_is_help=True, help="The record of everything that happened.")
app.add_typer(ledger, name="ledger")
host = typer.Typer(no_args_is_help=True, help="Machines that Tradewind deploys to over SSH.")
app.add_typer(host, name="host")
contracts = typer.Typer(no_args_is_help=True, help="What the channels publish of their APIs.")
app.add_typer(contracts, name="contracts")
app.add_typer(access.people, name="people")
app.add_typer(access.tokens, name="tokens")
app.add_typer(oversight.audit, name="audit")
app.add_typer(oversight.freeze, name="freeze")
app.command()(oversight.calendar)
app.command()(logs.logs)
app.command()(starting.release)
app.command()(starting.rollback)
app.command()(starting.promote)
app.command()(starting.restore)
app.command()(starting.approve)
app.command()(starting.make_good)
app.command()(drills.drill)
app.command()(drills.drills)
app.command()(figures.figures)
app.command()(tracing.trace)
app.command()(tracing.why)
app.command()(tracing.replay)


@app.callback()
def tradewind(
    shop: Annotated[Path, typer.Option(help="The shop's file.", envvar="TRADEWIND_SHOP")] = Path(
        "shop.yaml"
    ),
) -> None:
    """Takes a change of a shop from commit to customers, and back when it breaks something."""
    Chosen.shop = shop


@app.command()
def up() -> None:
    """Start PostgreSQL, Prefect and the hosts on this machine; what runs is kept."""
    print(f"Prefect UI: {actions().up()}")


@app.command()
def down() -> None:
    """End everything that `up` started; data stays."""
    actions().down()


@app.command()
def status(as_json: Json = False) -> None:
    """What runs: the stack, and which version serves where."""
    shown(actions().status(), as_json)


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option(help="Only show the difference.")] = False,
    as_json: Json = False,
) -> None:
    """Make the Prefect server agree with shop.yaml."""
    shown(actions().apply(dry_run), as_json)


@app.command()
def drift(
    environment: Annotated[str, typer.Argument(help="Empty: all of them.")] = "",
    as_json: Json = False,
) -> None:
    """What runs where against what should; exits 1 when anything differs."""
    found = actions().drift(environment)
    shown(found, as_json)
    raise typer.Exit(1 if found["drift"] else 0)


@app.command()
def hold(environment: str, by: By, reason: Why) -> None:
    """Stop everything in an environment: no new releases, and what runs waits at a safe point."""
    actions().hold(environment, by, reason)


@app.command("let-go")
def let_go(environment: str, by: By, reason: Why) -> None:
    """Let what `hold` stopped go on."""
    actions().let_go(environment, by, reason)


@app.command()
def divergences(
    environment: str,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every row, for a spreadsheet.")] = False,
    as_json: Json = False,
) -> None:
    """SKUs and orders that do not agree with a channel, since when, and since which release."""
    if as_csv:
        for line in actions().differing_csv(environment):
            print(line, end="")
        return
    found = actions().differing(environment)
    shown({"divergences": found}, as_json)
    raise typer.Exit(1 if found else 0)


@contracts.command("list")
def contracts_list(as_json: Json = False) -> None:
    """What changed in the channels' APIs, and what of it stops the next release."""
    shown({"findings": actions().contracts()}, as_json)


@contracts.command()
def accept(
    number: Annotated[str, typer.Argument(help="As `contracts list` shows it.")],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Answer for a finding, so that it stops no release any more."""
    shown(actions().accept_finding(number, by, reason), as_json)


@app.command()
def schema() -> None:
    """The JSON schema of shop.yaml, for editors."""
    from blocks.shopfile import schema as written

    print(json.dumps(written(), indent=2))


@host.command("add")
def host_add(
    name: Annotated[str, typer.Argument(help="As in shop.yaml, or its address.")],
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where it serves.")],
) -> None:
    """Print exactly what an administrator must install on a host."""
    print(actions().host_add(environment, name), end="")


@host.command("check")
def host_check(
    environment: Annotated[str, typer.Argument(help="Where the hosts serve.")],
    name: Annotated[str, typer.Argument(help="Empty: all of them.")] = "",
    as_json: Json = False,
) -> None:
    """Prove that hosts are fit: key, Python, programs, disk, clock, fence; exits 1 otherwise."""
    found = actions().host_check(environment, name)
    shown({"hosts": found}, as_json)
    raise typer.Exit(0 if all(one["good"] for one in found) else 1)


@ledger.command()
def verify(as_json: Json = False) -> None:
    """Find every changed, missing, added or reordered row of the ledger."""
    broken = actions().verify()
    shown({"broken": list(broken)}, as_json)
    raise typer.Exit(1 if broken else 0)


def main() -> None:
    """Our own errors are told in a sentence each: exit code 2 when nothing was changed."""
    try:
        app()
    except Refused as error:
        for objection in error.objections:
            print(f"refused: {objection}", file=sys.stderr)
        sys.exit(2)
    except TradewindError as error:
        print(f"failed: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
