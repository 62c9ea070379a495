"""People and tokens from the command line.

Whoever runs this is on the machine itself and may read the ledger's address and the key file: no
role is asked for, and ``--by`` goes into the audit as it was typed. The gateway needs ``manage``.
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.settings import state_of, write_secret
from deployments.terminal import By, Chosen, Json, shown
from domain.access.people import Person
from domain.access.roles import Grant, role_of
from domain.errors import BadInput, Refused

if TYPE_CHECKING:
    from blocks.people import People, Tokens

people = typer.Typer(no_args_is_help=True, help="Who may sign in, and what they may do.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens of the API, for machines.")

Name = Annotated[str, typer.Argument(help="The login: a-z 0-9 . _ -, at most 40.")]
Role = Annotated[str, typer.Option(help="viewer, releaser, approver or admin.")]
Environments = Annotated[
    list[str] | None, typer.Option("--environment", "-e", help="Only there; may be repeated.")
]
Services = Annotated[list[str] | None, typer.Option("--service", help="Only it; may be repeated.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="May be repeated.")]


@people.command()
def add(
    name: Name,
    by: By,
    role: Role = "viewer",
    environment: Environments = None,
    service: Services = None,
    display: Annotated[str, typer.Option(help="How the pages call them.")] = "",
    group: Groups = None,
) -> None:
    """Add somebody, whose password is read from the terminal or standard input."""
    grant = _grant(role, environment, service)
    person = Person(name, display or name, (grant,), tuple(group or ()))
    _print(opened().add(person, _password(), by))


@people.command("list")
def list_people(as_json: Json = False) -> None:
    """Everybody, with what they may do and whether a second factor is enrolled."""
    found = opened()
    rows = [_row(one) | {"factor": found.has_totp(one.name)} for one in found.all()]
    shown({"people": rows}, as_json)


@people.command()
def grant(
    name: Name,
    by: By,
    role: Role,
    environment: Environments = None,
    service: Services = None,
) -> None:
    """Give somebody one more grant."""
    more, found = _grant(role, environment, service), opened()
    _print(found.regrant(name, tuple(dict.fromkeys((*found.get(name).grants, more))), by))


@people.command("revoke-grant")
def revoke_grant(
    name: Name,
    by: By,
    role: Role,
    environment: Environments = None,
    service: Services = None,
) -> None:
    """Take a grant away, named exactly as it was given."""
    gone = Grant(role_of(role), tuple(environment or ()), tuple(service or ()))
    found = opened()
    held = found.get(name).grants
    if gone not in held:
        raise Refused(f"{name} has no grant {_told(gone)}, but {', '.join(map(_told, held))}")
    _print(found.regrant(name, tuple(one for one in held if one != gone), by))


@people.command()
def groups(name: Name, by: By, group: Groups = None) -> None:
    """Set the groups somebody is in; none given: in none."""
    _print(opened().regroup(name, tuple(group or ()), by))


@people.command()
def disable(name: Name, by: By) -> None:
    """Shut somebody out at once: sessions end, tokens open nothing."""
    _print(opened().disable(name, by))


@people.command()
def enable(name: Name, by: By) -> None:
    """Let somebody in again."""
    _print(opened().enable(name, by))


@people.command()
def password(name: Name, by: By) -> None:
    """Set a password, read from the terminal or standard input; ends every session."""
    found = opened()
    found.get(name)
    found.set_password(name, _password(), by)


@people.command()
def totp(name: Name, by: By) -> None:
    """Enrol a second factor: shows it for an app, then asks for a code of it."""
    import segno

    found = opened()
    address = found.enrol_totp(name, by)
    print(address)
    segno.make(address).terminal(compact=True)
    found.confirm_totp(name, typer.prompt("The code that the app shows"))
    print(f"{name} is asked for a code from now on")


@people.command()
def link(
    name: Name,
    by: By,
    issuer: Annotated[str, typer.Option(help="As in shop.yaml: https://…")],
    subject: Annotated[str, typer.Option(help="What the issuer calls them: its `sub`.")],
) -> None:
    """Link an identity of the sign-on service to somebody."""
    opened().link(name, issuer, subject, by)


@tokens.command()
def issue(
    name: Name,
    by: By,
    role: Role,
    environment: Environments = None,
    service: Services = None,
    days: Annotated[int, typer.Option(help="How long it holds, 1 to 366.")] = 90,
) -> None:
    """Issue a token, shown this once; it never does more than its person may."""
    scope = (_grant(role, environment, service),)
    print(opened_tokens().issue(name, by, scope, days))


@tokens.command("list")
def list_tokens(as_json: Json = False) -> None:
    """Every token, newest first, but not what opens."""
    rows = [{**vars(one), "scope": list(map(_told, one.scope))} for one in opened_tokens().all()]
    shown({"tokens": rows}, as_json)


@tokens.command()
def revoke(
    number: Annotated[str, typer.Argument(help="As `tokens list` shows it.")],
    by: By,
) -> None:
    """Make a token useless at once."""
    print(f"token {opened_tokens().revoke(number, by).id} is revoked")


def key_of(state: Path) -> bytes:
    """What seals second factors, made when first asked for; to be kept as the ledger is."""
    place = state / "people.key"
    if not place.exists():
        from cryptography.fernet import Fernet

        write_secret(place, Fernet.generate_key().decode())
    return place.read_bytes()


def opened() -> "People":
    """Imported late, so that ``--help`` does not wait for a database's driver."""
    from blocks.people import People

    return People(_ledger_url(), key_of(state_of(Chosen.shop)))


def opened_tokens() -> "Tokens":
    from blocks.people import Tokens

    return Tokens(_ledger_url())


def _ledger_url() -> str:
    place = state_of(Chosen.shop) / "databases" / "ledger"
    if not place.exists():
        raise Refused("this shop has no ledger yet; start it with `tradewind up`")
    return place.read_text().strip()


def _grant(role: str, environment: list[str] | None, service: list[str] | None) -> Grant:
    """BadInput for a role, environment or service that there is not."""
    from blocks.shopfile import load

    shop = load(Chosen.shop)
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
    shown(_row(person), False)
