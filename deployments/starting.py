"""Commands that start a run, or answer one that waits, and follow it to its end."""

import sys
from typing import Annotated

import typer

from deployments.terminal import By, Json, Reason, actions, ended, shown


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


def make_good(environment: str, version: str, as_json: Json = False) -> None:
    """Tell stock to the channels again that a version, taken back since, told wrongly."""
    ended(actions().make_good(environment, version), as_json)
