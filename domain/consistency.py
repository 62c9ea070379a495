"""What must agree inside one shop.yaml, beyond each field's own limits."""

import re
from collections.abc import Iterator
from zoneinfo import available_timezones

from domain.access import gateway
from domain.account import Channel, lacks
from domain.apitests import settings as apitests
from domain.approving import settings as approvals
from domain.calendar import settings as calendar
from domain.drills import settings as drills
from domain.figures import settings as figures
from domain.forge import settings as forge
from domain.incidents import settings as incidents
from domain.logs import settings as logs
from domain.notices import settings as notices
from domain.rollout import portion
from domain.schema.settings import Migrations, Smoke
from domain.shop import Environment, Rollout, Service, Shop

Objection = tuple[tuple[str, ...], str]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_COLUMN = re.compile(r"[^.\s]+(\.[^.\s]+){1,2}")


def objections(shop: Shop) -> tuple[Objection, ...]:
    """Each with the place it speaks of: field, value, limit."""
    return tuple(_all(shop))


def _all(shop: Shop) -> Iterator[Objection]:
    yield from _names(("shop",), shop.shop)
    for name, service in shop.services.items():
        yield from _names(("services", name), name)
        yield from _service(("services", name), service)
    for name, environment in shop.environments.items():
        yield from _names(("environments", name), name)
        yield from _environment(("environments", name), environment)
    yield from _route(shop)
    if shop.nightly:
        yield from _schedule(("nightly",), shop.nightly.cron, shop.nightly.time_zone)
        if shop.nightly.until not in shop.route:
            known = ", ".join(shop.route)
            yield (
                ("nightly", "until"),
                f"nightly.until is {shop.nightly.until!r}, known are {known}",
            )
    if not shop.services:
        yield ("services",), "services is empty: at least 1 is needed"
    if shop.migrations and shop.migrations.service not in shop.services:
        known = ", ".join(shop.services)
        where = ("migrations", "service")
        yield where, f"migrations.service is {shop.migrations.service!r}, known are {known}"
    if shop.migrations:
        yield from _migrations(shop.migrations)
    yield from _weights(("hotfix", "weights"), shop.hotfix.weights)
    yield from _around(shop)


def _around(shop: Shop) -> Iterator[Objection]:
    """What keeps an eye on releases: approvals, calendar, forge, chats."""
    for name, environment in shop.environments.items():
        where = ("environments", name, "approvals")
        for said in approvals.objections(environment.approvals):
            yield where, f"{'.'.join(where)}.{said}"
        if environment.approvals.signed and shop.gateway is None:
            said = "signed is true, gateway is missing: nobody could sign anything"
            yield where, f"{'.'.join(where)}.{said}"
    if shop.gateway:
        for said in gateway.objections(shop.gateway):
            yield ("gateway",), said
    if shop.calendar:
        channels = [one for place in shop.environments.values() for one in place.channels]
        facts = calendar.Facts(tuple(shop.services), tuple(shop.environments), tuple(channels))
        yield from calendar.objections(shop.calendar, facts)
    if shop.forge:
        yield from forge.objections(shop.forge, tuple(shop.environments))
    if shop.notify:
        yield from notices.objections(shop.notify, tuple(shop.environments))
    if shop.logs:
        yield from logs.objections(shop.logs)
    if shop.drills:
        yield from _schedule(("drills",), shop.drills.cron, shop.drills.time_zone)
        yield from drills.objections(shop.drills, shop.route, shop.migrations is not None)
    yield from figures.objections(shop.figures)
    if shop.sentry:
        known = tuple(shop.services), tuple(shop.environments)
        yield from incidents.objections(shop.sentry, *known)


def _migrations(migrations: Migrations) -> Iterator[Objection]:
    for name in ("smoke", "load"):
        declared: Smoke | None = getattr(migrations, name)
        if declared and not declared.command:
            field = f"migrations.{name}.command"
            yield ("migrations", name, "command"), f"{field} is empty: at least 1 word is needed"
    for column in migrations.masks:
        if not _COLUMN.fullmatch(column):
            said = f"migrations.masks has {column!r}: table.column or schema.table.column is needed"
            yield ("migrations", "masks", column), said


def _route(shop: Shop) -> Iterator[Objection]:
    if not shop.route:
        yield ("route",), "route is empty: at least 1 environment is needed"
    if len(set(shop.route)) < len(shop.route):
        yield ("route",), f"route is {', '.join(shop.route)}: an environment may stand there once"
    for number, place in enumerate(shop.route):
        if place not in shop.environments:
            known = ", ".join(shop.environments)
            yield ("route", str(number)), f"route.{number} is {place!r}, known are {known}"


