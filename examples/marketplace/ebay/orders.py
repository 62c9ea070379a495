"""Orders that are paid, by the time of their creation or of their last change.

Source: https://developer.ebay.com/api-docs/sell/fulfillment/resources/order/methods/getOrders
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.marketplace.account import Sold
from examples.marketplace.ebay.operation import Asked, Operation, Problem, text
from examples.marketplace.market import Market

MOST_ROWS, ROWS = 200, 50
MOST_OFFSET = 1_000_000
MILLISECOND = timedelta(milliseconds=1)
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)
FILTER = re.compile(r"(creationdate|lastmodifieddate):\[(.*?)\.\.(.*?)\]")


def orders(market: Market, asked: Asked) -> dict[str, Any]:
    """``offset`` is a number of orders; ``creationdate`` goes before ``lastmodifieddate``."""
    size = asked.number("limit", ROWS, 1, MOST_ROWS)
    offset = asked.number("offset", 0, 0, MOST_OFFSET)
    rows = _searched(market, asked.query.get("filter", ""))
    page, following = market.page(rows, offset, size)
    found: dict[str, Any] = {
        "href": asked.following(offset),
        "limit": size,
        "offset": offset,
        "total": len({one.order_id for one in rows}),
        "orders": [_order(market, sold) for sold in page],
    }
    return found | ({} if following is None else {"next": asked.following(following)})


def _searched(market: Market, given: str) -> list[Sold]:
    filters = {name: _range(begin, end) for name, begin, end in FILTER.findall(given)}
    if given and not filters:
        raise _wrong(30700, f"Invalid filter {given!r}")
    since, until = filters.get("lastmodifieddate", (NEVER, ALWAYS))
    if "creationdate" in filters:
        since, until = NEVER, ALWAYS
    begun, ended = filters.get("creationdate", (NEVER, ALWAYS))
    return [
        sold
        for sold in market.orders(since, until)
        if begun <= sold.at < ended and sold.state != "pending"
    ]


def _range(begin: str, end: str) -> tuple[datetime, datetime]:
    since, until = _time(begin), _time(end) + MILLISECOND if end else ALWAYS
    if since > until:
        raise _wrong(30810, "The start of the range is after its end")
    return since, until


def _time(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
        return min(ALWAYS, moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise _wrong(30700, f"Invalid date {given!r}") from error


def _wrong(number: int, message: str) -> Problem:
    return Problem(400, number, "API_FULFILLMENT", message)


def _order(market: Market, sold: Sold) -> dict[str, Any]:
    gone = sold.state == "cancelled"
    return {
        "orderId": sold.order_id,
        "creationDate": text(sold.at),
        "lastModifiedDate": text(sold.updated_at),
        "orderPaymentStatus": "FULLY_REFUNDED" if gone else "PAID",
        "orderFulfillmentStatus": "FULFILLED" if sold.state == "shipped" else "NOT_STARTED",
        "cancelStatus": {
            "cancelState": "CANCELED" if gone else "NONE_REQUESTED",
            "cancelRequests": [],
        },
        "pricingSummary": {"total": _money(market, sold)},
        "lineItems": [
            {
                "lineItemId": f"{sold.order_id}-{number}",
                "sku": line.sku,
                "quantity": line.quantity,
            }
            for number, line in enumerate(sold.lines, 1)
        ],
    }


def _money(market: Market, sold: Sold) -> dict[str, str]:
    return {"value": market.amount(sold.total), "currency": sold.currency}


OPERATIONS = (
    Operation(
        "GET", "/sell/fulfillment/v1/order", "sell.fulfillment", orders,
        parameters={
            "filter": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
            "offset": {"type": "integer", "minimum": 0, "maximum": MOST_OFFSET},
        },
    ),
)  # fmt: skip
