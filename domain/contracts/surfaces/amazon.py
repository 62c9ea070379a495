"""What is used of Amazon's SP-API: FBA Inventory, Listings Items 2021-08-01, Orders 2026-01-01."""

from domain.channel import Rate
from domain.contracts.surface import Operation, Surface

FBA_INVENTORY = Surface(
    channel="amazon",
    titles=("FBA Inventory API",),
    operations=(
        Operation(
            call="GET /fba/inventory/v1/summaries",
            name="getInventorySummaries",
            sends=(
                "details", "granularityType", "granularityId", "marketplaceIds", "sellerSkus",
                "nextToken",
            ),
            reads=(
                "payload.inventorySummaries[].sellerSku",
                "payload.inventorySummaries[].inventoryDetails.fulfillableQuantity",
                "payload.inventorySummaries[].inventoryDetails.reservedQuantity"
                ".pendingCustomerOrderQuantity",
                "payload.inventorySummaries[].lastUpdatedTime",
                "pagination.nextToken",
            ),
            values={"granularityType": ("Marketplace",)},
            most={"sellerSkus": 50, "marketplaceIds": 1},
            rate=Rate(2, 2),
        ),
    ),
)  # fmt: skip

LISTINGS = Surface(
    channel="amazon",
    titles=("Listings Items API",),
    operations=(
        Operation(
            call="GET /listings/2021-08-01/items/{sellerId}",
            name="searchListingsItems",
            sends=(
                "sellerId", "marketplaceIds", "includedData", "identifiers", "identifiersType",
                "createdAfter", "sortBy", "sortOrder", "pageSize", "pageToken",
            ),
            reads=(
                "numberOfResults",
                "items[].sku",
                "items[].summaries[].status",
                "items[].summaries[].createdDate",
                "items[].summaries[].lastUpdatedDate",
                "items[].fulfillmentAvailability[].fulfillmentChannelCode",
                "items[].fulfillmentAvailability[].quantity",
                "pagination.nextToken",
            ),
            values={
                "includedData": ("summaries", "fulfillmentAvailability"),
                "identifiersType": ("SKU",),
                "sortBy": ("createdDate",),
                "sortOrder": ("ASC",),
            },
            most={"identifiers": 20, "pageSize": 20},
            rate=Rate(5, 5),
        ),
        Operation(
            call="PATCH /listings/2021-08-01/items/{sellerId}/{sku}",
            name="patchListingsItem",
            sends=("sellerId", "sku", "marketplaceIds"),
            writes=("productType", "patches[].op", "patches[].path", "patches[].value"),
            reads=("status", "issues[].message"),
            values={"patches[].op": ("merge",), "status": ("ACCEPTED",)},
            rate=Rate(5, 5),
        ),
    ),
)  # fmt: skip

ORDERS = Surface(
    channel="amazon",
    titles=("Orders API",),
    operations=(
        Operation(
            call="GET /orders/2026-01-01/orders",
            name="searchOrders",
            sends=(
                "lastUpdatedAfter", "marketplaceIds", "maxResultsPerPage", "includedData",
                "paginationToken",
            ),
            reads=(
                "orders[].orderId",
                "orders[].createdTime",
                "orders[].lastUpdatedTime",
                "orders[].fulfillment.fulfillmentStatus",
                "orders[].proceeds.grandTotal.amount",
                "orders[].proceeds.grandTotal.currencyCode",
                "orders[].orderItems[].quantityOrdered",
                "orders[].orderItems[].product.sellerSku",
                "pagination.nextToken",
            ),
            values={
                "includedData": ("PROCEEDS", "FULFILLMENT"),
                "orders[].fulfillment.fulfillmentStatus": (
                    "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED",
                    "CANCELLED", "UNFULFILLABLE",
                ),
            },
            most={"maxResultsPerPage": 100},
            rate=Rate(0.0056, 20),
        ),
    ),
)  # fmt: skip
