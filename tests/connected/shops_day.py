"""What a shop's owner has of a day's orders: a platform's export, a carrier service's pushes, a table of tickets."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.connected.pushes import SALT, signature

#: When all is over: parcels that have fallen silent are stalled.
UNTIL = "2026-03-24T00:00:00+08:00"
ORDERS = 45
_FIRST = datetime(2026, 3, 2, 8)  # noqa: DTZ001 - as an export has it, in the shop's own time
_HEADER = (
    "订单编号,买家会员名,订单状态,订单创建时间,订单付款时间,发货时间,物流单号,物流公司,宝贝标题,宝贝总数量,"
    "买家实际支付金额,收货人姓名,联系手机,省份"
)

#: Hours from shipping to each scan of a parcel: what kind of parcel it is.
_ARRIVES = (2, 9, 30, 50)
_FALLS_SILENT = (2, 9, 30)
_MOVES_AGAIN = (2, 9, 30, 30 + 24 * 5, 34 + 24 * 5)
_TEXTS = {
    2: "【杭州滨江网点】 已揽收",
    9: "【杭州转运中心】 已发出 下一站 【武汉转运中心】",
    30: "【武汉转运中心】 已到达",
    50: "已签收，签收人：前台",
    150: "【武汉转运中心】 已发出",
    154: "已签收，签收人：前台",
}


class Push(NamedTuple):
    """One push of kuaidi100's: when it sends it, and the field that it signs."""

    at: datetime
    param: str


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _kind(number: int) -> tuple[int, ...] | None:
    """The parcel of an order; None where it was never shipped."""
    return (None, _FALLS_SILENT, _ARRIVES, _MOVES_AGAIN, _ARRIVES)[number % 5]


def _placed(number: int) -> datetime:
    return _FIRST + timedelta(minutes=15 * number)


def _shipped(number: int) -> datetime:
    return _placed(number) + timedelta(hours=20)


def write_tables(folder: Path) -> None:
    """`orders.csv`, as the platform names its columns, and `tickets.csv`."""
    orders, tickets = [_HEADER], ["工单编号,店铺,关联订单号,工单类型,创建时间,首次响应时间"]
    for number in range(ORDERS):
        placed, shipped = _placed(number), _kind(number) is not None
        parcel = f"No:{_number(number)}" if shipped else ""
        status = "卖家已发货，等待买家确认" if shipped else "买家已付款，等待卖家发货"
        orders.append(
            f'="A-{number}",buyer-{number % 17},{status},{_time(placed)},{_time(placed + timedelta(minutes=1))},'
            f"{_time(_shipped(number) if shipped else None)},{parcel},{'中通快递' if shipped else ''},龙井,1,128.00,"
            f"某某,13800000000,浙江省"
        )
        if number % 3 == 0:
            opened = placed + timedelta(days=4)
            answered = None if number % 2 else opened + timedelta(minutes=30)
            tickets.append(f"T-{number},tea-house,A-{number},催发货,{_time(opened)},{_time(answered)}")
    (folder / "orders.csv").write_text("\n".join(orders) + "\n")
    (folder / "tickets.csv").write_text("\n".join(tickets) + "\n")


def pushes() -> list[Push]:
    """In the order in which they are sent; each tells the whole history of its parcel, the newest first."""
    found = []
    for number in range(ORDERS):
        hours = _kind(number) or ()
        scans = [{"ftime": _time(_shipped(number) + timedelta(hours=hour)), "context": _TEXTS[hour]} for hour in hours]
        for count, hour in enumerate(hours, 1):
            parcel = {"nu": _number(number), "com": "zhongtong", "data": scans[:count][::-1]}
            param = json.dumps({"status": "polling", "lastResult": parcel}, ensure_ascii=False)
            found.append(Push(_shipped(number) + timedelta(hours=hour), param))
    return sorted(found)


def log_of(sent: list[Push]) -> str:
    """What a web server has logged of them: a body in a line."""
    return "".join(f"param={one.param}&sign={signature(one.param, SALT)}\n" for one in sent)


def _number(order: int) -> str:
    return f"7830001111{order:04}"
