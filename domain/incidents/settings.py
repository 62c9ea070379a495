"""What ``shop.yaml`` says of an error tracker: who it is, who reports to it, what is too much."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from domain.fields import STRICT, Range, Seconds

Kind = Literal["sentry", "bugsink"]
Objection = tuple[tuple[str, ...], str]
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Sentry:
    """Sentry, or what speaks its SDKs' protocol. ``token``, ``dsn`` and ``own_dsn`` are references.

    ``project`` is a slug, at Bugsink a number; ``projects`` and ``dsns`` name another one for some
    services. ``own_dsn`` is where Tradewind's own errors go; "" sends none. It is a gate of
    ``environments`` (none: all). A gate without an answer within ``wait_seconds`` warns; one that
    is ``required`` restores. ``max_error_events`` counts at each weight anew; None sets no limit.
    """

    __pydantic_config__ = STRICT
    kind: Kind
    url: str
    project: str
    token: str
    dsn: str
    organization: str = ""
    projects: Mapping[str, str] = field(default_factory=dict)
    dsns: Mapping[str, str] = field(default_factory=dict)
    own_dsn: str = ""
    environments: tuple[str, ...] = ()
    max_new_issues: Annotated[int, Range(0, 1000)] = 0
    max_error_events: Annotated[int, Range(0, 1_000_000)] | None = None
    wait_seconds: Seconds = 60
    poll_seconds: Seconds = 2
    required: bool = False

    def guards(self, environment: str) -> bool:
        """Whether releases into this environment are judged by their errors."""
        return not self.environments or environment in self.environments

    def project_of(self, service: str) -> str:
        return self.projects.get(service, self.project)

    def dsn_of(self, service: str) -> str:
        """A reference to where the service sends its errors."""
        return self.dsns.get(service, self.dsn)


def release_name(shop: str, version: str) -> str:
    """A version as error trackers know it: theirs are one list for all packages.

    >>> release_name("sample-shop", "2026.11.28-1")
    'sample-shop@2026.11.28-1'
    """
    return f"{shop}@{version}"


def objections(
    sentry: Sentry, services: Collection[str], environments: Collection[str]
) -> Iterator[Objection]:
    """What does not agree within ``sentry``, each with the place it speaks of."""
    yield from _address(sentry)
    yield from _kind(sentry)
    for name in sentry.environments:
        yield from _known("environments", name, environments)
    for field_name in ("projects", "dsns"):
        for name in getattr(sentry, field_name):
            yield from _known(field_name, name, services)
    for name in sorted(set(sentry.projects) ^ set(sentry.dsns)):
        said = f"sentry has only one of projects.{name} and dsns.{name}: a project has its own DSN"
        yield ("sentry",), said


def _address(sentry: Sentry) -> Iterator[Objection]:
    url = urlsplit(sentry.url)
    safe = url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
    if not safe or url.username or url.query:
        said = f"sentry.url is {sentry.url!r}: an https:// address without a login"
        yield ("sentry", "url"), f"{said} is needed, http:// only on this machine"


def _kind(sentry: Sentry) -> Iterator[Objection]:
    if sentry.kind == "sentry" and not sentry.organization:
        yield ("sentry", "organization"), "sentry.organization is empty: its slug is needed"
    if sentry.kind == "bugsink" and sentry.organization:
        said = f"sentry.organization is {sentry.organization!r}: Bugsink has none"
        yield ("sentry", "organization"), said
    for project in (sentry.project, *sentry.projects.values()):
        if sentry.kind == "bugsink" and not project.isdigit():
            said = f"sentry.project is {project!r}: at Bugsink a project's number is needed"
            yield ("sentry", "project"), said


def _known(where: str, name: str, known: Collection[str]) -> Iterator[Objection]:
    if name not in known:
        said = f"sentry.{where} has {name!r}, known are {', '.join(known)}"
        yield ("sentry", where), said
