"""Which flows a shop has in Prefect: those that people start, and those that a schedule does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prefect import Flow

from blocks.prefect_server import Declared, Schedule, at, every
from blocks.shop import Live
from domain.shop import Shop
from flows.ci import ci
from flows.contracts import contracts
from flows.drill import drill
from flows.hotfix import hotfix
from flows.job import job
from flows.make_good import make_good
from flows.nightly import nightly
from flows.promote import promote
from flows.reconcile import reconcile
from flows.reconcile_stock import reconcile_stock
from flows.release import release
from flows.replay import replay
from flows.report import weekly_report
from flows.restore import restore
from flows.rollback import rollback
from tasks.drill import ALL, PUT_RIGHT
from tasks.figures import zone_of
from tasks.reconcile_stock import watched

RECONCILE_SECONDS, STOCK_SECONDS = 60.0, 3600.0
AnyFlow = Flow[..., Any]
PLACES = ("until", "environment", "from_environment", "to_environment")
FORMS: tuple[tuple[AnyFlow, str, tuple[str, ...]], ...] = (
    (release, "A release from commit to customers", ("services", "until")),
    (
        hotfix,
        "One service on the shortest safe way, with a second pair of eyes and a deadline",
        ("service",),
    ),
    (rollback, "Back to a version that served before", ("environment", "version")),
    (
        promote,
        "The same digests from one environment to the next",
        ("from_environment", "to_environment", "version"),
    ),
    (restore, "A database back to a backup, with the orders that came since", ("environment",)),
    (
        replay,
        "One stage of a version again, where no customer is, with all its output",
        ("version",),
    ),
    (
        make_good,
        "Tells stock to the channels again that a version told wrongly",
        ("environment", "version"),
    ),
)
"""What people start: its flow, what it is for, and the fields that offer real choices."""


def declared_deployments(live: Live) -> tuple[Declared, ...]:
    """With the real choices in their forms, and their schedules."""
    return (
        *_by_people(live),
        *_always(live),
        *_where_asked(live),
        *_jobs(live.shop),
    )


def scheduled() -> tuple[AnyFlow, ...]:
    """Flows whose schedule goes when shop.yaml does not ask for them any more."""
    return nightly, job, contracts, reconcile_stock, drill


def _by_people(live: Live) -> Iterator[Declared]:
    """A field of a form offers the same wherever it stands."""
    shop, versions = live.shop, _versions(live)
    offered: dict[str, Sequence[str]] = {
        **dict.fromkeys(PLACES, shop.route),
        "services": tuple(shop.services),
        "service": tuple(shop.services),
        "version": versions,
    }
    for flow, description, fields in FORMS:
        yield _of(shop, flow, description, {name: offered[name] for name in fields})
    if shop.forge:
        yield _of(shop, ci, "A commit's tests, as a forge's push asks for them")


def _always(live: Live) -> Iterator[Declared]:
    shop = live.shop
    yield _of(
        shop,
        reconcile,
        "Takes over what a dead run left behind, and tells drift",
        schedule=every(RECONCILE_SECONDS),
    )
    yield _of(
        shop,
        weekly_report,
        "Every week: how fast and how safe releases were, and what they cost",
        schedule=at(shop.figures.cron, zone_of(live).key),
    )


def _where_asked(live: Live) -> Iterator[Declared]:
    """Each only where shop.yaml has what it is about."""
    shop = live.shop
    if watched(live):
        yield _of(
            shop,
            reconcile_stock,
            "Every hour: do stock and orders agree with every channel",
            schedule=every(STOCK_SECONDS),
        )
    if shop.nightly:
        yield _of(
            shop,
            nightly,
            f"The head of {shop.nightly.branch} to {shop.nightly.until}, every night",
            schedule=at(shop.nightly.cron, shop.nightly.time_zone),
        )
    if shop.contracts:
        yield _of(
            shop,
            contracts,
            "Every night: what the channels publish of their APIs, against what is used of them",
            schedule=at(shop.contracts.cron, shop.contracts.time_zone),
        )
    if shop.drills:
        yield _of(
            shop,
            drill,
            "Breaks something on purpose where no customers are, and measures the way back",
            {"kind": (ALL, *shop.drills.kinds, PUT_RIGHT), "environment": shop.route[:-1]},
            at(shop.drills.cron, shop.drills.time_zone),
        )


def _jobs(shop: Shop) -> Iterator[Declared]:
    """One schedule for each job in each environment; which version runs is the ledger's to say."""
    for name, service in shop.services.items():
        for place in shop.route if service.schedule else ():
            assert service.schedule is not None  # as just asked
            yield Declared(
                job,
                f"{shop.shop}-{place}-{name}",
                _entrypoint(job),
                f"Runs {name} in {place} at its times",
                {},
                at(service.schedule.cron, service.schedule.time_zone),
                {"shop": shop.shop, "environment": place, "service": name},
            )


def _of(
    shop: Shop,
    flow: AnyFlow,
    description: str,
    choices: Mapping[str, Sequence[str]] | None = None,
    schedule: Schedule | None = None,
) -> Declared:
    offered = {field: tuple(some) for field, some in (choices or {}).items()}
    return Declared(flow, shop.shop, _entrypoint(flow), description, offered, schedule)


def _entrypoint(flow: AnyFlow) -> str:
    """
    >>> _entrypoint(nightly)
    'flows.nightly.nightly'
    """
    return f"{flow.fn.__module__}.{flow.fn.__name__}"


def _versions(live: Live) -> tuple[str, ...]:
    return tuple(one.version for one in live.ledger.releases.all())
