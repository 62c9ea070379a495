"""The Shopify client against the simulator, fault by fault; the simulator against the schema."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_client_schema,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from blocks.channels import shopify_documents as documents
from blocks.channels.calls import Budget
from blocks.channels.shopify import ShopifyAccess, ShopifyClient
from domain.channel import Line, Rate
from domain.errors import BadInput, Unavailable
from examples.marketplace.account import SoldLine, State
from examples.marketplace.shopify import CLIENT, Shopify
from examples.marketplace.shopify.bulk import MOST_AT_ONCE
from examples.marketplace.shopify.cost import MOST_POINTS, requested
from examples.marketplace.shopify.schema import SCHEMA
from tests.blocks.channels.market import Clock, Metered, Plenty, Served, serving

OFFICIAL = Path(__file__).parents[4] / "shared" / "specs" / "shopify" / "admin_2026-10.json.gz"
HTTP = httpx.Client()
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
GRAPHQL = "/admin/api/2026-10/graphql.json"
TEA = SoldLine("TEA-001", 2, Decimal("12.50"))
QUICK = 100.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shopify(clock: Clock) -> Iterator[Served]:
    """With plenty of points, by a clock that only moves when somebody waits."""
    with serving("shopify", clock=clock, pace=QUICK) as served:
        served.market.account.set_stock("TEA-001", 1000, clock())
        yield served


def client(shopify: Served, clock: Clock, **other: Any) -> ShopifyClient:
    budget = other.pop("budget", Plenty())
    access = ShopifyAccess(**{"endpoint": shopify.url, **CLIENT, **other})
    return ShopifyClient(access, budget, 60, clock, clock.pause)


def buy(shopify: Served, clock: Clock, *lines: SoldLine, state: State = "open") -> str:
    return shopify.market.account.buy(lines or (TEA,), "USD", clock(), state).order_id


def fill(shopify: Served, clock: Clock, count: int) -> None:
    for number in range(count):
        shopify.market.account.set_stock(f"SKU-{number:04d}", number, clock())


def scatter(shopify: Served, sku: str, *elsewhere: int) -> None:
    """So many of its units lie at further locations."""
    assert isinstance(shopify.api, Shopify)
    shopify.api.store.elsewhere[sku] = elsewhere


def test_stock_is_read_as_it_is(shopify: Served, clock: Clock) -> None:
    buy(shopify, clock)
    reading = client(shopify, clock).stock()

    (row,) = list(reading)

    assert (row.sku, row.quantity, row.reserved, row.active) == ("TEA-001", 998, 2, True)
    assert row.updated_at == clock()
    assert (reading.fetch.complete, reading.fetch.reported) == (True, 1)


def test_what_is_no_longer_for_sale_says_so(shopify: Served, clock: Clock) -> None:
    shopify.market.account.activate("TEA-001", False, clock())

    (row,) = list(client(shopify, clock).stock())

    assert (row.quantity, row.active) == (1000, False)


def test_a_variant_without_a_sku_is_no_row_and_not_missing(shopify: Served, clock: Clock) -> None:
    shopify.market.account.set_stock("", 7, clock())
    reading = client(shopify, clock).stock()

    assert [row.sku for row in reading] == ["TEA-001"]
    assert (reading.fetch.rows, reading.fetch.reported) == (1, 1)


@pytest.mark.parametrize("bulk_rows", [0, 2000])
def test_all_locations_are_summed_however_many(
    shopify: Served, clock: Clock, bulk_rows: int
) -> None:
    scatter(shopify, "TEA-001", 100, 200, 30, 40, 5, 6, 7)
    buy(shopify, clock)

    (row,) = list(client(shopify, clock, bulk_rows=bulk_rows).stock())

    assert (row.quantity, row.reserved) == (998, 2)


def test_an_order_is_read_with_its_lines_its_money_and_its_times(
    shopify: Served, clock: Clock
) -> None:
    shopify.market.account.set_stock("CUP-001", 5, clock())
    order_id = buy(shopify, clock, TEA, SoldLine("CUP-001", 1, Decimal("0.10")))

    (order,) = list(client(shopify, clock).orders_since(LONG_AGO))

    assert (order.order_id, order.total, order.currency) == (order_id, Decimal("25.10"), "USD")
    assert order.lines == (Line("TEA-001", 2), Line("CUP-001", 1))
    assert (order.created_at, order.updated_at) == (clock(), clock())
    assert order.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("bulk_rows", [0, 2000])
def test_an_order_of_many_lines_is_read_whole(
    shopify: Served, clock: Clock, bulk_rows: int
) -> None:
    fill(shopify, clock, 330)
    lines = [SoldLine(f"SKU-{number:04d}", 1, Decimal(1)) for number in range(1, 301)]
    buy(shopify, clock, *lines)

    (order,) = list(client(shopify, clock, bulk_rows=bulk_rows).orders_since(LONG_AGO))

    assert order.lines == tuple(Line(line.sku, 1) for line in lines)


@pytest.mark.parametrize(
    ("state", "status", "progress"),
    [
        ("pending", "PENDING UNFULFILLED", "pending"),
        ("open", "PAID UNFULFILLED", "open"),
        ("shipped", "PAID FULFILLED", "shipped"),
    ],
)
def test_what_an_order_is_to_the_seller_is_told_apart(
    shopify: Served, clock: Clock, state: State, status: str, progress: str
) -> None:
    buy(shopify, clock, state=state)

    (order,) = list(client(shopify, clock).orders_since(LONG_AGO))

    assert (order.status, order.progress) == (status, progress)


def test_a_cancelled_order_still_says_what_was_bought(shopify: Served, clock: Clock) -> None:
    shopify.market.account.become(buy(shopify, clock), "cancelled", clock())

    (order,) = list(client(shopify, clock).orders_since(LONG_AGO))

    assert (order.progress, order.total) == ("cancelled", Decimal("25.00"))
    assert order.lines == (Line("TEA-001", 2),)


def test_only_orders_changed_since_then_are_read(shopify: Served, clock: Clock) -> None:
    buy(shopify, clock)
    changed = buy(shopify, clock)
    clock.pause(10.5)
    shopify.market.account.become(changed, "shipped", clock())

    found = [order.order_id for order in client(shopify, clock).orders_since(clock())]

    assert found == [changed]


def test_all_pages_are_read(shopify: Served, clock: Clock) -> None:
    fill(shopify, clock, 99)
    for _ in range(75):
        buy(shopify, clock)
    stock, orders = client(shopify, clock).stock(), client(shopify, clock).orders_since(LONG_AGO)

    assert len({row.sku for row in stock}) == 100
    assert len({order.order_id for order in orders}) == 75
    assert (stock.fetch.pages, stock.fetch.reported) == (3, 100)
    assert (orders.fetch.pages, orders.fetch.reported) == (3, 75)


def test_named_skus_are_asked_for_forty_at_a_time(shopify: Served, clock: Clock) -> None:
    fill(shopify, clock, 120)
    shopify.market.account.set_stock("it's\\5", 5, clock())
    named = [*(f"SKU-{number:04d}" for number in range(60)), "it's\\5"]
    reading = client(shopify, clock).stock((*named, "UNKNOWN"))

    assert [row.sku for row in reading] == named
    assert (reading.fetch.pages, reading.fetch.complete) == (2, True)


def test_a_named_sku_is_meant_letter_by_letter(shopify: Served, clock: Clock) -> None:
    shopify.market.account.set_stock("tea-001", 5, clock())

    assert [row.sku for row in client(shopify, clock).stock(("tea-001",))] == ["tea-001"]


def test_a_page_gap_shows_in_the_total(shopify: Served, clock: Clock) -> None:
    fill(shopify, clock, 99)
    shopify.market.faults.page_gap = True
    reading = client(shopify, clock).stock()

    assert len(list(reading)) < 100
    assert reading.fetch.reported == 100


def test_a_repeated_page_is_incomplete(shopify: Served, clock: Clock) -> None:
    for _ in range(75):
        buy(shopify, clock)
    shopify.market.faults.repeat_page = True
    reading = client(shopify, clock).orders_since(LONG_AGO)

    list(reading)

    assert "leads to one that was read before" in reading.fetch.reason


def test_a_repeated_order_comes_twice_and_a_dropped_one_not_at_all(
    shopify: Served, clock: Clock
) -> None:
    first, second = buy(shopify, clock), buy(shopify, clock)
    shopify.market.faults.duplicate_order = [first]
    shopify.market.faults.drop_order = [second]
    reading = client(shopify, clock).orders_since(LONG_AGO)

    assert [one.order_id for one in reading] == [first] * 2
    assert (reading.fetch.rows, reading.fetch.reported) == (2, 1)


def test_many_rows_are_read_in_bulk(shopify: Served, clock: Clock) -> None:
    fill(shopify, clock, 99)
    for _ in range(75):
        buy(shopify, clock)
    paged, bulk = client(shopify, clock), client(shopify, clock, bulk_rows=50)
    stock, orders = bulk.stock(), bulk.orders_since(LONG_AGO)

    assert list(stock) == list(paged.stock())
    assert list(orders) == list(paged.orders_since(LONG_AGO))
    assert (stock.fetch.complete, stock.fetch.reported, stock.fetch.pages) == (True, 100, 1)
    assert (orders.fetch.complete, orders.fetch.reported, orders.fetch.pages) == (True, 75, 1)


def test_a_bulk_operation_is_waited_for(clock: Clock) -> None:
    with serving("shopify", clock=clock) as shopify:
        shopify.market.account.set_stock("TEA-001", 5, clock())
        began = clock()
        reading = client(shopify, clock, bulk_rows=0).stock()
        rows = list(reading)

    assert len(rows) == 1
    assert timedelta(seconds=20) <= clock() - began < timedelta(seconds=40)


def test_a_bulk_operation_is_not_waited_for_without_end(clock: Clock) -> None:
    with serving("shopify", clock=clock, pace=0.01) as shopify:
        shopify.market.account.set_stock("TEA-001", 5, clock())
        reading = client(shopify, clock, bulk_rows=0).stock()
        rows = list(reading)

    assert rows == []
    assert "did not end within 1800 s" in reading.fetch.reason


@pytest.mark.parametrize("switch", ["page_gap", "repeat_page"])
def test_a_bulk_file_that_is_not_whole_is_incomplete(
    shopify: Served, clock: Clock, switch: str
) -> None:
    fill(shopify, clock, 10)
    setattr(shopify.market.faults, switch, True)
    reading = client(shopify, clock, bulk_rows=5).stock()

    list(reading)

    assert "the bulk operation's file has" in reading.fetch.reason


def test_a_bulk_operation_that_does_not_begin_is_incomplete(clock: Clock) -> None:
    with serving("shopify", clock=clock) as shopify:
        shopify.market.account.set_stock("TEA-001", 5, clock())
        for _ in range(MOST_AT_ONCE):
            answered(shopify, documents.RUN_BULK, documents.SAMPLES["RUN_BULK"])
        reading = client(shopify, clock, bulk_rows=0).stock()
        rows = list(reading)

    assert rows == []
    assert "Bulk operations limit reached" in reading.fetch.reason


def test_the_version_that_answers_is_told_beside_the_pinned_one(
    shopify: Served, clock: Clock
) -> None:
    shopify.market.faults.version = "2027-01"
    reading = client(shopify, clock).stock()

    list(reading)

    assert (reading.fetch.version, reading.fetch.pinned) == ("2027-01", "2026-10")


def test_a_mistaken_amount_is_read_as_shopify_says_it(shopify: Served, clock: Clock) -> None:
    buy(shopify, clock)
    shopify.market.faults.money_factor = 100

    (order,) = list(client(shopify, clock).orders_since(LONG_AGO))

    assert order.total == Decimal("2500.00")


def test_a_clock_that_is_ahead_is_told(shopify: Served, clock: Clock) -> None:
    shopify.market.faults.skew_seconds = 300
    reading = client(shopify, clock).stock()

    list(reading)

    assert reading.fetch.skew_seconds == 300


def test_a_few_refused_or_failed_calls_are_sent_again(shopify: Served, clock: Clock) -> None:
    shopify.market.faults.refuse_429 = 1
    shopify.market.faults.fail_5xx = 1
    reading = client(shopify, clock).stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, reading.fetch.refused, reading.fetch.calls) == (True, 1, 4)


@pytest.mark.parametrize(
    ("switch", "said"), [("refuse_429", "THROTTLED"), ("fail_5xx", "Service Unavailable")]
)
def test_what_stays_refused_is_incomplete(
    shopify: Served, clock: Clock, switch: str, said: str
) -> None:
    setattr(shopify.market.faults, switch, 99)
    reading = client(shopify, clock).orders_since(LONG_AGO)

    assert list(reading) == []
    assert said in reading.fetch.reason


def test_a_throttled_call_waits_until_there_are_points_enough(clock: Clock) -> None:
    with serving("shopify", clock=clock) as shopify:
        for number in range(200):
            shopify.market.account.set_stock(f"SKU-{number:04d}", number, clock())
        shopify.market.admitted("points", 100, 2000, 2000)
        began = clock()
        reading = client(shopify, clock).stock()
        rows = len(list(reading))

    assert (rows, reading.fetch.complete) == (200, True)
    assert reading.fetch.refused > 0
    assert clock() - began < timedelta(seconds=30)


def test_the_budget_keeps_within_the_shops_points(clock: Clock) -> None:
    with serving("shopify", clock=clock) as shopify:
        for number in range(200):
            shopify.market.account.set_stock(f"SKU-{number:04d}", number, clock())
        reader = client(shopify, clock, budget=Metered(clock))
        list(reader.stock())
        reading = reader.stock()
        rows = len(list(reading))

    assert (rows, reading.fetch.refused) == (200, 0)


def test_the_quota_is_in_points_as_shopify_says(shopify: Served, clock: Clock) -> None:
    quota = client(shopify, clock).quota()

    assert (quota.limit, quota.remaining, quota.unit) == (200_000, 199_999, "points")
    assert quota.window_seconds == 20


def test_a_quota_that_cannot_be_had_is_unavailable(shopify: Served, clock: Clock) -> None:
    shopify.market.faults.fail_5xx = 99

    with pytest.raises(Unavailable, match="503"):
        client(shopify, clock).quota()


def test_a_token_that_ends_early_is_renewed(shopify: Served, clock: Clock) -> None:
    shopify.market.faults.expire_tokens = 1
    reading = client(shopify, clock).stock()

    assert len(list(reading)) == 1
    assert (reading.fetch.complete, len(shopify.market.tokens)) == (True, 2)


def test_a_token_is_renewed_before_its_day_ends(shopify: Served, clock: Clock) -> None:
    reader = client(shopify, clock)
    list(reader.stock())
    clock.pause(86_350)
    reading = reader.stock()

    list(reading)

    assert (reading.fetch.calls, len(shopify.market.tokens)) == (2, 2)


def test_a_token_made_by_hand_is_used_as_it_is(shopify: Served, clock: Clock) -> None:
    token = shopify.market.issued("shpat_")
    reading = client(shopify, clock, client_id="", client_secret="", access_token=token).stock()

    assert len(list(reading)) == 1
    assert len(shopify.market.tokens) == 1


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "access_token"])
def test_wrong_credentials_name_the_field_and_show_no_secret(
    shopify: Served, clock: Clock, wrong: str
) -> None:
    reading = client(shopify, clock, **{wrong: "s3cret"}).stock()

    with pytest.raises(BadInput, match=f"{wrong}.* was refused") as refusal:
        list(reading)

    assert "s3cret" not in str(refusal.value)


def test_access_shows_no_secret() -> None:
    access = ShopifyAccess("", client_secret="s3", access_token="s4")  # noqa: S106

    assert "s3" not in repr(access)
    assert "s4" not in repr(access)


def test_nobody_at_home_is_unavailable(shopify: Served, clock: Clock) -> None:
    nobody = client(shopify, clock, endpoint="http://127.0.0.1:9")

    with pytest.raises(Unavailable, match="does not answer"):
        list(nobody.stock())


def test_pushed_levels_arrive_forty_at_a_time(shopify: Served, clock: Clock) -> None:
    fill(shopify, clock, 60)
    levels = {f"SKU-{number:04d}": 100 + number for number in range(60)}

    pushed = client(shopify, clock).push(levels)

    assert (dict(pushed.taken), dict(pushed.refused)) == (levels, {})
    assert {sku: shopify.market.account.last(sku).fulfillable for sku in levels} == levels


def test_a_pushed_level_is_what_all_locations_have_together(shopify: Served, clock: Clock) -> None:
    scatter(shopify, "TEA-001", 100, 200, 30, 40, 5, 6, 7)

    pushed = client(shopify, clock).push({"TEA-001": 500})

    (row,) = list(client(shopify, clock).stock())
    assert (dict(pushed.taken), row.quantity) == ({"TEA-001": 500}, 500)


def test_shopifys_own_words_say_why_a_level_was_not_taken(shopify: Served, clock: Clock) -> None:
    shopify.market.account.set_stock("CUP-001", 5, clock())
    shopify.market.account.set_stock("POT-001", 5, clock())
    scatter(shopify, "POT-001", 4)

    pushed = client(shopify, clock).push({"TEA-001": -1, "UNKNOWN": 3, "CUP-001": 6, "POT-001": 3})

    assert dict(pushed.taken) == {"CUP-001": 6}
    assert pushed.refused == {
        "TEA-001": "The quantity can't be negative.",
        "UNKNOWN": "0 variants have this SKU, it takes 1",
        "POT-001": "The quantity can't be negative.",
    }


def test_a_push_that_is_cut_short_tells_what_was_not_set(shopify: Served, clock: Clock) -> None:
    shopify.market.faults.fail_5xx = 99

    pushed = client(shopify, clock).push({"TEA-001": 40})

    assert dict(pushed.taken) == {}
    assert "503" in pushed.refused["TEA-001"]


@dataclass
class Interrupted:
    """A budget during which something happens before each of the first ``times`` settings."""

    happens: Callable[[], object]
    times: int
    spent: int = 0

    def spend(self, operation: str, rate: Rate, cost: float, wait_seconds: float) -> bool:
        self.spent += 1
        if self.spent % 2 == 0 and self.spent <= 2 * self.times:
            self.happens()
        return True


@pytest.mark.parametrize(("times", "taken"), [(1, {"TEA-001": 40}), (3, {})])
def test_a_level_that_changed_meanwhile_is_looked_at_again_a_few_times(
    shopify: Served, clock: Clock, times: int, taken: dict[str, int]
) -> None:
    busy: Budget = Interrupted(lambda: buy(shopify, clock), times)

    pushed = client(shopify, clock, budget=busy).push({"TEA-001": 40})

    assert dict(pushed.taken) == taken
    assert len(shopify.market.account.orders) == times
    assert taken or "does not match persisted value" in pushed.refused["TEA-001"]


def answered(shopify: Served, document: str, variables: Any = None, **other: Any) -> Any:
    """The answer's JSON to somebody who is signed in."""
    headers = {"X-Shopify-Access-Token": shopify.market.issued("shpat_")}
    body = {"query": document, "variables": variables, **other}
    return HTTP.post(f"{shopify.url}{GRAPHQL}", json=body, headers=headers).json()


