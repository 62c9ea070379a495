"""Figures from the ledger: of a period, and of one release what it cost."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from blocks.shop import Live
from domain.errors import BadInput
from domain.figures.cost import costs
from domain.figures.reckoning import Asked, Reckoning, reckoning


def figures_of(
    live: Live, since: datetime, until: datetime, environments: Sequence[str] = ()
) -> Reckoning:
    """Of deployments that ended then, in all environments unless some are named.

    BadInput when the period ends before it begins.
    """
    if since >= until:
        raise BadInput(f"until is {until:%F %R}, it has to be after since, {since:%F %R}")
    return reckoning(live.ledger.past.between(since, until), asked_of(live, environments))


def cost_of(live: Live, release: str) -> dict[str, Any]:
    """What a release took until now: ``compute_minutes``, ``storage_gb_months``, ``registry_gb``.

    ``total`` and its ``currency`` by the prices in shop.yaml, None without them. Refused when there
    is no such release.
    """
    live.ledger.releases.get(release)
    history = live.ledger.past.of_release(release, live.ledger.approvals.now())
    found = costs(history, live.shop.figures.prices, hosts_of(live))
    spent = asdict(found[0]) if found else {"total": None}
    return {name: value for name, value in spent.items() if name != "version"}


def zone_of(live: Live) -> ZoneInfo:
    """Whose days the shop counts: as told for its figures, else its calendar's, else UTC."""
    calendar = live.shop.calendar
    named = live.shop.figures.time_zone or (calendar.time_zone if calendar else "")
    return ZoneInfo(named or "UTC")


def asked_of(live: Live, environments: Sequence[str] = ()) -> Asked:
    """What shop.yaml says of figures; BadInput for an environment that it does not know."""
    for name in environments:
        live.environment(name)
    shop = live.shop
    return Asked(shop.figures, hosts_of(live), tuple(shop.services), tuple(environments))


def hosts_of(live: Live) -> dict[str, int]:
    """How many each environment has, those on the way to customers first."""
    shop = live.shop
    names = dict.fromkeys((*shop.route, *shop.environments))
    return {name: len(shop.environments[name].hosts) for name in names}
