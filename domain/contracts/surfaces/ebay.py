"""What is used of eBay's Inventory, Fulfillment and Developer Analytics APIs."""

from domain.contracts.surface import Operation, Surface

INVENTORY = Surface(
    channel="ebay",
    titles=("Inventory API",),
    operations=(
        Operation(
            call="GET /inventory_item",
            name="getInventoryItems",
            sends=("limit", "offset"),
            reads=(
                "inventoryItems[].sku",
                "inventoryItems[].availability.shipToLocationAvailability.quantity",
                "total",
                "next",
            ),
            most={"limit": 200},
        ),
        Operation(
            call="POST /bulk_get_inventory_item",
            name="bulkGetInventoryItem",
            writes=("requests[].sku",),
            reads=(
                "responses[].sku",
                "responses[].statusCode",
                "responses[].inventoryItem.availability.shipToLocationAvailability.quantity",
                "responses[].errors[].errorId",
                "responses[].errors[].message",
            ),
            most={"requests": 25},
        ),
        Operation(
            call="POST /bulk_update_price_quantity",
            name="bulkUpdatePriceQuantity",
            writes=("requests[].sku", "requests[].shipToLocationAvailability.quantity"),
            reads=(
                "responses[].sku",
                "responses[].statusCode",
                "responses[].errors[].errorId",
                "responses[].errors[].message",
            ),
            most={"requests": 25},
        ),
    ),
)

FULFILLMENT = Surface(
    channel="ebay",
    titles=("Fulfillment API",),
    operations=(
        Operation(
            call="GET /order",
            name="getOrders",
            sends=("filter", "limit", "offset"),
            reads=(
                "orders[].orderId",
                "orders[].creationDate",
                "orders[].lastModifiedDate",
                "orders[].orderFulfillmentStatus",
                "orders[].orderPaymentStatus",
                "orders[].pricingSummary.total.value",
                "orders[].pricingSummary.total.currency",
                "orders[].lineItems[].sku",
                "orders[].lineItems[].quantity",
                "orders[].cancelStatus.cancelState",
                "total",
                "next",
            ),
            most={"limit": 200},
        ),
    ),
)

ANALYTICS = Surface(
    channel="ebay",
    titles=("Analytics API",),
    operations=(
        Operation(
            call="GET /rate_limit/",
            name="getRateLimits",
            sends=("api_context",),
            reads=(
                "rateLimits[].apiName",
                "rateLimits[].resources[].rates[].limit",
                "rateLimits[].resources[].rates[].remaining",
                "rateLimits[].resources[].rates[].timeWindow",
            ),
        ),
    ),
)
