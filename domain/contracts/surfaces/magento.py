"""What is used of Magento's (Adobe Commerce's) REST API."""

from domain.contracts.surface import Operation, Surface

_FILTER = "searchCriteria[filterGroups][0][filters][0]"
_SEARCH = (
    f"{_FILTER}[field]",
    f"{_FILTER}[conditionType]",
    f"{_FILTER}[value]",
    "searchCriteria[sortOrders][0][field]",
    "searchCriteria[sortOrders][0][direction]",
    "searchCriteria[pageSize]",
    "searchCriteria[currentPage]",
)

REST = Surface(
    channel="magento",
    titles=("Adobe Commerce", "Magento"),
    operations=(
        Operation(
            call=(
                "GET /V1/inventory/export-stock-salable-qty/{salesChannelType}/{salesChannelCode}"
            ),
            name="GetV1InventoryExportstocksalableqtySalesChannelTypeSalesChannelCode",
            sends=("salesChannelType", "salesChannelCode", *_SEARCH),
            reads=("items[].sku", "items[].qty", "items[].is_salable", "total_count"),
        ),
        Operation(
            call="GET /V1/inventory/source-items",
            name="GetV1InventorySourceitems",
            sends=_SEARCH,
            reads=("items[].sku", "items[].source_code", "items[].quantity", "total_count"),
        ),
        Operation(
            call="POST /V1/inventory/source-items",
            name="PostV1InventorySourceitems",
            writes=(
                "sourceItems[].sku",
                "sourceItems[].source_code",
                "sourceItems[].quantity",
                "sourceItems[].status",
            ),
        ),
        Operation(
            call="GET /V1/orders",
            name="GetV1Orders",
            sends=_SEARCH,
            reads=(
                "items[].increment_id",
                "items[].created_at",
                "items[].updated_at",
                "items[].state",
                "items[].status",
                "items[].order_currency_code",
                "items[].grand_total",
                "items[].items[].item_id",
                "items[].items[].parent_item_id",
                "items[].items[].product_type",
                "items[].items[].sku",
                "items[].items[].qty_ordered",
                "items[].items[].qty_shipped",
                "total_count",
            ),
        ),
        Operation(
            call="POST /V1/integration/admin/token",
            name="PostV1IntegrationAdminToken",
            writes=("username", "password"),
            reads=("",),
        ),
    ),
)
