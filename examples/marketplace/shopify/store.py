"""Shopify's objects over the seller's account, with the resolvers of what has arguments."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from graphql import GraphQLError

from examples.marketplace.account import EPOCH, Level, Sold, SoldLine
from examples.marketplace.market import Market

Row = TypeVar("Row")
Node = dict[str, Any]
LOCATION = "gid://shopify/Location/1"
MOST_ROWS = 250
SECOND = timedelta(seconds=1)
TERM = re.compile(r"updated_at:(>=|<=|>|<)?'?([0-9TZ:+.-]+)'?")
SKU = re.compile(r"sku:(?:'((?:[^'\\]|\\.)*)'|([^\s']+))")
FINANCIAL = {"pending": "PENDING", "cancelled": "REFUNDED"}


class Store:
    """``elsewhere`` has what of a SKU's units lies at further locations, in their order."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.elsewhere: dict[str, tuple[int, ...]] = {}
        self._ids: dict[str, str] = {}
        self._skus: dict[str, str] = {}

    def root(self, pages: "Pages") -> Node:
        """What a query begins with."""
        return {
            "shop": {"id": "gid://shopify/Shop/1"},
            "inventoryItems": lambda info, **asked: pages(
                self._named(asked.get("query")), lambda row: self._item(*row, pages), asked
            ),
            "inventoryItem": lambda info, id: next(
                (self._item(*row, pages) for row in self._all() if self.item_id(row[0]) == id), None
            ),
            "orders": lambda info, **asked: pages(
                self._searched(**asked), lambda row: self._order(row, pages), asked
            ),
            "order": lambda info, id: next(
                (self._order(row, pages) for row in self._searched() if row.order_id == id), None
            ),
            "ordersCount": lambda info, query=None, **asked: _count(
                len({row.order_id for row in self._searched(query)}), **asked
            ),
            "productVariantsCount": lambda info, **asked: _count(len(self._all()), **asked),
        }

    def item_id(self, sku: str) -> str:
        """Given when it is first shown, and kept."""
        if sku not in self._ids:
            self._ids[sku] = f"gid://shopify/InventoryItem/{len(self._ids) + 1}"
            self._skus[self._ids[sku]] = sku
        return self._ids[sku]

    def sku(self, item_id: str) -> str | None:
        """None for an item that is not listed."""
        sku = self._skus.get(item_id)
        return sku if sku in self.market.account.levels else None

    def places(self, sku: str, level: Level) -> list[tuple[str, int]]:
        """Location ids, each with the units there: the first has what the others have not."""
        others = self.elsewhere.get(sku, ())
        units = (level.fulfillable - sum(others), *others)
        return [(f"gid://shopify/Location/{at}", n) for at, n in enumerate(units, 1)]

    def shift(self, sku: str, location: str, change: int) -> None:
        """Of a further location; what is not there is at the first."""
        if location != LOCATION:
            at = int(location.rsplit("/", 1)[1]) - 2
            others = list(self.elsewhere[sku])
            others[at] += change
            self.elsewhere[sku] = tuple(others)

    def _all(self) -> list[tuple[str, Level]]:
        return list(self.market.levels().items())

    def _named(self, query: str | None) -> list[tuple[str, Level]]:
        """A search looks at letters, not at their case."""
        terms = [quoted or plain for quoted, plain in SKU.findall(query or "")]
        names = {re.sub(r"\\(.)", r"\1", term).lower() for term in terms}
        return [row for row in self._all() if not names or row[0].lower() in names]

    def _searched(
        self, query: str | None = None, sortKey: str = "UPDATED_AT", **_: Any,  # noqa: N803
    ) -> list[Sold]:  # fmt: skip
        since, until = EPOCH, datetime.max.replace(tzinfo=UTC)
        for sign, told in TERM.findall(query or ""):
            at = _time(told)
            if sign.startswith(">"):
                since = max(since, at + SECOND * (sign == ">"))
            if sign.startswith("<"):
                until = min(until, at + SECOND * (sign == "<="))
        found = self.market.orders(since, until)
        return found if sortKey == "UPDATED_AT" else sorted(found, key=lambda one: one.at)

    def _item(self, sku: str, level: Level, pages: "Pages") -> Node:
        item = self.item_id(sku)
        number = item.rsplit("/", 1)[1]
        variant = {
            "id": f"gid://shopify/ProductVariant/{number}",
            "sku": sku or None,
            "product": {
                "id": f"gid://shopify/Product/{number}",
                "status": "ACTIVE" if level.active else "DRAFT",
            },
        }
        places = self.places(sku, level)
        return {
            "id": item,
            "sku": sku or None,
            "tracked": True,
            "variants": lambda info, **asked: pages([variant], dict, asked),
            "inventoryLevels": lambda info, **asked: pages(
                places, lambda place: _level(number, place, level), asked
            ),
        }

    def _order(self, sold: Sold, pages: "Pages") -> Node:
        gone = sold.state == "cancelled"
        total = self.market.amount(sold.total)
        return {
            "id": sold.order_id,
            "name": "#" + sold.order_id.rsplit("/", 1)[1],
            "createdAt": text(sold.at),
            "updatedAt": text(sold.updated_at),
            "cancelledAt": text(sold.updated_at) if gone else None,
            "displayFinancialStatus": FINANCIAL.get(sold.state, "PAID"),
            "displayFulfillmentStatus": ("FULFILLED" if sold.state == "shipped" else "UNFULFILLED"),
            "totalPriceSet": _money(total, sold.currency),
            "currentTotalPriceSet": _money("0.0" if gone else total, sold.currency),
            "lineItems": lambda info, **asked: pages(
                list(enumerate(sold.lines, 1)), lambda line: _line(sold, gone, *line), asked
            ),
        }


