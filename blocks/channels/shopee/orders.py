"""Shopee's orders: which ones changed, in ranges that it allows, then what each of them is."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from blocks.channels.calls import Call
from blocks.channels.reading import Rejected, Tally, batches
from blocks.channels.shopee.api import OpenPlatform
from domain.channel import Line, Order, Progress

LIST, DETAIL = "/api/v2/order/get_order_list", "/api/v2/order/get_order_detail"
LOST = "/api/v2/push/get_lost_push_message"
RANGE_SECONDS = 15 * 86_400
PAGE, AT_ONCE = 100, 50
FIELDS = "item_list,total_amount"
"""Besides what an order always has; nothing of the buyer's."""
PROGRESS: dict[str, Progress] = {
    "UNPAID": "pending",
    "PENDING": "pending",
    "INVOICE_PENDING": "open",
    "READY_TO_SHIP": "open",
    "RETRY_SHIP": "open",
    "PROCESSED": "open",
    "IN_CANCEL": "open",
    "SHIPPED": "shipped",
    "TO_CONFIRM_RECEIVE": "shipped",
    "TO_RETURN": "shipped",
    "COMPLETED": "shipped",
    "CANCELLED": "cancelled",
}


def rows(api: OpenPlatform, since: datetime, tally: Tally) -> Iterator[Order]:
    """Every one that was listed is counted as reported: fewer rows mean that some were not told."""
    begin, end = int(since.timestamp()), int(api.now().timestamp())
    tally.reported = 0
    for first in range(begin, end + 1, RANGE_SECONDS):
        last = min(first + RANGE_SECONDS - 1, end)
        for names in _listed(api, first, last, tally):
            tally.reported += len(names)
            for some in batches(names, AT_ONCE):
                query = {"order_sn_list": ",".join(some), "response_optional_fields": FIELDS}
                found = api.ask(Call("order", "GET", DETAIL, query), tally)
                yield from map(_order, found["order_list"])
    tally.lost_events = _lost(api, tally)


def _listed(api: OpenPlatform, first: int, last: int, tally: Tally) -> Iterator[list[str]]:
    """Page by page the orders changed from ``first`` to ``last``, both included."""
    query = {
        "time_range_field": "update_time", "time_from": str(first), "time_to": str(last),
        "page_size": str(PAGE),
    }  # fmt: skip
    cursor, more = "", True
    while more:
        page = api.ask(Call("orders", "GET", LIST, {**query, "cursor": cursor}), tally)
        names = [one["order_sn"] for one in page["order_list"]]
        tally.pages += 1
        tally.new(f"{first} {names[:1]}")
        yield names
        more, cursor = page["more"], page.get("next_cursor", "")


def _lost(api: OpenPlatform, tally: Tally) -> int:
    """The events of 3 days that did not arrive and nobody confirmed; Shopee tells at most 100."""
    try:
        found = api.ask(Call("pushes", "GET", LOST), tally).get("push_message_list", ())
    except Rejected:  # an app without pushes loses none
        return 0
    return sum(str(one.get("shop_id")) == api.shop_id for one in found)


def _order(found: Mapping[str, Any]) -> Order:
    """A status that is not known here is taken for open, so that the order is looked at."""
    total = found.get("total_amount")
    return Order(
        order_id=found["order_sn"],
        created_at=datetime.fromtimestamp(found["create_time"], UTC),
        updated_at=datetime.fromtimestamp(found["update_time"], UTC),
        status=found["order_status"],
        currency="" if total is None else found["currency"],
        total=None if total is None else Decimal(total),
        lines=tuple(map(_line, found["item_list"])),
        progress=PROGRESS.get(found["order_status"], "open"),
    )


def _line(item: Mapping[str, Any]) -> Line:
    return Line(item["model_sku"] or item["item_sku"], item["model_quantity_purchased"])
