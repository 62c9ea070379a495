"""The calendar: what it holds up now, asked when a release is cut and at every step after that."""

from datetime import UTC, datetime

from prefect import get_run_logger

from blocks.ledger.store import Store
from blocks.people.register import Register
from blocks.shop import Live
from domain.access.roles import PERMISSIONS, allowed
from domain.calendar.freeze import Kind, Strictness, Undertaking, objections, strictness, warnings
from domain.calendar.overrides import Override
from domain.calendar.settings import markets
from domain.calendar.standing import Standing
from domain.request import Asked
from tasks.deployment import Deploying

USUAL = Strictness()


def frozen_at_cut(live: Live, asked: Asked, kind: Kind) -> tuple[str, ...]:
    """What the calendar says against a release on its way, before it has a number.

    Whether it changes the schema is known later, and asked again then.
    """
    undertakings = (
        undertaken(live, kind, place, asked.services, by=asked.requested_by)
        for place in asked.route
        if place in live.shop.environments
    )
    against: dict[str, None] = {}
    for one in undertakings:
        for warning in warned(live, one):
            get_run_logger().warning("%s", warning)
        against |= dict.fromkeys(frozen(live, one))
    return tuple(against)


def frozen(live: Live, undertaking: Undertaking) -> tuple[str, ...]:
    """Why it may not go on now; an override that two people agreed to may lift it."""
    calendars = live.calendars
    if calendars is None:
        return ()
    standing = _standing(live, undertaking.environment)
    against = objections(calendars.settings, undertaking, standing)
    for override in agreed(live, undertaking.environment) if against else ():
        people = may_in(live, undertaking.environment, undertaking.services)
        left = objections(calendars.settings, undertaking, standing, override, people)
        against = min(against, left, key=len)
    return against


def warned(live: Live, undertaking: Undertaking) -> tuple[str, ...]:
    """What people should know although it stops nothing."""
    if live.calendars is None:
        return ()
    standing = _standing(live, undertaking.environment)
    return warnings(live.calendars.settings, undertaking, standing)


def stricter(live: Live, undertaking: Undertaking) -> Strictness:
    """What the calendar asks of the checks beyond the usual."""
    if live.calendars is None:
        return USUAL
    standing = _standing(live, undertaking.environment)
    return strictness(live.calendars.settings, undertaking, standing)


def undertaking_of(under_way: Deploying, *, schema: bool) -> Undertaking:
    """What a deployment is to the calendar: a hotfix, a release or the way back; what it moves."""
    row = under_way.row
    kind: Kind = "hotfix" if under_way.hotfix and row.kind == "release" else row.kind
    moved = tuple(change.service for change in under_way.plan.changes)
    live, place = under_way.live, under_way.environment
    return undertaken(live, kind, place, moved, schema=schema, by=row.requested_by)


def agreed(live: Live, environment: str) -> tuple[Override, ...]:
    """Overrides of this environment that a second person agreed to and that are not over."""
    return tuple(one.override for one in live.ledger.overrides.open(environment) if one.seconded_at)


def may_in(
    live: Live, environment: str, services: tuple[str, ...] = ()
) -> dict[str, tuple[str, ...]]:
    """By name, what everybody who is not disabled may do there."""
    people = (one for one in Register(Store(live.ledger_url)).all() if not one.disabled)
    return {
        one.name: tuple(
            what for what in PERMISSIONS if allowed(one.grants, what, environment, services)
        )
        for one in people
    }


def _standing(live: Live, environment: str) -> Standing:
    assert live.calendars is not None  # asked before
    settings, declared = live.calendars.settings, live.environment(environment)
    return live.calendars.standing(markets(settings, declared.channels), datetime.now(UTC))


def undertaken(
    live: Live, kind: Kind, place: str, services: tuple[str, ...],
    *, schema: bool = False, by: str = "",
) -> Undertaking:  # fmt: skip
    """What somebody wants to do, on the channels of that environment."""
    settings = live.shop.calendar
    channels = live.environment(place).channels
    names = tuple(one.name for one in markets(settings, channels)) if settings else ()
    return Undertaking(kind, place, names, services, schema, by)
