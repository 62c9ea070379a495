"""The Prefect server, as the place where blocks, deployments, forms and limits are declared."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    GlobalConcurrencyLimitUpdate,
    WorkPoolCreate,
)
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterStartTime,
)
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Running
from prefect.utilities.callables import parameter_schema
from pydantic import ValidationError

from domain.agreement import with_choices
from domain.errors import BadInput

POOL = "tradewind"
Schedule = IntervalSchedule | CronSchedule


@dataclass(frozen=True)
class Declared:
    """A deployment as we want it: its flow, its form's choices, and when it runs by itself.

    Without ``parameters`` it is named after its shop, and gets that.
    """

    flow: Flow[..., Any]
    name: str
    entrypoint: str
    description: str
    choices: Mapping[str, tuple[str, ...]]
    schedule: Schedule | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.flow.name}/{self.name}"

    def fields(self) -> dict[str, Any]:
        """What the server should hold, in the words of its API.

        No path: Prefect copies a deployment's folder for every run, and ours are installed modules.
        """
        return {
            "entrypoint": self.entrypoint,
            "description": self.description,
            "work_pool_name": POOL,
            "parameters": dict(self.parameters) or {"shop": self.name},
            "enforce_parameter_schema": True,
            "parameter_openapi_schema": self._form(),
            "schedule": _described(self.schedule),
        }

    def _form(self) -> dict[str, Any]:
        return with_choices(parameter_schema(self.flow).model_dump_for_openapi(), self.choices)


class PrefectServer:
    """Reads and declares; every verb says the desired state, so that twice is the same as once."""

    def __init__(self, client: SyncPrefectClient | None = None) -> None:
        self.client = client or get_client(sync_client=True)

    def deployment(self, full_name: str) -> dict[str, Any] | None:
        """The fields of a deployment that we declare, or None when there is none."""
        try:
            found = self.client.read_deployment_by_name(full_name)
        except ObjectNotFound:
            return None
        return {
            **found.model_dump(include=set(_COMPARED)),
            "schedule": _described(_first(found.schedules)),
        }

    def declare_deployment(self, declared: Declared) -> UUID:
        fields = declared.fields()
        del fields["schedule"]
        flow_id = self.client.create_flow_from_name(declared.flow.name)
        own = declared.schedule
        schedules = [DeploymentScheduleCreate(schedule=own)] if own else []
        return self.client.create_deployment(flow_id, declared.name, schedules=schedules, **fields)

    def names_of(self, flow: str, shop: str) -> tuple[str, ...]:
        """Full names of a flow's deployments for a shop."""
        chosen = FlowFilter(name=FlowFilterName(any_=[flow]))
        found = self.client.read_deployments(flow_filter=chosen)
        return tuple(f"{flow}/{one.name}" for one in found if one.parameters.get("shop") == shop)

    def unschedule(self, full_name: str) -> None:
        """The deployment stays, with its history; it no longer runs by itself."""
        found = self.client.read_deployment_by_name(full_name)
        self.client.update_deployment(found.id, DeploymentUpdate(schedules=[]))

    def offer(self, full_name: str, choices: Mapping[str, tuple[str, ...]]) -> None:
        """New choices for a form, such as the versions that exist; one never applied has none."""
        with suppress(ObjectNotFound):
            found = self.client.read_deployment_by_name(full_name)
            form = with_choices(found.parameter_openapi_schema or {}, choices)
            self.client.update_deployment(found.id, DeploymentUpdate(parameter_openapi_schema=form))

    def block(self, name: str, kind: str) -> dict[str, Any] | None:
        """The fields of a block of that type's slug, or None when there is none."""
        try:
            document = self.client.read_block_document_by_name(name, kind)
        except ObjectNotFound:
            return None
        return dict(document.data)

    def declare_block(self, name: str, block: Block) -> None:
        block.save(name, overwrite=True)

    def pool(self, name: str) -> dict[str, Any] | None:
        try:
            return {"type": self.client.read_work_pool(name).type}
        except ObjectNotFound:
            return None

    def declare_pool(self, name: str) -> None:
        """A pool whose workers run flows as processes; one that is there stays."""
        if self.pool(name) is None:
            self.client.create_work_pool(WorkPoolCreate(name=name, type="process"))

    def limit(self, name: str) -> dict[str, Any] | None:
        try:
            return {"limit": self.client.read_global_concurrency_limit_by_name(name).limit}
        except ObjectNotFound:
            return None

    def declare_limit(self, name: str, limit: int) -> None:
        self.client.upsert_global_concurrency_limit_by_name(name, limit)

    def show_held(self, limit: str, slots: int) -> None:
        """How much of a limit the UI shows as taken; one that was never applied stays unknown."""
        taken = GlobalConcurrencyLimitUpdate(active_slots=slots)
        with suppress(ObjectNotFound):
            self.client.update_global_concurrency_limit(limit, taken)

    def state_of(self, flow_run: str) -> str:
        """The type of a run's state, such as CRASHED; "" when there is no such run."""
        found = self._run(flow_run)
        return found.state_type.value if found and found.state_type else ""

    def starts_of(self, flow_run: str) -> int:
        """How often a run was started."""
        found = self._run(flow_run)
        return found.run_count if found else 0

    def started_before(self, full_name: str, flow_run: str) -> datetime | None:
        """When the deployment's newest run but ``flow_run`` began; None when there is no other."""
        deployment = self.client.read_deployment_by_name(full_name)
        found = self.client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
            flow_run_filter=FlowRunFilter(
                id=FlowRunFilterId(not_any_=[UUID(flow_run)]),
                start_time=FlowRunFilterStartTime(is_null_=False),
            ),
            sort=FlowRunSort.START_TIME_DESC,
            limit=1,
        )
        return found[0].start_time if found else None

    def start_again(self, flow_run: str) -> None:
        """The same run from its top, whatever state a dead process left it in."""
        if self._run(flow_run):
            self.client.set_flow_run_state(UUID(flow_run), AwaitingRetry(), force=True)

    def hold_for_running(self, flow_run: str) -> None:
        """A worker's late word that it submits the run, which runs already, is taken back.

        Prefect lets no run be suspended that it holds for pending.
        """
        found = self._run(flow_run)
        if found and found.state and found.state.is_pending():
            self.client.set_flow_run_state(UUID(flow_run), Running(), force=True)

    def resume(self, flow_run: str) -> None:
        """A suspended run goes on, without an answer."""
        self.client.resume_flow_run(UUID(flow_run))

    def rename_run(self, flow_run: str, name: str) -> None:
        self.client.update_flow_run(UUID(flow_run), name=name)

    def _run(self, flow_run: str) -> FlowRun | None:
        try:
            return self.client.read_flow_run(UUID(flow_run))
        except (ObjectNotFound, ValueError):
            return None


