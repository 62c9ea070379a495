"""A hotfix: cut for one service, its clock in the UI, and the reminder to merge it back."""

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from pydantic import BaseModel, ConfigDict, Field

from blocks.shop import Live
from domain.hotfix import Hotfix, Wanted, clock, objections, reminder
from domain.journal import Release
from domain.notices.messages import Facts
from domain.request import objections as objections_to_any
from tasks.cut import ReleaseRequest, facts, opened
from tasks.deployment import Deploying, manifest_of
from tasks.freeze import frozen_at_cut
from tasks.notify import tell
from tasks.retries import STEP


class HotfixRequest(BaseModel):
    """One fix of one service, for an incident."""

    model_config = ConfigDict(extra="forbid")
    service: str = Field(title="Service")
    ref: str = Field(title="Commit or branch of the fix", max_length=200)
    reason: str = Field(title="What is broken, and what the fix does", max_length=500)
    incident: str = Field(title="Incident (as INC-4711)", max_length=100)
    requested_by: str = Field(title="Your name", max_length=100)

    def as_release(self) -> ReleaseRequest:
        """The same request as for any release: one service, the whole route."""
        return ReleaseRequest(
            ref=self.ref,
            services=[self.service],
            reason=self.reason,
            requested_by=self.requested_by,
        )


@task(task_run_name="cut hotfix {request.ref}", cache_policy=NO_CACHE)
def cut_hotfix(live: Live, request: HotfixRequest, flow_run: str) -> Release:
    """The release of this flow run, with a deadline; Refused, changing nothing, on objections.

    A breaking change of a marketplace's API does not stop it: it may be the fix.
    """
    made = live.ledger.releases.of_flow_run(flow_run) or _cut(live, request, flow_run)
    seconds = live.shop.hotfix.deadline_seconds
    live.ledger.hotfixes.open(made.version, request.service, request.incident.strip(), seconds)
    return made


def _cut(live: Live, request: HotfixRequest, flow_run: str) -> Release:
    asked = facts(live, request.as_release())
    wanted = Wanted(
        request.service,
        request.incident,
        request.reason,
        tuple(live.shop.services),
        _unchanged_since(live, request.service, asked.commit),
    )
    frozen = frozen_at_cut(live, asked, "hotfix")
    against = tuple(dict.fromkeys((*objections(wanted), *objections_to_any(asked), *frozen)))
    return opened(live, asked, request.reason, flow_run, against)


def _unchanged_since(live: Live, service: str, commit: str) -> str:
    """The version that serves these very files of the service at the end of the route."""
    serving = live.ledger.deployments.serving(live.shop.route[-1]).get(service)
    if serving is None or service not in live.shop.services:
        return ""
    declared = live.service(service)
    paths = (*declared.paths, declared.requirements)
    before = manifest_of(live, serving.version).commit
    digest = live.repository.tree_digest
    return serving.version if digest(before, paths) == digest(commit, paths) else ""


def tick(under_way: Deploying) -> None:
    """The deadline's clock in the UI: how much of the time is used, and at which stage."""
    hotfix = under_way.hotfix
    carried = under_way.row.kind == "release" and FlowRunContext.get() is not None
    if hotfix is None or not carried:
        return
    seen = clock(hotfix, datetime.now(UTC), f"{under_way.environment} {under_way.state}")
    artifact = under_way.clock
    if artifact is None:
        key = f"hotfix-clock-{under_way.environment}"
        made = create_progress_artifact(round(seen.percent, 1), key=key, description=seen.text)
        under_way.clock = cast(UUID, made)  # in a synchronous flow
    else:
        update_progress_artifact(artifact, round(seen.percent, 1), seen.text)


@task(task_run_name="hotfixes to merge back", **STEP)
def remind_back_merges(live: Live) -> dict[str, str]:
    """By version what is still to be merged back, told once a day; those that were, are noted."""
    left: dict[str, str] = {}
    for hotfix in live.ledger.hotfixes.unmerged():
        sentence = _left(live, hotfix)
        if sentence:
            left[hotfix.version] = sentence
            key = f"{hotfix.version} {datetime.now(UTC):%F}"
            tell(live, "hotfix", key, Facts(live.shop.shop, hotfix.version, outcome=sentence))
        else:
            live.ledger.hotfixes.merged(hotfix.version)
    return left


def _left(live: Live, hotfix: Hotfix) -> str:
    commit, branch = live.ledger.releases.get(hotfix.version).commit, live.shop.branch
    if live.repository.is_ancestor(commit, live.repository.resolve(branch)):
        return ""
    return reminder(hotfix, commit, branch)
