"""Every flow: what starts it, what its form asks for, and how it ends."""

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.utilities.callables import parameter_schema

import flows as package
from blocks.ledger import Ledger
from blocks.prefect_server import Declared
from blocks.shop import Live
from deployments.declared import declared_deployments
from deployments.gateway.starts import STARTS
from deployments.reference.page import SAMPLE, described, page, shown, table
from domain.contracts.settings import Contracts
from domain.forge.settings import Forge
from domain.shop import Nightly, Schedule, Shop

SAID = (
    "`tradewind apply` makes a deployment for every flow that people or schedules start, named"
    " after the shop: `release/sample-shop`. People start them in Prefect's pages or with the"
    " command of the same name; the others run by themselves."
)


class _NoReleases:
    def all(self) -> tuple[()]:
        return ()


@dataclass(frozen=True)
class _EmptyLedger:
    releases: _NoReleases


class Unreleased(Live):
    """The sample shop before its first release: it needs no database to say what it declares."""

    def __init__(self) -> None:
        super().__init__(SAMPLE, Path(".tradewind"))

    @cached_property
    def ledger(self) -> Ledger:
        return cast(Ledger, _EmptyLedger(_NoReleases()))


def everything(shop: Shop) -> Shop:
    """With all that makes a deployment of its own, each by its defaults."""
    job = replace(shop.services["inventory-sync"], kind="job", schedule=Schedule("15 6 * * *"))
    return replace(
        shop,
        services={**shop.services, "report": job},
        nightly=Nightly(),
        contracts=Contracts(),
        forge=Forge("github", "https://api.github.com", "ann/shop", "${env:FORGE_TOKEN}"),
    )


def flows() -> str:
    """In alphabetical order."""
    live = Unreleased()
    always = {one.flow.name for one in declared_deployments(live)}
    live.shop = everything(live.shop)
    declared = {one.flow.name: one for one in declared_deployments(live)}
    parts = (_section(one, declared.get(one.name), one.name in always) for one in known())
    return page("Flows", SAID, parts)


def known() -> tuple[Flow[..., Any], ...]:
    """Every flow that a module of ``flows`` defines."""
    found = {
        one.name: one
        for module in pkgutil.iter_modules(package.__path__)
        for one in vars(import_module(f"flows.{module.name}")).values()
        if isinstance(one, Flow)
    }
    return tuple(found[name] for name in sorted(found))


def _section(one: Flow[..., Any], declared: Declared | None, always: bool) -> str:
    only = "" if always or declared is None else " Only where `shop.yaml` asks for it."
    parts = (
        f"## {one.name}",
        f"{declared.description}." if declared else "",
        described(one.fn),
        _started(one.name, declared) + only,
        table(("Field of its form", "What", "Where it is left out"), _fields(one)),
    )
    return "\n\n".join(part for part in parts if part)


def _started(name: str, declared: Declared | None) -> str:
    """Who or what starts it."""
    if name in STARTS:
        return f"Started by people with the permission to `{STARTS[name].permission}`."
    if declared is not None and declared.schedule is not None:
        return f"Runs by itself, {_when(declared.schedule)}."
    return "Started by a forge." if declared else "A part of other flows."


def _when(schedule: IntervalSchedule | CronSchedule) -> str:
    if isinstance(schedule, CronSchedule):
        return f"at `{schedule.cron}` in {schedule.timezone}"
    return f"every {schedule.interval.total_seconds():.0f} s"


def _fields(one: Flow[..., Any]) -> Iterator[tuple[str, str, str]]:
    """Of ``request``, where there is one: it is the form; else the parameters themselves."""
    schema = parameter_schema(one).model_dump_for_openapi()
    form: dict[str, Any] = schema.get("properties", {}).get("request", {})
    named = form.get("$ref", "").rpartition("/")[2] or _single(form)
    asked = schema.get("definitions", {}).get(named) or schema
    for name, field in asked.get("properties", {}).items():
        left_out = "**needed**" if name in asked.get("required", ()) else shown(_default(field))
        said = ". ".join(one for one in (field.get("title"), field.get("description")) if one)
        yield f"`{name}`", said, left_out


def _single(form: Mapping[str, Any]) -> str:
    return next((one["$ref"].rpartition("/")[2] for one in form.get("allOf", ())), "")


def _default(field: Mapping[str, Any]) -> object:
    found = field.get("default")
    return tuple(found) if isinstance(found, list) else found