def limit_name(shop: str, environment: str) -> str:
    """The limit that shows whether an environment is taken."""
    return f"{shop}-{environment}"


_COMPARED = (
    "entrypoint",
    "description",
    "work_pool_name",
    "parameters",
    "enforce_parameter_schema",
    "parameter_openapi_schema",
)


def every(seconds: float) -> Schedule:
    return IntervalSchedule(interval=timedelta(seconds=seconds))


def at(cron: str, time_zone: str) -> Schedule:
    """Five fields of cron in an IANA time zone; BadInput when there is no such time."""
    try:
        return CronSchedule(cron=cron, timezone=time_zone)
    except ValidationError as error:
        said = "; ".join(one["msg"] for one in error.errors())
        raise BadInput(f"schedule is {cron!r} in {time_zone!r}: {said}") from error


def _first(schedules: list[DeploymentSchedule]) -> object:
    return schedules[0].schedule if schedules else None


def _described(schedule: object) -> dict[str, Any] | None:
    """A schedule as it is compared; None for one that is not of ours."""
    if isinstance(schedule, IntervalSchedule):
        return {"every_seconds": schedule.interval.total_seconds()}
    if isinstance(schedule, CronSchedule):
        return {"cron": schedule.cron, "time_zone": schedule.timezone}
    return None
