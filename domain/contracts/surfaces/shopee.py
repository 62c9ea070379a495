"""What is used of Shopee's Open Platform v2."""

from domain.contracts.surface import Operation, Surface

_APP = ("partner_id", "timestamp", "sign")
_SIGNED = (*_APP, "access_token", "shop_id")

OPEN_PLATFORM = Surface(
    channel="shopee",
    titles=("Open Platform", "Open API"),
    operations=(
        Operation(
            call="GET /api/v2/product/get_item_list",
            name="get_item_list",
            sends=(*_SIGNED, "offset", "page_size", "item_status"),
            reads=(
                "error",
                "message",
                "response.item[].item_id",
                "response.has_next_page",
                "response.next_offset",
                "response.total_count",
            ),
            values={"item_status": ("NORMAL", "UNLIST", "BANNED", "REVIEWING")},
            most={"page_size": 100},
        ),
        Operation(
            call="GET /api/v2/product/get_item_base_info",
            name="get_item_base_info",
            sends=(*_SIGNED, "item_id_list"),
            reads=(
                "error",
                "message",
                "response.item_list[].item_id",
                "response.item_list[].item_sku",
                "response.item_list[].item_status",
                "response.item_list[].update_time",
                "response.item_list[].has_model",
                "response.item_list[].stock_info_v2.summary_info.total_available_stock",
                "response.item_list[].stock_info_v2.summary_info.total_reserved_stock",
            ),
            most={"item_id_list": 50},
        ),
        Operation(
            call="GET /api/v2/product/get_model_list",
            name="get_model_list",
            sends=(*_SIGNED, "item_id"),
            reads=(
                "error",
                "message",
                "response.model[].model_id",
                "response.model[].model_sku",
                "response.model[].model_status",
                "response.model[].stock_info_v2.summary_info.total_available_stock",
                "response.model[].stock_info_v2.summary_info.total_reserved_stock",
            ),
        ),
        Operation(
            call="POST /api/v2/product/update_stock",
            name="update_stock",
            sends=_SIGNED,
            writes=("item_id", "stock_list[].model_id", "stock_list[].seller_stock[].stock"),
            reads=(
                "error",
                "message",
                "response.failure_list[].model_id",
                "response.failure_list[].failed_reason",
            ),
            most={"stock_list": 50},
        ),
        Operation(
            call="GET /api/v2/order/get_order_list",
            name="get_order_list",
            sends=(
                *_SIGNED,
                "time_range_field",
                "time_from",
                "time_to",
                "page_size",
                "cursor",
            ),
            reads=(
                "error",
                "message",
                "response.order_list[].order_sn",
                "response.more",
                "response.next_cursor",
            ),
            values={"time_range_field": ("update_time",)},
            most={"page_size": 100},
        ),
        Operation(
            call="GET /api/v2/order/get_order_detail",
            name="get_order_detail",
            sends=(*_SIGNED, "order_sn_list", "response_optional_fields"),
            reads=(
                "error",
                "message",
                "response.order_list[].order_sn",
                "response.order_list[].order_status",
                "response.order_list[].create_time",
                "response.order_list[].update_time",
                "response.order_list[].currency",
                "response.order_list[].total_amount",
                "response.order_list[].item_list[].item_sku",
                "response.order_list[].item_list[].model_sku",
                "response.order_list[].item_list[].model_quantity_purchased",
            ),
            most={"order_sn_list": 50},
        ),
        Operation(
            call="GET /api/v2/push/get_lost_push_message",
            name="get_lost_push_message",
            sends=_APP,
            reads=("error", "message", "response.push_message_list[].shop_id"),
        ),
        Operation(
            call="POST /api/v2/auth/access_token/get",
            name="access_token.get",
            sends=_APP,
            writes=("partner_id", "shop_id", "refresh_token"),
            reads=("error", "message", "access_token", "refresh_token", "expire_in"),
        ),
    ),
)
