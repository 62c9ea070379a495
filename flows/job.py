"""Scheduled: one run of a job, by the version that has its schedule, whatever is being deployed."""

from datetime import UTC
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from blocks.shop import open_shop
from domain.errors import TradewindError
from tasks.deployment import executor
from tasks.ending import said
from tasks.job import Turn, run_job
from tasks.runs import this_run


@flow(name="job", flow_run_name="{service} in {environment}", log_prints=True)
def job(shop: str, environment: str, service: str) -> State[Any]:
    """The run's scheduled time is its name in the ledger: started twice, it runs once."""
    at = flow_run.get_scheduled_start_time().astimezone(UTC).isoformat(timespec="seconds")
    try:
        version = run_job(open_shop(shop), Turn(environment, service, at), executor(this_run()))
    except TradewindError as error:
        return said(error)
    return Completed(message=f"{service}@{version} of {at}")
