"""Commands around drills: one is started, or what they came to and when they are due is shown."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.terminal import By, Json, actions, ended, live, shown

if TYPE_CHECKING:
    from domain.drills.judgement import Drill, Standing


def drill(
    by: By,
    kind: Annotated[str, typer.Argument(help="Empty: all; else as `tradewind drills` says.")] = "",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Empty: usual.")] = "",
    as_json: Json = False,
) -> None:
    """Break something on purpose where no customers are, and see how soon it works again."""
    request = {"kind": kind or "all", "environment": environment, "requested_by": by}
    ended(actions().drill(request), as_json)


def drills(as_json: Json = False) -> None:
    """What was drilled, how long it took against what was agreed, and what is due."""
    shop = live()
    from domain.drills.settings import place_of
    from tasks.drill import declared
    from tasks.drill_report import standing

    place = place_of(declared(shop), shop.shop.route)
    found = [_due(one) for one in standing(shop, place)]
    history = [asdict(one) if as_json else _short(one) for one in shop.ledger.drills.all()]
    shown({"due": found, "drills": history}, as_json)


def _due(standing: "Standing") -> dict[str, Any]:
    passed: datetime | None = standing.passed.begun_at if standing.passed else None
    return {
        "kind": standing.kind, "state": standing.state, "passed last": passed or "never",
        "due": standing.due_at, "why": standing.said,
    }  # fmt: skip


def _short(drill: "Drill") -> dict[str, Any]:
    return {
        "begun": drill.begun_at, "kind": drill.kind, "where": drill.environment,
        "result": drill.result or "under way",
        "RTO": _measured(drill.rto_seconds, drill.agreed_rto_seconds),
        "RPO": _measured(drill.rpo_seconds, drill.agreed_rpo_seconds),
        "by": drill.requested_by, "why": drill.reason,
    }  # fmt: skip


def _measured(seconds: float | None, agreed: float) -> str:
    return f"{'–' if seconds is None else f'{seconds:.2f} s'} of {agreed:g} s"
