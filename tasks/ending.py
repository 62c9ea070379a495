"""How a run ends: deployments closed, the release finished in the ledger, a state that says it."""

from typing import Any, Literal

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.states import Failed as FailedState

from blocks.prefect_server import PrefectServer
from blocks.redaction import redacted
from blocks.shop import Live
from domain.errors import Failed, Fenced, Halted, Refused, TradewindError
from domain.journal import UNTOUCHED, Deployment, Release
from tasks.deployment import deploying, executor
from tasks.failure import explain
from tasks.notify import tell_end
from tasks.report import report

End = Literal["released", "refused", "restored", "halted"]


def ended(live: Live, flow_run: str, error: Exception | None = None) -> State[Any]:
    """Writes the end of the flow run's release down, reports it, and answers Prefect's state.

    A cut that was refused left no release behind: then there is only the state.
    """
    if error is not None:
        get_run_logger().error("%s", error)
    release = live.ledger.releases.of_flow_run(flow_run)
    if release is None:
        return said(error or Refused("nothing was cut"))
    finished = finish(live, release, error)
    report(live, finished)
    explain(live, finished)
    tell_end(live, finished)
    offer_versions(live)
    message = f"{finished.version}: {finished.outcome}"
    if finished.state == "released":
        return Completed(message=message)
    return FailedState(name=finished.state.capitalize(), message=message)


def finish(live: Live, release: Release, error: Exception | None) -> Release:
    """The release's final state by what its deployments came to; the first end stays."""
    for row in live.ledger.deployments.of_release(release.version):
        if row.kind == "release" and row.state in UNTOUCHED:
            refuse(live, row, redacted(str(error)))
    outcome = redacted(str(error)) if error else f"serves in {', '.join(release.route)}"
    live.ledger.releases.finish(release.version, _state(live, release, error), outcome)
    return live.ledger.releases.get(release.version)


def refuse(live: Live, row: Deployment, reason: str) -> None:
    """Closes a deployment before anything was touched."""
    with deploying(live, row.id, executor(row.flow_run)) as under_way:
        under_way.advance("refused", reason)


def _state(live: Live, release: Release, error: Exception | None) -> End:
    if error is None:
        return "released"
    states = {row.state for row in live.ledger.deployments.of_release(release.version)}
    if "halted" in states:
        return "halted"
    return "restored" if "rolled back" in states else "refused"


def arrived(live: Live, deployment: int) -> None:
    """Raises what the ledger says, whatever the run that carried it came to."""
    row = live.ledger.deployments.get(deployment)
    if row.state == "done":
        return
    if row.state == "refused":
        raise Refused(f"{row.environment}: {row.reason}")
    if row.state == "halted":
        raise Halted(f"{row.environment}: {row.reason}")
    if row.state == "rolled back":
        raise Failed(f"{row.environment} restored: {row.reason}")
    raise Fenced(f"{row.environment} is {row.state}: another executor has it, or it was cut off")


def said(error: Exception) -> State[Any]:
    """Prefect's state for an error of ours: its name is what a person reads in the list of runs."""
    names: tuple[tuple[type[TradewindError], str], ...] = (
        (Fenced, "Fenced"),
        (Refused, "Refused"),
        (Halted, "Halted"),
        (Failed, "Restored"),
    )
    name = next((name for kind, name in names if isinstance(error, kind)), "Failed")
    return FailedState(name=name, message=redacted(str(error)))


def offer_versions(live: Live) -> None:
    """The forms of rollbacks and promotions offer the versions that exist now."""
    versions = tuple(release.version for release in live.ledger.releases.all())
    for flow in ("rollback", "promote", "make-good", "replay"):
        PrefectServer().offer(f"{flow}/{live.shop.shop}", {"version": versions})
