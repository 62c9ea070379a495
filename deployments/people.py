"""People and tokens from the command line.

Whoever runs this is on the machine itself and may read the ledger's address and the key file: no
role is asked for, and ``--by`` goes into the audit as it was typed. The gateway needs ``manage``.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.settings import state_of, write_secret
from domain.access.people import Person
from domain.access.roles import Grant, role_of
from domain.errors import BadInput, Refused

if TYPE_CHECKING:
    from blocks.people import People, Tokens

people = typer.Typer(no_args_is_help=True, help="Who may sign in, and what they may do.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens of the API, for machines.")

By = Annotated[str, typer.Option("--by", help="Your name.", envvar="TRADEWIND_BY")]
Json = Annotated[bool, typer.Option("--json", help="For machines: one JSON value.")]
Name = Annotated[str, typer.Argument(help="The login: a-z 0-9 . _ -, at most 40.")]
Role = Annotated[str, typer.Option(help="viewer, releaser, approver or admin.")]
Environments = Annotated[
    list[str] | None, typer.Option("--environment", "-e", help="Only there; may be repeated.")
]
Services = Annotated[list[str] | None, typer.Option("--service", help="Only it; may be repeated.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="May be repeated.")]


@people.command()
def add(
    context: typer.Context,
    name: Name,
    by: By,
    role: Role = "viewer",
    environment: Environments = None,
    service: Services = None,
    display: Annotated[str, typer.Option(help="How the pages call them.")] = "",
    group: Groups = None,
) -> None:
    """Add somebody, whose password is read from the terminal or standard input."""
    grant = _grant(context, role, environment, service)
    person = Person(name, display or name, (grant,), tuple(group or ()))
    _print(opened(context).add(person, _password(), by))


@people.command("list")
def list_people(context: typer.Context, as_json: Json = False) -> None:
    """Everybody, with what they may do and whether a second factor is enrolled."""
    found = opened(context)
    rows = [_row(one) | {"factor": found.has_totp(one.name)} for one in found.all()]
    _show({"people": rows}, as_json)


@people.command()
def grant(
    context: typer.Context,
    name: Name,
    by: By,
    role: Role,
    environment: Environments = None,
    service: Services = None,
) -> None:
    """Give somebody one more grant."""
    more, found = _grant(context, role, environment, service), opened(context)
    _print(found.regrant(name, tuple(dict.fromkeys((*found.get(name).grants, more))), by))


@people.command("revoke-grant")
def revoke_grant(
    context: typer.Context,
    name: Name,
    by: By,
    role: Role,
    environment: Environments = None,
    service: Services = None,
) -> None:
    """Take a grant away, named exactly as it was given."""
    gone = Grant(role_of(role), tuple(environment or ()), tuple(service or ()))
    found = opened(context)
    held = found.get(name).grants
    if gone not in held:
        raise Refused(f"{name} has no grant {_told(gone)}, but {', '.join(map(_told, held))}")
    _print(found.regrant(name, tuple(one for one in held if one != gone), by))


@people.command()
def groups(context: typer.Context, name: Name, by: By, group: Groups = None) -> None:
    """Set the groups somebody is in; none given: in none."""
    _print(opened(context).regroup(name, tuple(group or ()), by))


@people.command()
def disable(context: typer.Context, name: Name, by: By) -> None:
    """Shut somebody out at once: sessions end, tokens open nothing."""
    _print(opened(context).disable(name, by))


@people.command()
def enable(context: typer.Context, name: Name, by: By) -> None:
    """Let somebody in again."""
    _print(opened(context).enable(name, by))


@people.command()
def password(context: typer.Context, name: Name, by: By) -> None:
    """Set a password, read from the terminal or standard input; ends every session."""
    found = opened(context)
    found.get(name)
    found.set_password(name, _password(), by)


@people.command()
def totp(context: typer.Context, name: Name, by: By) -> None:
    """Enrol a second factor: shows it for an app, then asks for a code of it."""
    import segno

    found = opened(context)
    address = found.enrol_totp(name, by)
    print(address)
    segno.make(address).terminal(compact=True)
    found.confirm_totp(name, typer.prompt("The code that the app shows"))
    print(f"{name} is asked for a code from now on")


@people.command()
def link(
    context: typer.Context,
    name: Name,
    by: By,
    issuer: Annotated[str, typer.Option(help="As in shop.yaml: https://…")],
    subject: Annotated[str, typer.Option(help="What the issuer calls them: its `sub`.")],
) -> None:
    """Link an identity of the sign-on service to somebody."""
    opened(context).link(name, issuer, subject, by)


@tokens.command()
def issue(
    context: typer.Context,
    name: Name,
    by: By,
    role: Role,
    environment: Environments = None,
    service: Services = None,
    days: Annotated[int, typer.Option(help="How long it holds, 1 to 366.")] = 90,
) -> None:
    """Issue a token, shown this once; it never does more than its person may."""
    scope = (_grant(context, role, environment, service),)
    print(opened_tokens(context).issue(name, by, scope, days))


@tokens.command("list")
def list_tokens(context: typer.Context, as_json: Json = False) -> None:
    """Every token, newest first, but not what opens."""
    rows = [
        {**vars(one), "scope": list(map(_told, one.scope))} for one in opened_tokens(context).all()
    ]
    _show({"tokens": rows}, as_json)


@tokens.command()
def revoke(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="As `tokens list` shows it.")],
    by: By,
) -> None:
    """Make a token useless at once."""
    print(f"token {opened_tokens(context).revoke(number, by).id} is revoked")


def key_of(state: Path) -> bytes:
    """What seals second factors, made when first asked for; to be kept as the ledger is."""
    place = state / "people.key"
    if not place.exists():
        from cryptography.fernet import Fernet

        write_secret(place, Fernet.generate_key().decode())
    return place.read_bytes()


def opened(context: typer.Context) -> "People":
    """Imported late, so that ``--help`` does not wait for a database's driver."""
    from blocks.people import People

    return People(_ledger_url(context), key_of(state_of(_shop(context))))


