"""Whether a release may go on: asked before every step that touches an environment."""

from dataclasses import asdict, replace
from functools import partial

from domain.calendar.freeze import Strictness
from domain.checks.settings import Checks
from tasks.deployment import Deploying
from tasks.freeze import frozen, stricter, undertaking_of
from tasks.hotfix import tick
from tasks.safe_point import safe_point
from tasks.schema import plan_change

STRICTNESS = "strictness by the calendar"


def may_go_on(under_way: Deploying) -> None:
    """A safe point: waits while a person holds the environment, stops what a promotion freezes.

    A hotfix's clock is shown. The way back is never asked.
    """
    tick(under_way)
    safe_point(under_way, (partial(_frozen, under_way),), under_way.declared.hold_seconds)


def _frozen(under_way: Deploying) -> tuple[str, ...]:
    undertaking = undertaking_of(under_way, schema=plan_change(under_way).proven)
    lacking = under_way.canary is None and any(one.before for one in under_way.plan.web)
    if lacking and strictness(under_way).canary_required:
        field = f"environments.{under_way.environment}.canary"
        needed = f"{field} is missing: a promotion is near, and nothing moves without one"
        return (*frozen(under_way.live, undertaking), needed)
    return frozen(under_way.live, undertaking)


def strictness(under_way: Deploying) -> Strictness:
    """What the calendar asked for when the deployment began; it stays so to the end."""

    def asked() -> dict[str, object]:
        undertaking = undertaking_of(under_way, schema=False)
        return asdict(stricter(under_way.live, undertaking))

    return Strictness(**under_way.step(STRICTNESS, asked))


def strict_checks(under_way: Deploying) -> Checks | None:
    """The checks of the environment: more looks and tighter tolerances near a promotion."""
    checks, asked = under_way.checks, strictness(under_way)
    if checks is None:
        return None
    tight = asked.tolerance_factor
    return replace(
        checks,
        windows=checks.windows * asked.checks_factor,
        stock_tolerance_units=int(checks.stock_tolerance_units * tight),
        stock_tolerance_share=checks.stock_tolerance_share * tight,
        drift_share=checks.drift_share * tight,
    )
