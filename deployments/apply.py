"""Makes the Prefect server agree with shop.yaml: one block, a deployment per flow, limits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prefect.blocks.core import Block

from blocks.channels.accounts import account_of
from blocks.prefect_server import POOL, Declared, PrefectServer, at, every, limit_name
from blocks.shop import Live, ShopBlock
from domain.agreement import Difference, differences
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


@dataclass(frozen=True)
class Wanted:
    """One thing the server should hold: its fields, as found there, and how to make it so."""

    name: str
    fields: Mapping[str, Any]
    observed: Mapping[str, Any] | None
    make: Callable[[], object]


def apply(live: Live, server: PrefectServer, *, dry_run: bool = False) -> tuple[Difference, ...]:
    """The differences found, and, unless it is a dry run, made to vanish. Twice changes nothing."""
    wanted = (
        _pool(server),
        _block(live, server),
        *_accounts(live, server),
        *_deployments(live, server),
        *_no_longer(live, server),
        *_limits(live.shop, server),
    )
    found = differences(
        {one.name: one.fields for one in wanted}, {one.name: one.observed for one in wanted}
    )
    if not dry_run:
        different = {difference.name for difference in found}
        for one in wanted:
            if one.name in different:
                one.make()
    return found


def _pool(server: PrefectServer) -> Wanted:
    fields = {"type": "process"}
    return Wanted(f"work pool {POOL}", fields, server.pool(POOL), lambda: server.declare_pool(POOL))


def _block(live: Live, server: PrefectServer) -> Wanted:
    return _document(server, live.shop.shop, ShopBlock(path=str(live.path), state=str(live.state)))


def _accounts(live: Live, server: PrefectServer) -> Iterator[Wanted]:
    """Marketplace accounts as people see them in the UI: references, never a secret."""
    for place, environment in live.shop.environments.items():
        for name, channel in environment.channels.items():
            account = account_of(channel)
            yield _document(server, f"{live.shop.shop}-{place}-{name}", account)


def _document(server: PrefectServer, name: str, block: Block) -> Wanted:
    """Its own fields: Prefect adds its type's slug to what it dumps."""
    return Wanted(
        f"block {name}",
        block.model_dump(include=set(type(block).model_fields)),
        server.block(name, block.get_block_type_slug()),
        lambda: server.declare_block(name, block),
    )


def _deployments(live: Live, server: PrefectServer) -> tuple[Wanted, ...]:
    return tuple(_deployment(server, declared) for declared in declared_deployments(live))


def _deployment(server: PrefectServer, declared: Declared) -> Wanted:
    return Wanted(
        f"deployment {declared.full_name}",
        declared.fields(),
        server.deployment(declared.full_name),
        lambda: server.declare_deployment(declared),
    )


def _no_longer(live: Live, server: PrefectServer) -> tuple[Wanted, ...]:
    """What left shop.yaml keeps its history and loses its schedule."""
    declared = {one.full_name for one in declared_deployments(live)}
    found = [
        name
        for flow in (nightly.name, job.name, contracts.name, reconcile_stock.name, drill.name)
        for name in server.names_of(flow, live.shop.shop)
        if name not in declared
    ]
    return tuple(_unscheduled(server, name) for name in found)


def _unscheduled(server: PrefectServer, name: str) -> Wanted:
    return Wanted(
        f"deployment {name}",
        {"schedule": None},
        server.deployment(name),
        lambda: server.unschedule(name),
    )


def declared_deployments(live: Live) -> tuple[Declared, ...]:
    """The flows that people and schedules start, with the real choices in their forms."""
    shop = live.shop
    return (
        *_by_people(live),
        _reconcile(shop),
        *_nightly(shop),
        *_ci(shop),
        *_jobs(shop),
        *_stock(live),
        *_contracts(shop),
        *_drills(shop),
        _weekly(live),
    )