def set_quantity(shopify: Served, key: str | None = "k-1", **quantity: Any) -> Any:
    """Sets the first item at the first location to 10."""
    answered(shopify, documents.STOCK)
    given = {
        "inventoryItemId": "gid://shopify/InventoryItem/1",
        "locationId": CLIENT["location_id"],
        "quantity": 10,
        "changeFromQuantity": None,
        **quantity,
    }
    sent = {name: value for name, value in given.items() if value != "left out"}
    document = documents.SET_QUANTITIES
    variables: dict[str, Any] = {"key": key}
    if key is None:
        document = document.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
        variables = {}
    made = {"name": "available", "reason": "correction", "quantities": [sent]}
    return answered(shopify, document, {"input": made, **variables})


def test_a_level_is_set_once_per_key(shopify: Served, clock: Clock) -> None:
    set_quantity(shopify)
    shopify.market.account.set_stock("TEA-001", 7, clock())

    again, other = set_quantity(shopify), set_quantity(shopify, quantity=11)

    assert again["data"]["inventorySetQuantities"]["userErrors"] == []
    (error,) = other["data"]["inventorySetQuantities"]["userErrors"]
    assert error["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert shopify.market.account.last("TEA-001").fulfillable == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key": None}, "@idempotent directive is required"),
        ({"key": " "}, "key cannot be empty"),
        ({"changeFromQuantity": "left out"}, "changeFromQuantity"),
    ],
)
def test_what_the_pinned_version_demands_is_demanded(
    shopify: Served, given: dict[str, Any], said: str
) -> None:
    (error,) = set_quantity(shopify, **given)["errors"]

    assert said in error["message"]
    assert shopify.market.account.last("TEA-001").fulfillable == 1000


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"quantity": -1}, "INVALID_QUANTITY_NEGATIVE"),
        ({"quantity": 1_000_000_001}, "INVALID_QUANTITY_TOO_HIGH"),
        ({"changeFromQuantity": 999}, "CHANGE_FROM_QUANTITY_STALE"),
        ({"inventoryItemId": "gid://shopify/InventoryItem/77"}, "INVALID_INVENTORY_ITEM"),
        ({"locationId": "gid://shopify/Location/77"}, "INVALID_LOCATION"),
    ],
)
def test_a_level_that_cannot_be_set_is_refused_with_shopifys_code(
    shopify: Served, given: dict[str, Any], code: str
) -> None:
    answer = set_quantity(shopify, **given)

    (error,) = answer["data"]["inventorySetQuantities"]["userErrors"]
    assert (error["code"], error["field"][:3]) == (code, ["input", "quantities", "0"])
    assert shopify.market.account.last("TEA-001").fulfillable == 1000


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{ shop", "Syntax Error"),
        ("{ shop { name } }", "Cannot query field"),
        ("{ inventoryItems { edges { cursor } } }", "first or last"),
        ("{ inventoryItems(first: 251) { edges { cursor } } }", "1 to 250"),
        ('{ inventoryItems(first: 1, after: "x") { edges { cursor } } }', "Invalid cursor"),
        ("fragment a on Shop { id }", ""),
    ],
)
def test_what_shopify_rejects_is_rejected_in_an_answer_of_200(
    shopify: Served, document: str, said: str
) -> None:
    assert said in answered(shopify, document)["errors"][0]["message"]


