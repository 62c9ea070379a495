"""What the forge is told while a release goes on, and what it is asked when one is cut."""

from datetime import datetime
from typing import Protocol

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from blocks.forges import Connected
from blocks.shop import Live
from domain.errors import TradewindError
from domain.forge.protection import Evidence, Inquiry, Shown, evidence, objections, unknown
from domain.forge.settings import Required
from domain.forge.statuses import Status, state_of
from tasks.notify import run_page


class HasForge(Protocol):
    """A live shop, as far as its forge is concerned."""

    @property
    def forge(self) -> Connected | None: ...


@task(task_run_name="tell forge {status.environment} {status.state}", cache_policy=NO_CACHE)
def report_status(live: HasForge, status: Status) -> str:
    """Why the forge could not be told, "" when it was or there is none.

    Never raises: a release does not depend on who hears of it.
    """
    try:
        if live.forge is not None:
            live.forge.client.tell(status)
    except TradewindError as error:
        get_run_logger().warning("the forge was not told: %s", error)
        return str(error)
    return ""


def report_deployment(live: Live, number: int) -> None:
    """How far a deployment is, as the ledger has it now."""
    if live.forge is None:
        return
    row = live.ledger.deployments.get(number)
    release = live.ledger.releases.get(row.version)
    says = row.reason if row.state in ("rolled back", "halted", "refused") else row.state
    status = Status(
        row.version, release.commit, release.ref, row.environment,
        state_of(row.state), says, run_page(live, row.flow_run),
    )  # fmt: skip
    report_status(live, status)


def protection_evidence(
    live: HasForge, commit: str, ref: str, route: tuple[str, ...], asked_at: datetime
) -> tuple[tuple[str, ...], Evidence]:
    """Objections to the commit, and the forge's answer to keep; both empty where none is needed.

    A forge that does not answer is an objection: not known is not passed.
    """
    forge = live.forge
    required = forge.settings.required if forge else None
    if forge is None or required is None or not required.concerns(route):
        return (), {}
    of = forge.settings
    inquiry = Inquiry(f"{of.kind} at {of.endpoint}", of.project, commit, ref, asked_at)
    try:
        shown = _shown(forge, required, commit)
    except TradewindError as error:
        return unknown(inquiry, str(error)), evidence(inquiry, required, None, str(error))
    return objections(required, commit, shown), evidence(inquiry, required, shown, "")


def _shown(forge: Connected, required: Required, commit: str) -> Shown:
    """Only what is required is asked for."""
    names = required.branches or (forge.branch,)
    branches = [forge.client.branch(name, commit) for name in names if required.protected]
    reviewed = forge.client.reviews(commit, names) if required.reviews else ()
    seen = forge.client.checks(commit) if required.checks else {}
    return Shown(
        tuple(branches),
        reviewed,
        {name: seen[name] for name in required.checks if name in seen},
    )