def _by_people(live: Live) -> tuple[Declared, ...]:
    shop, versions = live.shop, _versions(live)
    return (
        Declared(
            release,
            shop.shop,
            "flows.release.release",
            "A release from commit to customers",
            {"services": tuple(shop.services), "until": shop.route},
        ),
        Declared(
            hotfix,
            shop.shop,
            "flows.hotfix.hotfix",
            "One service on the shortest safe way, with a second pair of eyes and a deadline",
            {"service": tuple(shop.services)},
        ),
        Declared(
            rollback,
            shop.shop,
            "flows.rollback.rollback",
            "Back to a version that served before",
            {"environment": shop.route, "version": versions},
        ),
        Declared(
            promote,
            shop.shop,
            "flows.promote.promote",
            "The same digests from one environment to the next",
            {
                "from_environment": shop.route,
                "to_environment": shop.route,
                "version": versions,
            },
        ),
        Declared(
            restore,
            shop.shop,
            "flows.restore.restore",
            "A database back to a backup, with the orders that came since",
            {"environment": shop.route},
        ),
        Declared(
            replay,
            shop.shop,
            "flows.replay.replay",
            "One stage of a version again, where no customer is, with all its output",
            {"version": versions},
        ),
        Declared(
            make_good,
            shop.shop,
            "flows.make_good.make_good",
            "Tells stock to the channels again that a version told wrongly",
            {"environment": shop.route, "version": versions},
        ),
    )


def _reconcile(shop: Shop) -> Declared:
    return Declared(
        reconcile,
        shop.shop,
        "flows.reconcile.reconcile",
        "Takes over what a dead run left behind, and tells drift",
        {},
        every(RECONCILE_SECONDS),
    )


def _stock(live: Live) -> Iterator[Declared]:
    """Only where there is a channel to compare with."""
    if watched(live):
        yield Declared(
            reconcile_stock,
            live.shop.shop,
            "flows.reconcile_stock.reconcile_stock",
            "Every hour: do stock and orders agree with every channel",
            {},
            every(STOCK_SECONDS),
        )


def _weekly(live: Live) -> Declared:
    shop = live.shop
    return Declared(
        weekly_report,
        shop.shop,
        "flows.report.weekly_report",
        "Every week: how fast and how safe releases were, and what they cost",
        {},
        at(shop.figures.cron, zone_of(live).key),
    )


def _contracts(shop: Shop) -> Iterator[Declared]:
    if shop.contracts:
        yield Declared(
            contracts,
            shop.shop,
            "flows.contracts.contracts",
            "Every night: what the channels publish of their APIs, against what is used of them",
            {},
            at(shop.contracts.cron, shop.contracts.time_zone),
        )


def _drills(shop: Shop) -> Iterator[Declared]:
    """By hand, one or all; on its schedule all of them in turn."""
    if shop.drills:
        yield Declared(
            drill,
            shop.shop,
            "flows.drill.drill",
            "Breaks something on purpose where no customers are, and measures the way back",
            {"kind": (ALL, *shop.drills.kinds, PUT_RIGHT), "environment": shop.route[:-1]},
            at(shop.drills.cron, shop.drills.time_zone),
        )


def _ci(shop: Shop) -> Iterator[Declared]:
    """Only where there is a forge that may ask for it."""
    if shop.forge:
        yield Declared(
            ci, shop.shop, "flows.ci.ci", "A commit's tests, as a forge's push asks for them", {}
        )


def _jobs(shop: Shop) -> Iterator[Declared]:
    """One schedule for each job in each environment; which version runs is the ledger's to say."""
    for name, service in shop.services.items():
        for place in shop.route if service.schedule else ():
            assert service.schedule is not None  # as just asked
            yield Declared(
                job,
                f"{shop.shop}-{place}-{name}",
                "flows.job.job",
                f"Runs {name} in {place} at its times",
                {},
                at(service.schedule.cron, service.schedule.time_zone),
                {"shop": shop.shop, "environment": place, "service": name},
            )


def _nightly(shop: Shop) -> tuple[Declared, ...]:
    if shop.nightly is None:
        return ()
    return (
        Declared(
            nightly,
            shop.shop,
            "flows.nightly.nightly",
            f"The head of {shop.nightly.branch} to {shop.nightly.until}, every night",
            {},
            at(shop.nightly.cron, shop.nightly.time_zone),
        ),
    )


def _versions(live: Live) -> tuple[str, ...]:
    return tuple(release.version for release in live.ledger.releases.all())


def _limits(shop: Shop, server: PrefectServer) -> tuple[Wanted, ...]:
    return tuple(_limit(server, limit_name(shop.shop, place)) for place in shop.environments)


def _limit(server: PrefectServer, name: str) -> Wanted:
    return Wanted(
        f"limit {name}", {"limit": 1}, server.limit(name), lambda: server.declare_limit(name, 1)
    )
