"""The sample shop's own way to each marketplace, against the simulators over HTTP."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from runpy import run_path
from threading import Thread
from time import sleep
from typing import Any

import httpx
import psycopg
import pytest

from deployments.demo.street import account
from examples.marketplace.__main__ import KINDS, QUICK
from examples.marketplace.account import Sold, SoldLine
from tests.blocks.channels.market import Served, serving

SHOP = Path(__file__).parents[2] / "examples" / "shop"
MIGRATION = SHOP / "migrations" / "versions" / "0001_shop.py"
LEVELS = [kind for kind in KINDS if kind != "amazon"]
SKUS = [f"TEA-{number:03}" for number in range(1, 61)]
STARTED = 100
PURCHASES, PACE_SECONDS = 10, 0.06
LONG_AGO = datetime.now(UTC) - timedelta(days=29)


@dataclass(frozen=True)
class Open:
    """``market`` is the shop's own client of what is ``served``."""

    served: Served
    market: Any

    def bought(self, *lines: tuple[str, int], state: Any = "open") -> Sold:
        sold = tuple(SoldLine(sku, units, Decimal("19.95")) for sku, units in lines)
        return self.served.market.account.buy(sold, "USD", self.lately(), state)

    def become(self, sold: Sold, state: Any) -> None:
        self.served.market.account.become(sold.order_id, state, self.lately())

    def lately(self) -> datetime:
        """Amazon shows no change of the very last moment."""
        return self.served.market.clock() - timedelta(seconds=2)

    def shown(self, sku: str) -> int:
        return self.served.market.account.last(sku).fulfillable


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop's packages as its services see them."""
    monkeypatch.syspath_prepend(str(SHOP))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "shopdb"]:
        del sys.modules[name]


