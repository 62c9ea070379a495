"""Shopee's orders, and the pushes about them that did not arrive."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from examples.marketplace.account import EPOCH, Sold, SoldLine
from examples.marketplace.market import Market
from examples.marketplace.shopee.items import name_of, number_of
from examples.marketplace.shopee.operation import CLIENT, Asked, Operation, Problem, wrong

STATUS = {
    "pending": "UNPAID",
    "open": "READY_TO_SHIP",
    "shipped": "SHIPPED",
    "cancelled": "CANCELLED",
}
RANGE_SECONDS = 15 * 86_400
PAGE, AT_ONCE = 100, 50
MOST_PUSHES = 100
OTHER_SHOP = 47110815
END_OF_TIME = 4_000_000_000


def listed(market: Market, asked: Asked) -> dict[str, Any]:
    by = asked.text("time_range_field")
    if by not in ("create_time", "update_time"):
        raise wrong(f"time_range_field is {by[:40]!r}, create_time or update_time is needed")
    first = asked.number("time_from", 0, END_OF_TIME)
    last = asked.number("time_to", 0, END_OF_TIME)
    if not first <= last <= first + RANGE_SECONDS:
        raise wrong("Start time must be earlier than end time and diff in 15 days.")
    size = asked.number("page_size", 1, PAGE)
    cursor = asked.number("cursor", 0, END_OF_TIME) if asked.query.get("cursor") else 0
    status = asked.query.get("order_status", "")
    found = [
        sold
        for sold in _all(market)
        if first <= _seconds(sold.at if by == "create_time" else sold.updated_at) <= last
        and status in ("", "ALL", STATUS[sold.state])
    ]
    page, following = market.page(found, cursor, size)
    told = [{"order_sn": one.order_id, "booking_sn": ""} for one in page]
    following_text = "" if following is None else str(following)
    return {"more": following is not None, "next_cursor": following_text, "order_list": told}


def detailed(market: Market, asked: Asked) -> dict[str, Any]:
    names = asked.listed("order_sn_list", AT_ONCE)
    wanted = asked.query.get("response_optional_fields", "").split(",")
    known = {sold.order_id: sold for sold in _all(market)}
    found = [_order(market, known[name], wanted) for name in names if name in known]
    if not found:
        raise Problem("error_not_found", "Wrong parameters, detail: the order is not found.")
    return {"order_list": found}


def lost(market: Market, asked: Asked) -> dict[str, Any]:
    """Of the app, for all shops that let it in: the first is always about another one."""
    shops = [OTHER_SHOP] + [int(CLIENT["shop_id"])] * market.faults.lost_events
    messages = [
        {"shop_id": shop, "code": 3, "timestamp": number, "data": "{}"}
        for number, shop in enumerate(shops[:MOST_PUSHES], 1)
    ]
    more = len(shops) > MOST_PUSHES
    return {
        "push_message_list": messages, "has_next_page": more, "last_message_id": len(messages)
    }  # fmt: skip


def _all(market: Market) -> list[Sold]:
    return market.orders(EPOCH, datetime.fromtimestamp(END_OF_TIME, UTC))


def _order(market: Market, sold: Sold, wanted: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "order_sn": sold.order_id,
        "region": "ID",
        "currency": sold.currency,
        "cod": False,
        "order_status": STATUS[sold.state],
        "message_to_seller": "",
        "create_time": _seconds(sold.at),
        "update_time": _seconds(sold.updated_at),
        "days_to_ship": 2,
    }
    if "total_amount" in wanted:
        body["total_amount"] = _amount(market.amount(sold.total))
    if "item_list" in wanted:
        body["item_list"] = [_line(line) for line in sold.lines]
    return body


def _line(line: SoldLine) -> dict[str, Any]:
    item = name_of(line.sku)
    own = item == line.sku
    return {
        "item_id": number_of(item),
        "item_sku": item,
        "model_id": 0 if own else number_of(line.sku),
        "model_sku": "" if own else line.sku,
        "model_quantity_purchased": line.quantity,
        "model_original_price": _amount(str(line.price)),
    }


def _amount(text: str) -> float:
    """A number, without a fraction where there is none: rupiah and dong have no cents."""
    amount = Decimal(text)
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


OPERATIONS = (
    Operation("orders", "GET", "/api/v2/order/get_order_list", listed),
    Operation("order", "GET", "/api/v2/order/get_order_detail", detailed),
    Operation("pushes", "GET", "/api/v2/push/get_lost_push_message", lost, of_app=True),
)
