"""Makes the Prefect server agree with shop.yaml: one block, a deployment per flow, limits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prefect.blocks.core import Block

from blocks.channels.accounts import account_of
from blocks.prefect_server import POOL, Declared, PrefectServer, limit_name
from blocks.shop import Live, ShopBlock
from deployments.declared import declared_deployments, scheduled
from domain.agreement import Difference, differences
from domain.shop import Shop


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
        for flow in scheduled()
        for name in server.names_of(flow.name, live.shop.shop)
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


def _limits(shop: Shop, server: PrefectServer) -> tuple[Wanted, ...]:
    return tuple(_limit(server, limit_name(shop.shop, place)) for place in shop.environments)


def _limit(server: PrefectServer, name: str) -> Wanted:
    return Wanted(
        f"limit {name}", {"limit": 1}, server.limit(name), lambda: server.declare_limit(name, 1)
    )