def test_a_query_of_too_many_points_is_rejected(shopify: Served) -> None:
    lines = "lineItems(first: 9) { edges { node { id } } }"
    document = "{ orders(first: 250) { edges { node { " + lines + " } } } }"

    (error,) = answered(shopify, document)["errors"]

    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"query": 5}', b'{"query":"{x}","variables":[1]}']
)
def test_a_body_without_a_query_is_rejected(shopify: Served, body: bytes) -> None:
    headers = {"X-Shopify-Access-Token": shopify.market.issued("shpat_")}

    answer = HTTP.post(f"{shopify.url}{GRAPHQL}", content=body, headers=headers)

    assert answer.status_code == 400


def test_without_grouping_parents_come_first_in_a_bulk_file(shopify: Served, clock: Clock) -> None:
    shopify.market.account.set_stock("CUP-001", 5, clock())
    document = documents.RUN_BULK.replace("groupObjects: true", "groupObjects: false")

    answered(shopify, document, documents.SAMPLES["RUN_BULK"])
    clock.pause(60)

    lines = HTTP.get(f"{shopify.url}/bulk/1.jsonl").text.splitlines()
    assert ["__parentId" in json.loads(line) for line in lines] == [False] * 2 + [True] * 4


@pytest.fixture(scope="module")
def official() -> GraphQLSchema:
    if not OFFICIAL.exists():
        pytest.skip("the official schema is not beside this copy of the project")
    found = json.loads(gzip.decompress(OFFICIAL.read_bytes()))
    return build_client_schema(found["data"], assume_valid=True)


