"""What eBay's answers say, as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.channel import Line, Order, Progress, Quota, StockRow

Found = Mapping[str, Any]
UNPAID = ("PENDING", "FAILED")


def stock_row(item: Found) -> StockRow:
    """eBay tells neither when a level changed nor what is reserved."""
    shipped = item.get("availability", {}).get("shipToLocationAvailability", {})
    return StockRow(item["sku"], shipped.get("quantity", 0), 0, None)


def order(found: Found) -> Order:
    total = found["pricingSummary"]["total"]
    return Order(
        found["orderId"],
        datetime.fromisoformat(found["creationDate"]),
        datetime.fromisoformat(found["lastModifiedDate"]),
        f"{found['orderPaymentStatus']} {found['orderFulfillmentStatus']}",
        total["currency"],
        Decimal(total["value"]),
        tuple(Line(one.get("sku", ""), one["quantity"]) for one in found["lineItems"]),
        _progress(found),
    )


def quotas(limits: Sequence[Found], name: str) -> list[Quota]:
    """Every rate of one API, its name in small letters."""
    return [
        Quota(rate["limit"], rate["remaining"], rate["timeWindow"])
        for api in limits
        if api["apiName"].lower() == name
        for resource in api["resources"]
        for rate in resource["rates"]
    ]


def said(told: Found) -> str:
    """eBay's numbers and words for what is wrong."""
    return "; ".join(f"{one['errorId']} {one['message']}" for one in told["errors"])


def _progress(found: Found) -> Progress:
    if found["cancelStatus"]["cancelState"] == "CANCELED":
        return "cancelled"
    if found["orderFulfillmentStatus"] == "FULFILLED":
        return "shipped"
    return "pending" if found["orderPaymentStatus"] in UNPAID else "open"
