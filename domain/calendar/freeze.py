"""What freezes object to, what they warn of, and how much stricter they make the checks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.calendar.overrides import Override, People, may_override
from domain.calendar.settings import Calendar
from domain.calendar.standing import Hold, Standing
from domain.calendar.tiers import MAY_SHIP

Kind = Literal["release", "rollback", "hotfix", "restore", "make good"]
ALWAYS: tuple[Kind, ...] = ("rollback", "make good")
"""The way back, and telling the channels the stock that they should have had: never held up."""

URGENT: tuple[Kind, ...] = ("hotfix", "restore")
SOON = timedelta(days=3)
TIGHT = 0.5


@dataclass(frozen=True)
class Undertaking:
    """What somebody wants to do to an environment, whose channels are all of ``channels``.

    No services means all of them.
    """

    kind: Kind
    environment: str
    channels: tuple[str, ...]
    services: tuple[str, ...] = ()
    schema: bool = False
    requested_by: str = ""


@dataclass(frozen=True)
class Strictness:
    """What the checks of an undertaking must do beyond the usual."""

    canary_required: bool = False
    checks_factor: int = 1
    tolerance_factor: float = 1.0


def objections(
    settings: Calendar,
    undertaking: Undertaking,
    standing: Standing,
    override: Override | None = None,
    people: People | None = None,
) -> tuple[str, ...]:
    """Why this may not be done now; empty means go.

    Each names event, channel, tier, begin and end by the channel's clock, and the way out. An
    override that does not count is told besides.
    """
    against = [
        (hold, what)
        for hold in _touching(settings, undertaking, standing.holds)
        if (what := _held(settings, undertaking, hold))
    ]
    if not against or override is None:
        return tuple(_said(undertaking, hold, what) for hold, what in against)
    void = may_override(override, undertaking.requested_by, people or {}, standing.now)
    lifted = () if void else override.events
    left = [
        _said(undertaking, hold, what)
        for hold, what in against
        if hold.occurrence.event not in lifted or _never(undertaking, hold)
    ]
    return (*left, *(f"the override does not count: {why}" for why in void))


def _touching(
    settings: Calendar, undertaking: Undertaking, holds: Iterable[Hold]
) -> Iterator[Hold]:
    touched = services_by_channel(settings, undertaking)
    return (hold for hold in holds if hold.occurrence.channel in touched)


def services_by_channel(
    settings: Calendar, undertaking: Undertaking
) -> Mapping[str, tuple[str, ...]]:
    """Every channel that is touched, with the services that touch it; none where nothing is
    guarded. A change of the schema, or of nobody knows which services, touches every channel."""
    if undertaking.environment not in settings.environments:
        return {}
    everywhere = undertaking.schema or not undertaking.services
    found = {
        channel: tuple(
            name
            for name in undertaking.services
            if channel in settings.scope.get(name, undertaking.channels)
        )
        for channel in undertaking.channels
    }
    return {channel: names for channel, names in found.items() if names or everywhere}


def _held(settings: Calendar, undertaking: Undertaking, hold: Hold) -> str:
    """What of it a freeze does not allow; "" when it allows everything."""
    if undertaking.kind in ALWAYS or hold.window.tier == "watch":
        return ""
    if hold.window.tier == "hard":
        return f"a {undertaking.kind}"
    if undertaking.kind == "restore":
        return "a restore, which touches stock and orders,"
    moved = services_by_channel(settings, undertaking)[hold.occurrence.channel]
    among = moved if undertaking.services else settings.guarded
    guarded = [name for name in among if name in settings.guarded]
    parts = [*(["the schema"] if undertaking.schema else []), *guarded]
    return f"a change of {', '.join(parts)}" if parts else ""


def _never(undertaking: Undertaking, hold: Hold) -> bool:
    """A hard freeze is lifted for what is urgent only."""
    return hold.window.tier == "hard" and undertaking.kind not in URGENT


def _said(undertaking: Undertaking, hold: Hold, what: str) -> str:
    wait = hold.occurrence.said(hold.thawed)
    lifted = "an override by somebody who may, a second person and a reason"
    out = f"make it a hotfix with {lifted}" if _never(undertaking, hold) else f"have {lifted}"
    return f"{hold}: {what} may not go on; wait until {wait}, or {out}"


def warnings(settings: Calendar, undertaking: Undertaking, standing: Standing) -> tuple[str, ...]:
    """What people should know although it stops nothing: what holds, is tentative, or is near."""
    holding = (
        f"{hold}: {MAY_SHIP[hold.window.tier]}"
        for hold in _touching(settings, undertaking, standing.holds)
    )
    loose = (
        f"{hold}, if it is confirmed: its dates are tentative"
        f" ({hold.occurrence.source or 'no source'})"
        for hold in _touching(settings, undertaking, standing.tentative)
    )
    soon = (
        f"{hold} begins in {_span(hold.window.begins - standing.now)}"
        f"{'' if hold.confirmed else ', if it is confirmed'}"
        for hold in _touching(settings, undertaking, standing.coming)
        if hold.window.begins - standing.now <= SOON
    )
    return (*holding, *loose, *soon)


def _span(time: timedelta) -> str:
    """
    >>> _span(timedelta(hours=2, minutes=5)), _span(timedelta(days=2))
    ('2 h 5 min', '48 h 0 min')
    """
    minutes = int(time.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min"


def strictness(settings: Calendar, undertaking: Undertaking, standing: Standing) -> Strictness:
    """What the strictest tier among the touched channels asks for; the way back is never slowed."""
    if undertaking.kind in ALWAYS:
        return Strictness()
    touching = _touching(settings, undertaking, standing.holds)
    tiers = {hold.window.tier for hold in touching}
    frozen = bool(tiers & {"hard", "soft"})
    tight = bool(tiers & {"hard", "watch"})
    return Strictness(frozen, 2 if frozen else 1, TIGHT if tight else 1.0)
