"""Why a release ended badly: its facts from the ledger alone, and the page that explains them."""

from collections.abc import Iterator, Mapping
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from blocks.shop import Live
from domain.errors import Refused
from domain.failure.explanation import Explanation, explained
from domain.failure.facts import Broken, Orders, Place, Trouble
from domain.failure.page import page
from domain.journal import Approval, Deployment, Release, Step
from tasks.check import CHECK
from tasks.deployment import scope_of
from tasks.schema import PLAN, REHEARSAL

KEY = "failure-report"
BAD = ("refused", "rolling back", "rolled back", "halted")
BACK = "restore: "
NO_CAUSE = (BACK, "blame", "quarantine", "without ")
"""Steps that follow from a failure and are none themselves."""


@task(task_run_name="explain {release.version}", cache_policy=NO_CACHE)
def explain(live: Live, release: Release) -> None:
    """The page about a release or promotion that ended badly; nothing for one that did not."""
    if not troubled(live, release):
        return
    found = explanation_of(live, release.version)
    create_markdown_artifact(page(found), key=KEY, description=f"{found.version}: {found.cause}")


def troubled(live: Live, release: Release) -> bool:
    return release.state in ("refused", "restored", "halted") or _bad(live, release) is not None


def explanation_of(live: Live, version: str) -> Explanation:
    """Refused when there is no such release, or none of its ends was bad."""
    release = live.ledger.releases.get(version)
    if not troubled(live, release):
        raise Refused(f"{version} is {release.state}: there is no failure to explain")
    return explained(trouble_of(live, release))


def trouble_of(live: Live, release: Release) -> Trouble:
    row, route = _bad(live, release), live.shop.route
    return Trouble(
        release.version,
        _ended(release, row),
        (row.reason if row else "") or release.outcome,
        release.ref,
        _broken_there(live, row) if row else _broken_before(live, release),
        _place(live, row) if row else None,
        _decision(live.ledger.approvals.of_deployment(row.id)) if row else "",
        quarantined=row is not None and "quarantine" in _done(live.ledger.steps(scope_of(row))),
        replayed_in=route[0] if len(route) > 1 else "",
    )


def _ended(release: Release, row: Deployment | None) -> str:
    """A promotion that failed leaves its release as it was."""
    if row is None:
        return release.state
    return {"rolled back": "restored", "rolling back": "restored"}.get(row.state, row.state)


def _bad(live: Live, release: Release) -> Deployment | None:
    """The last deployment of it, unless that ended well."""
    rows = live.ledger.deployments.of_release(release.version)
    carried = [row for row in rows if row.kind == "release"]
    return carried[-1] if carried and carried[-1].state in BAD else None


def _broken_before(live: Live, release: Release) -> Broken:
    """Of a release that came to no environment: tests, builds, or what stood against it."""
    steps = live.ledger.steps(f"release:{release.version}")
    found = list(_broken("release", steps))
    built = any(step.name.startswith("build ") for step in steps)
    where = release.route[0] if built else "release"
    return found[0] if found else Broken(where, "", release.outcome)


def _broken_there(live: Live, row: Deployment) -> Broken:
    steps = live.ledger.steps(scope_of(row))
    found = list(_broken(row.environment, steps))
    return found[-1] if found else Broken(row.environment, _last(steps), row.reason)


def _broken(where: str, steps: tuple[Step, ...]) -> Iterator[Broken]:
    for step in steps:
        outcome, said = step.outcome, str(step.outcome.get("error", ""))
        if step.name.startswith(NO_CAUSE):
            continue
        reasons = "; ".join(map(str, outcome.get("reasons", ())))
        if step.status == "failed" or (reasons and _objects(outcome)):
            yield Broken(where, step.name, said or reasons, (str(outcome.get("log", "")),))


def _objects(outcome: Mapping[str, Any]) -> bool:
    """A verdict that is not the good one, or a gate, which has reasons only when it failed."""
    said = outcome.get("decision") or outcome.get("verdict") or "none"
    return said not in ("promote", "pass")


def _last(steps: tuple[Step, ...]) -> str:
    """The schema's, where that is what it came to: a rehearsal objects after it was recorded."""
    done = {step.name: step.outcome for step in steps}
    changes = done.get(PLAN, {}).get("migration", {}).get("revisions")
    return (REHEARSAL if REHEARSAL in done else PLAN) if changes else ""


def _place(live: Live, row: Deployment) -> Place:
    steps = live.ledger.steps(scope_of(row))
    back = {step.name.removeprefix(BACK): step for step in steps if step.name.startswith(BACK)}
    serving = live.ledger.deployments.serving(row.environment)
    return Place(
        row.environment,
        row.state,
        {service: one["version"] for service, one in row.previous.items()},
        {service: one.version for service, one in serving.items()},
        tuple(name for name, step in back.items() if step.status == "done"),
        tuple(name for name, step in back.items() if step.status != "done"),
        _orders(next((step.outcome for step in steps if step.name == CHECK), {})),
    )


def _orders(checked: Mapping[str, Any]) -> Orders:
    """Kept is only said where every channel's orders were looked for and found."""
    results = {
        (one["check"], one["channel"]): one["result"]
        for one in checked.get("outcomes", ())
        if one["check"].startswith("ORD-")
    }
    if "fail" in results.values():
        return "differ"
    missing = [result for (check, _), result in results.items() if check == "ORD-01"]
    return "kept" if missing and set(missing) == {"pass"} else "not checked"


def _decision(approvals: tuple[Approval, ...]) -> str:
    if not approvals or approvals[-1].decision not in ("rejected", "expired"):
        return ""
    last = approvals[-1]
    if last.decision == "expired":
        return f"nobody answered until {last.expires_at:%Y-%m-%d %H:%M} UTC"
    return f"rejected by {last.decided_by}: {last.reason}"


def _done(steps: tuple[Step, ...]) -> set[str]:
    return {step.name for step in steps if step.status == "done"}