class Pages:
    """A connection's rows a page at a time, as many as ``first`` asks for."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def __call__(
        self, rows: Sequence[Row], made: Callable[[Row], Node], asked: Mapping[str, Any]
    ) -> Node:
        size = asked.get("first")
        if size is None:
            raise _bad("you must provide one of first or last")
        if not 1 <= size <= MOST_ROWS:
            raise _bad(f"first is {size}, 1 to {MOST_ROWS} are allowed")
        offset = _opened(asked.get("after"))
        page, following = self._market.page(rows, offset, size)
        more = following is not None
        cursor = _sealed(following if following is not None else offset + len(page))
        return {
            "edges": [{"cursor": cursor, "node": made(row)} for row in page],
            "pageInfo": {"hasNextPage": more, "endCursor": cursor if page else None},
        }


class Everything(Pages):
    """All rows at once, as a bulk operation sees them."""

    def __call__(
        self, rows: Sequence[Row], made: Callable[[Row], Node], asked: Mapping[str, Any]
    ) -> Node:
        edges = [{"cursor": "", "node": made(row)} for row in rows]
        return {"edges": edges, "pageInfo": {"hasNextPage": False}}


def text(moment: datetime) -> str:
    """Whole seconds, as Shopify keeps them."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _level(number: str, place: tuple[str, int], level: Level) -> Node:
    location, units = place
    committed = level.reserved if location == LOCATION else 0
    known = {"available": units, "committed": committed, "on_hand": units + committed}
    return {
        "id": f"gid://shopify/InventoryLevel/{location[-1]}?inventory_item_id={number}",
        "location": {"id": location},
        "updatedAt": text(level.at),
        "quantities": lambda info, names: [
            {"name": name, "quantity": known.get(name, 0)} for name in names
        ],
    }


def _line(sold: Sold, gone: bool, number: int, line: SoldLine) -> Node:
    order = sold.order_id.rsplit("/", 1)[1]
    return {
        "id": f"gid://shopify/LineItem/{order}{number:03d}",
        "sku": line.sku or None,
        "quantity": line.quantity,
        "currentQuantity": 0 if gone else line.quantity,
    }


def _money(amount: str, currency: str) -> Node:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def _count(found: int, limit: int | None = 10_000, **_: Any) -> Node:
    if limit is None or found <= limit:
        return {"count": found, "precision": "EXACT"}
    return {"count": limit, "precision": "AT_LEAST"}


def _time(told: str) -> datetime:
    try:
        at = datetime.fromisoformat(told)
    except ValueError as error:
        raise _bad(f"{told} is not a time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _sealed(offset: int) -> str:
    return b64encode(f"offset:{offset}".encode()).decode()


def _opened(cursor: str | None) -> int:
    try:
        return int(b64decode(cursor).decode().removeprefix("offset:")) if cursor else 0
    except ValueError as error:
        raise _bad("Invalid cursor for current pagination sort.") from error


def _bad(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})
