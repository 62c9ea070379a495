"""The command that shows figures: how fast, how safe, how long, how dear."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.terminal import Json, live, shown
from domain.errors import BadInput
from domain.figures.page import counted
from domain.figures.proof import Share
from domain.figures.reckoning import Line, Reckoning
from domain.figures.success import Success

if TYPE_CHECKING:
    from blocks.shop import Live

MOST_DAYS = 3660


def figures(
    environment: Annotated[str, typer.Option(help="Only this one.")] = "",
    service: Annotated[str, typer.Option(help="Only this one.")] = "",
    days: Annotated[int, typer.Option(help="How far back; 0: as shop.yaml says.")] = 0,
    as_json: Json = False,
) -> None:
    """How fast and safe releases were, with how sure that is, and what they cost."""
    shop = live()
    found = reckoned(shop, environment, days)
    lines = lines_of(shop, found, service)
    shown(machine(found, lines) if as_json else table(found, lines), as_json)


def reckoned(shop: "Live", environment: str, days: int) -> Reckoning:
    """Of the last ``days``, up to now by the ledger's clock; BadInput for what there is not."""
    from tasks.figures import figures_of

    if not 0 <= days <= MOST_DAYS:
        raise BadInput(f"days is {days}, it has to be 0 to {MOST_DAYS}")
    until = shop.ledger.approvals.now()
    since = until - timedelta(days=days or shop.shop.figures.period_days)
    return figures_of(shop, since, until, (environment,) if environment else ())


def lines_of(shop: "Live", found: Reckoning, service: str) -> tuple[Line, ...]:
    """All of them, or those of one service; BadInput for a service that there is not."""
    if service:
        shop.service(service)
    return tuple(line for line in found.lines if service in ("", line.service))


def table(found: Reckoning, lines: tuple[Line, ...]) -> dict[str, Any]:
    """As a terminal shows it."""
    agreed = found.agreed_percent
    success = {
        f"{one.environment} {one.service}".strip(): one.success.told(agreed) for one in lines
    }
    content = {
        "period": f"{found.history.since:%F %R} to {found.history.until:%F %R} UTC",
        "success": success or "no release yet",
        "figures": list(_rows(lines)),
        "stages": [
            {"where": one.environment, "stage": one.stage, "took": str(one.took)}
            for one in found.stages
        ],
        "waited for people": {place: str(took) for place, took in found.waits.items()},
        "verdicts": [
            {"where": place, "of": stage, "given": counted(given)}
            for (place, stage), given in found.verdicts.items()
        ],
        "cost": [_cost(one) for one in found.costs],
    }
    return {name: value or "none" for name, value in content.items()}


def _rows(lines: tuple[Line, ...]) -> Iterator[Mapping[str, Any]]:
    for one in lines:
        yield {
            "where": one.environment,
            "service": one.service or "all",
            "deployments": f"{one.dora.deployments} ({one.dora.per_week:.1f} a week)",
            "lead time": str(one.dora.lead),
            "failed": str(one.dora.failed),
            "recovery": str(one.dora.recovery) + (f"; {one.dora.ill} not yet" * bool(one.dora.ill)),
            "rework": str(one.dora.rework),
        }


def _cost(one: Any) -> Mapping[str, Any]:
    return {
        "release": one.version,
        "compute": f"{one.compute_minutes:.1f} min",
        "kept": f"{one.storage_gb_months:.4f} GB-months",
        "registry": f"{one.registry_gb:.3f} GB",
        "price": str(one),
    }


def machine(found: Reckoning, lines: tuple[Line, ...]) -> dict[str, Any]:
    """As a program reads it: seconds, shares from 0 to 1 with their interval, counts."""
    return {
        "since": found.history.since,
        "until": found.history.until,
        "whole": found.history.whole,
        "agreed_percent": found.agreed_percent,
        "figures": [_line(one, found.agreed_percent) for one in lines],
        "stages": [asdict(one) for one in found.stages],
        "waits": {place: asdict(took) for place, took in found.waits.items()},
        "verdicts": [
            {"environment": place, "of": stage, "given": dict(given)}
            for (place, stage), given in found.verdicts.items()
        ],
        "costs": [asdict(one) for one in found.costs],
    }


def _line(one: Line, agreed_percent: float) -> dict[str, Any]:
    dora = {
        **asdict(one.dora), "failed": _share(one.dora.failed), "rework": _share(one.dora.rework),
    }  # fmt: skip
    success = _success(one.success, agreed_percent)
    return {"environment": one.environment, "service": one.service, **dora, "success": success}


def _success(one: Success, agreed_percent: float) -> dict[str, Any]:
    return {
        **asdict(one), **_share(one.safe), "proven_percent": one.proven_percent,
        "needed": one.needed(agreed_percent), "told": one.told(agreed_percent),
    }  # fmt: skip


def _share(one: Share) -> dict[str, Any]:
    return {**asdict(one), "ratio": one.ratio, "interval": one.interval}