@pytest.fixture
def tables(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's database, where Shopee's refresh tokens are kept."""
    with psycopg.connect(database_url) as connection:
        connection.execute(run_path(str(MIGRATION))["TABLES"].encode())
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def place(request: pytest.FixtureRequest, shop: None) -> Iterator[Open]:
    """A marketplace of the kind that the test names, with ``STARTED`` units of every SKU."""
    if request.param == "shopee":
        request.getfixturevalue("tables")
    with serving(request.param, pace=QUICK) as served:
        for sku in SKUS:
            served.market.account.set_stock(sku, STARTED, LONG_AGO)
        yield Open(served, opened(**account(request.param, served.url)))


def opened(**fields: str) -> Any:
    """As the shop opens it."""
    from shopdb.markets import _opened  # type: ignore[import-not-found]

    return _opened(**fields)


on_every_market = pytest.mark.parametrize("place", KINDS, indirect=True)
where_levels_are_set = pytest.mark.parametrize("place", LEVELS, indirect=True)


@on_every_market
def test_an_order_comes_as_it_was_bought(place: Open) -> None:
    sold = place.bought(("TEA-001", 2), ("TEA-002", 1))

    orders, watermark = place.market.orders(LONG_AGO)

    (order,) = orders
    assert order["order_id"] == sold.order_id
    assert (order["currency"], order["total"]) == ("USD", Decimal("59.85"))
    assert sorted(order["lines"]) == [("TEA-001", 2), ("TEA-002", 1)]
    assert abs(time(order["placed_at"]) - sold.at) < timedelta(seconds=1)
    assert (order["cancelled"], order["shipped"]) == (False, False)
    assert timedelta() <= datetime.now(UTC) - time(watermark) < timedelta(seconds=5)


@on_every_market
def test_more_orders_than_a_page_holds_come_once_each(place: Open) -> None:
    sold = {place.bought((sku, 1)).order_id for sku in SKUS for _ in range(4)}

    orders, _ = place.market.orders(LONG_AGO)

    assert sorted(order["order_id"] for order in orders) == sorted(sold)


@on_every_market
def test_only_what_has_changed_since_is_told(place: Open) -> None:
    place.bought(("TEA-001", 1))

    orders, _ = place.market.orders(datetime.now(UTC) + timedelta(seconds=2))

    assert orders == []


@on_every_market
def test_what_became_of_an_order_is_told(place: Open) -> None:
    shipped, cancelled = place.bought(("TEA-001", 1)), place.bought(("TEA-002", 1))
    unpaid = place.bought(("TEA-003", 1), state="pending")
    place.become(shipped, "shipped")
    place.become(cancelled, "cancelled")

    orders, _ = place.market.orders(LONG_AGO)

    states = {one["order_id"]: (one["cancelled"], one["shipped"]) for one in orders}
    assert states[shipped.order_id] == (False, True)
    assert states[cancelled.order_id][0]
    assert unpaid.order_id not in states


@on_every_market
def test_an_access_token_that_is_refused_is_asked_for_again(place: Open) -> None:
    place.market.orders(LONG_AGO)
    place.served.market.tokens.clear()

    with pytest.raises(OSError, match=r"40[13]|auth"):
        place.market.orders(LONG_AGO)

    assert place.market.orders(LONG_AGO)[0] == []


@on_every_market
def test_a_busy_market_is_an_oserror_without_a_secret(place: Open) -> None:
    place.market.orders(LONG_AGO)
    place.served.market.faults.fail_5xx = 1

    with pytest.raises(OSError, match="503") as failure:
        place.market.orders(LONG_AGO)

    assert not any(token in str(failure.value) for token in place.served.market.tokens)


@on_every_market
def test_a_market_that_is_away_is_an_oserror_without_a_secret(place: Open) -> None:
    fields = account(place.market.__class__.__name__.lower(), "http://127.0.0.1:9")
    away = opened(**fields)

    with pytest.raises(OSError, match="refused") as failure:
        away.orders(LONG_AGO)

    secrets = [fields[name] for name in fields if name not in ("kind", "endpoint", "marketplace")]
    assert not any(secret in str(failure.value) for secret in secrets if "127.0" not in secret)


@where_levels_are_set
def test_stock_is_what_can_be_bought(place: Open) -> None:
    place.bought(("TEA-001", 30))

    assert place.market.stock(SKUS) == {sku: STARTED - 30 * (sku == "TEA-001") for sku in SKUS}


@where_levels_are_set
def test_levels_are_set_and_raised(place: Open) -> None:
    place.bought(("TEA-002", 30))

    place.market.set_stock(dict.fromkeys(SKUS, 55))
    raised = place.market.raise_stock({"TEA-002": 200, "TEA-003": 10})

    assert raised == {"TEA-002": 255, "TEA-003": 65}
    assert {sku: place.shown(sku) for sku in SKUS[:4]} == {
        "TEA-001": 55, "TEA-002": 255, "TEA-003": 65, "TEA-004": 55,
    }  # fmt: skip


@where_levels_are_set
def test_a_refill_loses_no_sale_that_is_made_meanwhile(place: Open) -> None:
    buyer = Thread(target=buy_one_after_another, args=(place.served.url,))
    buyer.start()
    added = 0

    while buyer.is_alive():
        added += raised(place.market)
    buyer.join()

    assert added >= 5
    assert place.shown("TEA-001") == STARTED + added - PURCHASES


@pytest.mark.parametrize("place", ["amazon"], indirect=True)
def test_units_arrive_at_amazons_own_warehouse_once(place: Open) -> None:
    for _ in range(2):
        place.market.add_inventory("a token", "TEA-001", 200)

    assert place.shown("TEA-001") == STARTED + 200


@pytest.mark.parametrize("place", ["shopee"], indirect=True)
def test_another_process_goes_on_with_shopees_next_refresh_token(place: Open) -> None:
    place.market.orders(LONG_AGO)

    again = opened(**account("shopee", place.served.url))

    assert again.orders(LONG_AGO)[0] == []


@pytest.mark.parametrize("place", ["shopee"], indirect=True)
def test_models_of_an_item_have_levels_of_their_own(place: Open) -> None:
    for sku in ("CUP/RED", "CUP/BLUE"):
        place.served.market.account.set_stock(sku, STARTED, LONG_AGO)
    place.bought(("CUP/BLUE", 3))

    place.market.set_stock({"CUP/RED": 7})

    assert place.market.stock(["CUP/RED", "CUP/BLUE"]) == {"CUP/RED": 7, "CUP/BLUE": STARTED - 3}
    assert place.market.orders(LONG_AGO)[0][0]["lines"] == [("CUP/BLUE", 3)]


@pytest.mark.parametrize("place", ["shopify"], indirect=True)
def test_shopify_refuses_a_level_that_somebody_bought_from(place: Open) -> None:
    items = place.market.items(["TEA-001"])
    place.bought(("TEA-001", 1))

    with pytest.raises(OSError, match="Shopify says"):
        place.market.change(items, {"TEA-001": 300})

    assert place.shown("TEA-001") == STARTED - 1


def raised(market: Any) -> int:
    """Units added to TEA-001: one, or none where Shopify saw that somebody had bought."""
    try:
        market.raise_stock({"TEA-001": 1})
    except OSError as refusal:
        if "Shopify says" not in str(refusal):
            raise
        return 0
    return 1


def buy_one_after_another(url: str) -> None:
    wanted = {"sku": "TEA-001", "quantity": 1, "price": "19.95", "currency": "USD"}
    with httpx.Client() as http:
        for _ in range(PURCHASES):
            http.post(f"{url}/_simulator/orders", json=wanted).raise_for_status()
            sleep(PACE_SECONDS)


def time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
