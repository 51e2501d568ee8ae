"""Invented orders in the forms that marketplaces' documents show."""

from __future__ import annotations

from typing import Any

PERSONAL = ("张三丰", "13812345678", "西湖区文三路 1 号", "请尽快发货", "kate@example.org", "Kate Sample", "5 Elm St")
"""What names people in these bodies."""


def trade(**fields: Any) -> dict[str, Any]:
    """A trade of Taobao: paid, and shipped in one parcel."""
    return {
        "tid": 3300011112222,
        "tid_str": "3300011112222",
        "created": "2026-03-02 09:00:00",
        "pay_time": "2026-03-02 09:01:30",
        "consign_time": "2026-03-03 16:00:00",
        "modified": "2026-03-03 16:00:05",
        "status": "WAIT_BUYER_CONFIRM_GOODS",
        "seller_nick": "tea-house",
        "buyer_open_uid": "AAHk5d-b1",
        "buyer_nick": "茶**友",
        "receiver_name": PERSONAL[0],
        "receiver_mobile": PERSONAL[1],
        "receiver_address": PERSONAL[2],
        "buyer_message": PERSONAL[3],
        "receiver_state": "新疆维吾尔自治区",
        "orders": {"order": [sub_order()]},
        **fields,
    }


def sub_order(**fields: Any) -> dict[str, Any]:
    """One line of a trade."""
    return {
        "oid": 3300011112223,
        "num_iid": 6001,
        "cid": 50013,
        "num": 2,
        "divide_order_fee": "39.80",
        "status": "WAIT_BUYER_CONFIRM_GOODS",
        "refund_status": "NO_REFUND",
        "logistics_company": "中通快递",
        "invoice_no": "78300011112222",
        "consign_time": "2026-03-03 16:00:00",
        **fields,
    }


def refund(**fields: Any) -> dict[str, Any]:
    """A refund of Taobao: requested, and refused."""
    return {
        "refund_id": "990001",
        "tid": 3300011112222,
        "oid": 3300011112223,
        "num_iid": 6001,
        "created": "2026-03-06 10:00:00",
        "modified": "2026-03-07 11:00:00",
        "status": "SELLER_REFUSE_BUYER",
        "has_good_return": True,
        "reason": "七天无理由退换货",
        "desc": PERSONAL[3],
        "cs_status": 1,
        "seller_nick": "tea-house",
        "buyer_nick": "茶**友",
        **fields,
    }


def shopify_order(**fields: Any) -> dict[str, Any]:
    """An order of Shopify: paid, and fulfilled in one parcel."""
    return {
        "id": 450789469,
        "name": "#1001",
        "email": PERSONAL[4],
        "created_at": "2026-03-02T09:00:00-05:00",
        "processed_at": "2026-03-02T09:00:00-05:00",
        "cancelled_at": None,
        "financial_status": "paid",
        "fulfillment_status": "fulfilled",
        "note": PERSONAL[3],
        "customer": {"id": 207119551, "email": PERSONAL[4], "first_name": "Kate"},
        "shipping_address": {"name": PERSONAL[5], "address1": PERSONAL[6], "province": "Kentucky", "country": "US"},
        "line_items": [{"id": 1, "product_id": 632910392, "variant_id": 2, "quantity": 2, "price": "10.50"}],
        "fulfillments": [fulfillment()],
        "refunds": [],
        **fields,
    }


def fulfillment(**fields: Any) -> dict[str, Any]:
    """One of its fulfilments."""
    return {
        "id": 255858046,
        "order_id": 450789469,
        "status": "success",
        "created_at": "2026-03-03T16:00:00-05:00",
        "tracking_company": "USPS",
        "tracking_number": "9400100000000000000001",
        "tracking_numbers": ["9400100000000000000001"],
        "line_items": [{"id": 1}],
        **fields,
    }


def shopify_refund(**fields: Any) -> dict[str, Any]:
    """One of its refunds."""
    return {
        "id": 509562969,
        "order_id": 450789469,
        "created_at": "2026-03-09T10:00:00-05:00",
        "processed_at": "2026-03-09T10:00:01-05:00",
        "note": PERSONAL[3],
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "restock_type": "return"}],
        **fields,
    }


def woo_order(**fields: Any) -> dict[str, Any]:
    """An order of WooCommerce: completed, with one shipment tracking."""
    return {
        "id": 727,
        "status": "completed",
        "date_created": "2026-03-02T10:00:00",
        "date_created_gmt": "2026-03-02T09:00:00",
        "date_paid_gmt": "2026-03-02T09:00:30",
        "date_completed_gmt": "2026-03-03T16:00:00",
        "date_modified_gmt": "2026-03-03T16:00:00",
        "customer_id": 26,
        "billing": {"first_name": PERSONAL[5], "email": PERSONAL[4]},
        "shipping": {"first_name": PERSONAL[5], "address_1": PERSONAL[6], "state": "CA"},
        "customer_note": PERSONAL[3],
        "line_items": [{"id": 315, "product_id": 93, "quantity": 2, "total": "6.00"}],
        "meta_data": [
            {"id": 1, "key": "_other", "value": "x"},
            {
                "id": 2,
                "key": "_wc_shipment_tracking_items",
                "value": [
                    {
                        "tracking_provider": "",
                        "custom_tracking_provider": "DHL Express",
                        "tracking_number": "JD0140",
                        "date_shipped": "1772553600",
                    }
                ],
            },
        ],
        "refunds": [],
        **fields,
    }


def douyin_order(**fields: Any) -> dict[str, Any]:
    """An order of Douyin: paid, and shipped in one parcel."""
    return {
        "order_id": "6920000000000000001",
        "shop_id": 4463798,
        "shop_name": "茶铺",
        "doudian_open_id": "1@#AbC",
        "order_status": 3,
        "create_time": 1772413200,
        "pay_time": 1772413290,
        "exp_ship_time": 1772586000,
        "ship_time": 1772524800,
        "finish_time": 0,
        "update_time": 1772524801,
        "post_receiver": PERSONAL[0],
        "post_tel": PERSONAL[1],
        "post_addr": {"province": {"name": "浙江省", "id": "33"}, "detail": PERSONAL[2]},
        "buyer_words": PERSONAL[3],
        "logistics_info": [
            {"tracking_no": "SF0001", "company": "shunfeng", "company_name": "顺丰速运", "ship_time": 1772524800}
        ],
        "sku_order_list": [
            {"order_id": "6920000000000000002", "product_id": 357, "product_id_str": "357", "first_cid": 20000,
             "item_num": 1, "pay_amount": 1990}
        ],
        **fields,
    }  # fmt: skip


def after_sale(order: dict[str, Any] | None = None, **info: Any) -> dict[str, Any]:
    """One of its after-sales in a list: requested."""
    return {
        "aftersale_info": {
            "aftersale_id": "1450001",
            "aftersale_type": 0,
            "aftersale_status": 6,
            "arbitrate_status": 0,
            "apply_time": 1772700000,
            "update_time": 1772800000,
            **info,
        },
        "order_info": {"shop_order_id": "6920000000000000001", "related_order_info": [{"product_id": 357}]},
        "text_part": {"reason_text": "质量问题"},
        **(order or {}),
    }
