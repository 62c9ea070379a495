"""What ``shop.yaml`` says of a forge: who it is, what its events start, what it must confirm."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from domain.fields import STRICT, Range

Kind = Literal["github", "gitlab", "gitea"]
EventKind = Literal["push", "merge", "tag", "comment"]
Starts = Literal["release", "test", "nothing"]
Objection = tuple[tuple[str, ...], str]
MOST_SECRETS = 2
"""One, and its successor while both sides change over."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Rule:
    """What one kind of ``event`` starts, and until which environment (empty: the whole route).

    ``branches`` is a pattern with * for the branch, of a merge or a comment the target, of a tag
    its name. A comment begins with ``command`` and is by one of ``people`` (forge logins; none:
    everybody who may write).
    """

    __pydantic_config__ = STRICT
    event: EventKind
    branches: str = "*"
    command: str = ""
    starts: Starts = "release"
    until: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True)
class Required:
    """What the forge must confirm of a commit before it goes to ``environments`` (none: any).

    ``protected``: it is on one of ``branches`` (none: the shop's branch), which is protected.
    ``reviews``: so many people who may write approved the very head that was merged. ``checks``
    ended in success on that very commit.
    """

    __pydantic_config__ = STRICT
    reviews: Annotated[int, Range(0, 10)] = 0
    checks: tuple[str, ...] = ()
    protected: bool = False
    branches: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def concerns(self, route: tuple[str, ...]) -> bool:
        """Whether a release on this route needs the forge's word."""
        asked = self.reviews > 0 or bool(self.checks) or self.protected
        return asked and (not self.environments or bool(set(self.environments) & set(route)))


@dataclass(frozen=True)
class Forge:
    """Where the code is: ``project`` is owner/name, at GitLab also the number.

    ``token`` and ``webhook_secrets`` are references. Events of ``ignored`` logins start nothing;
    ``people`` says under which name Tradewind knows a login, where that is another.
    """

    __pydantic_config__ = STRICT
    kind: Kind
    endpoint: str
    project: str
    token: str
    webhook_secrets: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    required: Required | None = None
    ignored: tuple[str, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, login: str) -> str:
        """The person's name in Tradewind; one who asks must not approve under another name."""
        known = {one.casefold(): name for one, name in self.people.items()}
        return known.get(login.casefold(), login)


def objections(forge: Forge, environments: tuple[str, ...]) -> Iterator[Objection]:
    """What does not agree within ``forge``, each with the place it speaks of."""
    yield from _endpoint(forge)
    if forge.kind != "gitlab" and forge.project.count("/") != 1:
        yield ("forge", "project"), f"forge.project is {forge.project!r}: owner/name is needed"
    count = len(set(forge.webhook_secrets))
    if len(forge.webhook_secrets) > MOST_SECRETS or count < len(forge.webhook_secrets):
        told = f"{len(forge.webhook_secrets)} references, {count} different"
        where = ("forge", "webhook_secrets")
        yield where, f"forge.webhook_secrets has {told}: at most {MOST_SECRETS} may be active"
    for number, rule in enumerate(forge.rules):
        yield from _rule(number, rule, environments)
    for name in forge.required.environments if forge.required else ():
        yield from _known("forge.required.environments", name, environments)


def _endpoint(forge: Forge) -> Iterator[Objection]:
    url = urlsplit(forge.endpoint)
    safe = url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
    if not safe or url.username or url.query:
        said = f"forge.endpoint is {forge.endpoint!r}: an https:// address without a login"
        yield ("forge", "endpoint"), f"{said} is needed, http:// only on this machine"


def _rule(number: int, rule: Rule, environments: tuple[str, ...]) -> Iterator[Objection]:
    where = f"forge.rules.{number}"
    if rule.until:
        yield from _known(f"{where}.until", rule.until, environments)
    if (rule.event == "comment") != bool(rule.command.strip()):
        needs = "needs a command" if rule.event == "comment" else "has none"
        said = f"{where}.command is {rule.command!r}: a rule on {rule.event} {needs}"
        yield ("forge", "rules", str(number), "command"), said


def _known(where: str, name: str, environments: tuple[str, ...]) -> Iterator[Objection]:
    if name not in environments:
        said = f"{where} is {name!r}, known are {', '.join(environments)}"
        yield tuple(where.split(".")), said
