"""Orders 2026-01-01: every dataset only when it is asked for, nobody's name at all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from examples.marketplace.account import EPOCH, Sold
from examples.marketplace.amazon.operation import (
    MARKETPLACE,
    Asked,
    Operation,
    Problem,
    opened,
    sealed,
    text,
    time,
    wrong,
)
from examples.marketplace.market import Market

END_BOUND = timedelta(minutes=2)
TOKEN_SECONDS = 86_400
STATUS = {
    "pending": "PENDING",
    "open": "UNSHIPPED",
    "shipped": "SHIPPED",
    "cancelled": "CANCELLED",
}
STATUSES = (*STATUS.values(), "PENDING_AVAILABILITY", "PARTIALLY_SHIPPED", "UNFULFILLABLE")
DATASETS = (
    "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT",
    "PACKAGES", "TAX", "PAYMENT", "FULFILLMENT_ORDERS",
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """[since, until) of creation or of change; ``bound`` is the official name of its end."""

    bound: str
    since: datetime
    until: datetime


def search(market: Market, asked: Asked) -> dict[str, Any]:
    if asked.listed("marketplaceIds") not in ([], [MARKETPLACE]):
        raise wrong(f"marketplaceIds must be {MARKETPLACE}")
    size = asked.size("maxResultsPerPage", 100, 100)
    datasets = asked.some_of("includedData", DATASETS)
    window, scope, offset = _window(market, asked), _scope(asked), 0
    if token := asked.query.get("paginationToken"):
        offset, until = opened(market, token, scope, TOKEN_SECONDS)
        window = replace(window, until=time(until))
    page, following = market.page(_found(market, asked, window), offset, size)
    body: dict[str, Any] = {
        "orders": [_order(market, sold, datasets) for sold in page],
        window.bound: text(window.until),
    }
    if following is not None:
        state = (following, text(window.until))
        body["pagination"] = {"nextToken": sealed(market, state, scope)}
    return body


def one(market: Market, asked: Asked) -> dict[str, Any]:
    datasets = asked.some_of("includedData", DATASETS)
    for sold in market.orders(EPOCH, market.clock() + END_BOUND):
        if sold.order_id == asked.path["order_id"]:
            return {"order": _order(market, sold, datasets)}
    raise Problem(404, "NotFound", "The requested order does not exist.")


def _window(market: Market, asked: Asked) -> Window:
    starts = [name for name in ("createdAfter", "lastUpdatedAfter") if name in asked.query]
    if len(starts) != 1:
        raise wrong("exactly one of createdAfter and lastUpdatedAfter must be given")
    bound = starts[0].replace("After", "Before")
    if {"createdBefore", "lastUpdatedBefore"} & set(asked.query) - {bound}:
        raise wrong(f"only {bound} goes with {starts[0]}")
    latest = market.clock() - END_BOUND / market.pace
    since, until = time(asked.query[starts[0]]), asked.moment(bound)
    if until and not since <= until <= latest:
        raise wrong(f"{bound} must be after {starts[0]} and 2 minutes in the past")
    return Window(bound, since, until or latest)


def _scope(asked: Asked) -> str:
    """All parameters that must stay the same from page to page."""
    free = ("paginationToken", "maxResultsPerPage", "includedData")
    return str(sorted((name, value) for name, value in asked.query.items() if name not in free))


def _found(market: Market, asked: Asked, window: Window) -> list[Sold]:
    statuses = asked.some_of("fulfillmentStatuses", STATUSES) or STATUSES
    if asked.some_of("fulfilledBy", ("MERCHANT", "AMAZON")) == ["MERCHANT"]:
        return []
    if window.bound == "lastUpdatedBefore":
        found = market.orders(window.since, window.until)
    else:
        every = market.orders(EPOCH, market.clock() + END_BOUND)
        found = [sold for sold in every if window.since <= sold.at < window.until]
    return [sold for sold in found if STATUS[sold.state] in statuses]


def _order(market: Market, sold: Sold, datasets: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "orderId": sold.order_id,
        "createdTime": text(sold.at),
        "lastUpdatedTime": text(sold.updated_at),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": MARKETPLACE},
        "orderItems": [
            {
                "orderItemId": f"{sold.order_id}-{number}",
                "quantityOrdered": line.quantity,
                "product": {"sellerSku": line.sku},
            }
            for number, line in enumerate(sold.lines, 1)
        ],
    }
    if "FULFILLMENT" in datasets:
        body["fulfillment"] = {"fulfillmentStatus": STATUS[sold.state], "fulfilledBy": "AMAZON"}
    if "PROCEEDS" in datasets and sold.state != "pending":
        amount = market.amount(sold.total)
        body["proceeds"] = {"grandTotal": {"amount": amount, "currencyCode": sold.currency}}
    return body


OPERATIONS = (
    Operation("orders", "GET", "/orders/2026-01-01/orders", 0.0056, 20, search),
    Operation("order", "GET", "/orders/2026-01-01/orders/{order_id}", 0.5, 30, one),
)
