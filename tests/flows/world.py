"""A whole small world for a test: the stack, the sample's repository, a marketplace, customers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from blocks import prefect_runs as runs
from blocks.prefect_server import PrefectServer
from blocks.shop import Live
from deployments.apply import apply
from deployments.demo.street import Street
from deployments.settings import state_of
from deployments.stack import Stack
from domain.journal import Deployment, Release
from examples.repository import SampleRepository

RUN_SECONDS = 180.0
Settings = dict[str, Any]


@dataclass(frozen=True)
class World:
    live: Live
    stack: Stack
    street: Street
    sample: SampleRepository

    @property
    def folder(self) -> Path:
        return self.sample.folder

    def start(self, ref: str = "main", **request: Any) -> UUID:
        """A release by Ann, through Prefect's API."""
        shop = self.live.shop.shop
        asked = {"ref": ref, "requested_by": "Ann", **request}
        return runs.start(f"release/{shop}", {"shop": shop, "request": asked})

    def released(self, ref: str = "main", **request: Any) -> Release:
        """The release that a run came to, waited for."""
        run = self.start(ref, **request)
        ended = runs.follow(run, RUN_SECONDS)
        release = self.release(run)
        assert release is not None, ended
        return release

    def release(self, run: UUID) -> Release | None:
        return self.live.ledger.releases.of_flow_run(str(run))

    def deployment(self, version: str, environment: str) -> Deployment:
        rows = self.live.ledger.deployments.of_release(version)
        (row,) = (row for row in rows if row.environment == environment and row.kind == "release")
        return row

    def weights(self, environment: str = "production") -> dict[str, int]:
        """What has traffic, by unit."""
        return {
            name: unit.weight
            for host in self.live.hosts(environment)
            for name, unit in host.observe().units.items()
            if unit.weight
        }

    def working(self, environment: str = "production") -> set[str]:
        """The workers that are not standing by."""
        return {
            name
            for host in self.live.hosts(environment)
            for name, unit in host.observe().units.items()
            if unit.kind == "worker" and unit.role == "working"
        }


@contextmanager
def opened(folder: Path, change: Callable[[Settings], None]) -> Iterator[World]:
    """Everything up, with ``shop.yaml`` changed; everything ended afterwards."""
    sample = SampleRepository(folder)
    file = folder / "shop.yaml"
    settings = yaml.safe_load(file.read_text())
    change(settings)
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    sample.commit("The test's settings")
    live = Live(file, state_of(file))
    stack = Stack(live)
    prefect = {PREFECT_API_URL: stack.api, PREFECT_HOME: live.state / "prefect"}
    try:
        stack.up()
        with temporary_settings(prefect):
            street = Street(live, stack)
            street.open_marketplaces()
            apply(live, PrefectServer())
            yield World(live, stack, street, sample)
    finally:
        stack.down()


def quick(settings: Settings) -> None:
    """Short windows, few tests: what a story is about takes its time, nothing else does."""
    production = settings["environments"]["production"]
    production |= {"approve_schema": False, "lease_seconds": 10}
    production["canary"] |= {"weights": [50, 100], "bake_seconds": 0.2, "poll_seconds": 0.1}
    production["checks"] |= {"settle_seconds": 2}
    for name, service in settings["services"].items():
        folder = name.replace("-", "_")
        service["max_error_rate"] = 0.2
        service["test"] = {
            "command": ["python", "-m", "pytest", "-q", "-x", f"{folder}/tests"],
            "requirements": "requirements-test.lock",
        }


def smallest(settings: Settings) -> None:
    """One web service, one worker and one channel; plain SQL judges, in the fewest windows."""
    quick(settings)
    straight_to_production(settings)
    production = settings["environments"]["production"]
    production["channels"] = {"amazon-us": production["channels"]["amazon-us"]}
    production["checks"] |= {"windows": 2, "sql_above_rows": 0}
    del settings["services"]["inventory-sync"]


def soon_taken_over(settings: Settings) -> None:
    """Where executors die: others take over within 1 s. A busy machine may take a lease by that."""
    settings["environments"]["production"]["lease_seconds"] = 1


def straight_to_production(settings: Settings) -> None:
    settings["route"] = ["production"]
    del settings["environments"]["staging"]
    settings.pop("drills", None)