def test_the_simulators_schema_is_a_part_of_the_official_one(official: GraphQLSchema) -> None:
    names = [name for name in SCHEMA.type_map if not name.startswith("__")]

    for name in names:
        assert type(SCHEMA.type_map[name]) is type(official.type_map[name]), name
        assert _facts(SCHEMA.type_map[name]) <= _facts(official.type_map[name]), name
    assert len(names) > 40
    directive, theirs = SCHEMA.get_directive("idempotent"), official.get_directive("idempotent")
    assert directive is not None
    assert theirs is not None
    assert _arguments(directive.args) == _arguments(theirs.args)


def _facts(of: Any) -> set[tuple[str, ...]]:
    """Names with their types; of arguments with their defaults."""
    if isinstance(of, GraphQLEnumType):
        return {(name,) for name in of.values}
    if isinstance(of, GraphQLInputObjectType):
        return {(name, str(one.type)) for name, one in of.fields.items()}
    if not isinstance(of, GraphQLObjectType):
        return set()
    return {(name, str(one.type)) for name, one in of.fields.items()} | {
        (name, *argument) for name, one in of.fields.items() for argument in _arguments(one.args)
    }


def _arguments(args: Any) -> set[tuple[str, ...]]:
    return {(name, str(one.type), str(one.default_value)) for name, one in args.items()}


@pytest.mark.parametrize("name", documents.SAMPLES)
def test_our_documents_and_their_variables_fit_the_official_schema(
    official: GraphQLSchema, name: str
) -> None:
    document = parse(getattr(documents, name))
    (operation,) = document.definitions

    assert validate(official, document) == []
    assert isinstance(operation, OperationDefinitionNode)
    coerced = get_variable_values(
        official, operation.variable_definitions or (), dict(documents.SAMPLES[name])
    )
    assert not isinstance(coerced, list)


@pytest.mark.parametrize("name", documents.SAMPLES)
def test_no_document_of_ours_costs_too_much(name: str) -> None:
    document = parse(getattr(documents, name))
    (operation,) = document.definitions

    assert validate(SCHEMA, document) == []
    assert isinstance(operation, OperationDefinitionNode)
    assert requested(document, operation, documents.SAMPLES[name]) <= MOST_POINTS


@pytest.mark.parametrize("name", documents.SAMPLES)
def test_no_document_of_ours_asks_for_anything_personal(name: str) -> None:
    text = getattr(documents, name).lower()

    for word in ("customer", "email", "address", "phone", "note", "shipping"):
        assert word not in text