def opened_tokens(context: typer.Context) -> "Tokens":
    from blocks.people import Tokens

    return Tokens(_ledger_url(context))


def _shop(context: typer.Context) -> Path:
    """The root command's ``--shop``."""
    return Path(context.find_root().params["shop"])


def _ledger_url(context: typer.Context) -> str:
    place = state_of(_shop(context)) / "databases" / "ledger"
    if not place.exists():
        raise Refused("this shop has no ledger yet; start it with `tradewind up`")
    return place.read_text().strip()


def _grant(
    context: typer.Context, role: str, environment: list[str] | None, service: list[str] | None
) -> Grant:
    """BadInput for a role, environment or service that there is not."""
    from blocks.shopfile import load

    shop = load(_shop(context))
    _known("environment", environment or [], list(shop.environments))
    _known("service", service or [], list(shop.services))
    return Grant(role_of(role), tuple(environment or ()), tuple(service or ()))


def _known(kind: str, names: list[str], known: list[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInput(f"{kind} is {unknown[0]!r}, the shop has {', '.join(known)}")


def _password() -> str:
    """From a terminal twice and unseen, else the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _row(person: Person) -> dict[str, Any]:
    return {**asdict(person), "grants": list(map(_told, person.grants))}


def _told(grant: Grant) -> str:
    """
    >>> _told(Grant("releaser", ("staging",), ("web", "api")))
    'releaser in staging for web, api'
    """
    places = f" in {', '.join(grant.environments)}" if grant.environments else ""
    things = f" for {', '.join(grant.services)}" if grant.services else ""
    return f"{grant.role}{places}{things}"


def _print(person: Person) -> None:
    _show(_row(person), False)


def _show(content: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(content, indent=2, default=str))
        return
    from deployments.screen import show

    show(content)
