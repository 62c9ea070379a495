"""The command line: thin commands over ``deployments.actions``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments import oversight
from deployments import people as access
from deployments.settings import state_of, use
from domain.errors import Refused, TradewindError

if TYPE_CHECKING:
    from deployments.actions import Actions

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

Json = Annotated[bool, typer.Option("--json", help="For machines: one JSON value.")]
By = Annotated[str, typer.Option("--by", help="Your name.", envvar="TRADEWIND_BY")]
Reason = Annotated[str, typer.Option(help="Why.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


class Chosen:
    """The shop that this call is about."""

    shop = Path("shop.yaml")


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
def release(
    by: By,
    ref: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "",
    service: Annotated[list[str] | None, typer.Option(help="Only these services.")] = None,
    until: Annotated[str, typer.Option(help="The last environment.")] = "",
    reason: Reason = "",
    key: Annotated[str, typer.Option(help="The same key starts nothing twice.")] = "",
    as_json: Json = False,
) -> None:
    """Release a ref: test, build, and bring it along the route."""
    request = {"ref": ref, "services": service or [], "until": until}
    ended(actions().release({**request, "reason": reason, "requested_by": by}, key), as_json)


@app.command()
def rollback(
    environment: str,
    by: By,
    version: Annotated[str, typer.Option("--to", help="Empty: list the candidates.")] = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Go back to a version that served before."""
    if not version:
        shown(actions().candidates(environment), as_json)
        return
    request = {"environment": environment, "version": version}
    ended(actions().rollback({**request, "reason": reason, "requested_by": by}), as_json)


@app.command()
def promote(
    source: Annotated[str, typer.Option("--from", help="Where it passed.")],
    target: Annotated[str, typer.Option("--to", help="The next environment.")],
    by: By,
    version: Annotated[str, typer.Option(help="Empty: what passed there last.")] = "",
    accept_differences: Annotated[
        bool, typer.Option("--accept-differences", help="Go on although they differ.")
    ] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Bring the same digests from one environment to the next."""
    request = {
        "from_environment": source,
        "to_environment": target,
        "version": version,
        "accept_differences": accept_differences,
    }
    ended(actions().promote({**request, "reason": reason, "requested_by": by}), as_json)


@app.command()
def restore(
    environment: str,
    by: By,
    backup: Annotated[str, typer.Option("--to", help="Empty: list the backups.")] = "",
    accept_older_schema: Annotated[
        bool, typer.Option("--accept-older-schema", help="What serves needs a newer schema.")
    ] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Put a database back to a backup; a second person has to approve it."""
    if not backup:
        shown(actions().backups(environment), as_json)
        return
    request = {"environment": environment, "backup": backup, "reason": reason, "requested_by": by}
    ended(actions().restore({**request, "accept_older_schema": accept_older_schema}), as_json)


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
def approve(
    version: str,
    by: By,
    reject: Annotated[bool, typer.Option("--reject", help="Say no, with a reason.")] = False,
    window: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Only between these two times, each with its zone."),
    ] = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Answer the schema change or the restore that a run waits with."""
    decision = "reject" if reject else "approve for a window" if window else "approve now"
    begins, ends = window or ("", "")
    said = {
        "decision": decision,
        "decided_by": by,
        "reason": reason,
        "begins": begins,
        "ends": ends,
    }
    ended(actions().approve(version, said, proof), as_json)


def proof() -> tuple[str, str]:
    """Password and one-time code: from a terminal, the password unseen, else two lines of input."""
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True), typer.prompt("One-time code", default="")
    return sys.stdin.readline().rstrip("\r\n"), sys.stdin.readline().strip()


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


@app.command("make-good")
def make_good(environment: str, version: str, as_json: Json = False) -> None:
    """Tell stock to the channels again that a version, taken back since, told wrongly."""
    ended(actions().make_good(environment, version), as_json)


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
def trace(version: str, as_json: Json = False) -> None:
    """Everything that happened to a version."""
    shown(actions().trace(version), as_json)


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


def actions() -> "Actions":
    """Imported late: Prefect reads its settings when it is imported, and ``--help`` needs none."""
    use(state_of(Chosen.shop))
    from deployments.actions import Actions

    return Actions(Chosen.shop)


def shown(content: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(content, indent=2, default=str))
        return
    from deployments.screen import show

    show(content)


def ended(content: dict[str, Any], as_json: bool) -> None:
    """0 for a good end, 2 when nothing was changed, 3 while a person is waited for, else 1."""
    shown(content, as_json)
    raise typer.Exit({"Completed": 0, "Refused": 2, "Suspended": 3}.get(content["state"], 1))


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