def _service(where: tuple[str, ...], service: Service) -> Iterator[Objection]:
    field = ".".join(where)
    if service.alone and service.kind != "worker":
        yield (*where, "alone"), f"{field}.alone is true: only a worker can be alone"
    if service.smoke and service.kind != "web":
        yield (*where, "smoke"), f"{field}.smoke is given: only a web service has pages"
    if service.api and service.kind != "web":
        yield (*where, "api"), f"{field}.api is given: only a web service has an API"
    if service.api:
        for place, said in apitests.objections(service.api):
            yield (*where, "api", *place), f"{field}.{said}"
    if service.sticky and service.kind != "web":
        yield (*where, "sticky"), f"{field}.sticky is true: only a web service has sessions"
    if (service.schedule is None) == (service.kind == "job"):
        state = "missing" if service.schedule is None else "given"
        yield (*where, "schedule"), f"{field}.schedule is {state}: a job has one, others do not"
    if service.image and service.kind == "job":
        yield (*where, "image"), f"{field}.image is given: a job runs as a process"
    if service.schedule:
        yield from _schedule(
            (*where, "schedule"), service.schedule.cron, service.schedule.time_zone
        )
    for name, command in (("command", service.command), ("test.command", service.test.command)):
        if not command and not (name == "command" and service.image):
            yield (*where, *name.split(".")), f"{field}.{name} is empty"
    for path in (*service.paths, service.requirements, service.test.requirements):
        if path.startswith("/") or ".." in path.split("/"):
            yield where, f"{field} has the path {path!r}: it must lie inside the repository"
    for path in (service.health.path, *service.smoke):
        if not path.startswith("/"):
            yield where, f"{field} has the page {path!r}: it must begin with /"


def _environment(where: tuple[str, ...], environment: Environment) -> Iterator[Objection]:
    field = ".".join(where)
    names = [host.name for host in environment.hosts]
    if not names:
        yield (*where, "hosts"), f"{field}.hosts is empty: at least 1 is needed"
    if len(set(names)) < len(names):
        yield (*where, "hosts"), f"{field}.hosts is {', '.join(names)}: a host may stand there once"
    for name in names:
        yield from _names((*where, "hosts"), name)
    yield from _hosts(where, environment)
    yield from _rollout((*where, "rollout"), environment.rollout)
    if environment.canary:
        yield from _weights((*where, "canary", "weights"), environment.canary.weights)
    for name, channel in environment.channels.items():
        yield from _names((*where, "channels", name), name)
        yield from _channel((*where, "channels", name), channel)
    if environment.channels and environment.checks is None:
        yield (*where, "channels"), f"{field}.channels is given, {field}.checks is missing"
    if environment.checks and environment.channels:
        for query in ("stock", "orders", "lines", "movements"):
            if not getattr(environment.checks, query).strip():
                yield (*where, "checks"), f"{field}.checks.{query} is empty: a query is needed"


def _channel(where: tuple[str, ...], channel: Channel) -> Iterator[Objection]:
    field = ".".join(where)
    if channel.time_zone not in available_timezones():
        said = f"{field}.time_zone is {channel.time_zone!r}: no IANA time zone"
        yield (*where, "time_zone"), said
    if said := lacks(channel):
        yield where, f"{field}.{said}"


def _hosts(where: tuple[str, ...], environment: Environment) -> Iterator[Objection]:
    """What a host over SSH needs besides its name."""
    names = [host.name for host in environment.hosts]
    for number, host in enumerate(environment.hosts):
        here, field = (*where, "hosts", str(number)), f"{'.'.join(where)}.hosts.{number}"
        if host.address != "local" and environment.ssh is None:
            yield here, f"{field}.address is {host.address!r}, {'.'.join(where)}.ssh is missing"
        if host.address != "local" and len(host.host_key.split()) < 2:
            yield (
                here,
                f"{field}.host_key is {host.host_key[:30]!r}: the host's own line is needed,"
                " like 'ssh-ed25519 AAAA…'",
            )
        if host.jump and host.jump not in names:
            yield here, f"{field}.jump is {host.jump!r}, known are {', '.join(names)}"
        if host.jump == host.name or (host.jump and host.address == "local"):
            yield here, f"{field}.jump is {host.jump!r}: only another host can lead to it"


def _rollout(where: tuple[str, ...], rollout: Rollout) -> Iterator[Objection]:
    for name, text in (("batch", rollout.batch), ("max_unavailable", rollout.max_unavailable)):
        try:
            portion(text, 1)
        except ValueError:
            yield (
                (*where, name),
                f"{'.'.join(where)}.{name} is {text!r}: a number of hosts or 0% to 100% is needed",
            )


def _schedule(where: tuple[str, ...], cron: str, time_zone: str) -> Iterator[Objection]:
    field = ".".join(where)
    if len(cron.split()) != 5:
        yield (*where, "cron"), f"{field}.cron is {cron!r}: five fields are needed"
    if time_zone not in available_timezones():
        yield (*where, "time_zone"), f"{field}.time_zone is {time_zone!r}: no IANA time zone"


def _weights(where: tuple[str, ...], weights: tuple[int, ...]) -> Iterator[Objection]:
    if list(weights) != sorted(set(weights)) or weights[-1:] != (100,):
        shown = ", ".join(map(str, weights))
        yield where, f"{'.'.join(where)} is {shown}: weights must rise and end with 100"


def _names(where: tuple[str, ...], name: str) -> Iterator[Objection]:
    if not _NAME.fullmatch(name):
        yield (
            where,
            f"{'.'.join(where)} is {name!r}: a name has 1 to 40 of a-z, 0-9 and -, a letter first",
        )
