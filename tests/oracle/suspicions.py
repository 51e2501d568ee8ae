"""`shipment.suspicious`: each ground at the first instant as of which all that it rests on is known."""

from collections.abc import Callable
from typing import Any

from tests.oracle.orders import Orders
from tests.oracle.policy import OraclePolicy, province
from tests.oracle.timeline import OracleAlert, episode, shown
from tests.oracle.uses import Use, destination

_MUNICIPALITIES = ("北京", "天津", "上海", "重庆")
_PROVINCES = """
河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾
"""
_REGIONS = ("内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门")
PROVINCES = frozenset((*_MUNICIPALITIES, *_PROVINCES.split(), *_REGIONS))

#: What a ground rests on, if it holds as of an instant.
Ground = Callable[[int], dict[str, Any] | None]


def suspicions(use: Use, before: Use | None, orders: Orders, policy: OraclePolicy) -> list[OracleAlert]:
    """The alerts of all grounds; `before`: the number's use before."""
    if not use.shippings():
        return []
    first = use.shippings()[0]
    life = orders.life_of[first]
    placed, paid = life.fact("order.placed"), life.fact("order.paid")
    collected, ended = use.collected_at(), use.ended_at()

    def scanned_before_payment(by: int) -> dict[str, Any] | None:
        if paid is None or paid.time > by or collected is None or collected > by:
            return None
        if paid.time - collected <= policy.paid_slack or (ended is not None and ended <= paid.time):
            return None
        return {"paid_at": shown(paid.time), "collected_at": shown(collected)}

    def delivered_elsewhere(by: int) -> dict[str, Any] | None:
        if ended is None or ended > by:
            return None
        if any(scan.value["status"] == "returning" for scan in use.scans()):
            return None
        scans = [scan for scan in use.scans(first=ended) if scan.value["status"] == "delivered"]
        region = scans[0].value.get("region") if scans else None
        target = destination(use, orders, by)
        if region is None or target is None:
            return None
        bare = {province(region), province(target)}
        if len(bare) < 2 or not bare <= PROVINCES:
            return None
        return {"region": region, "destination": target}

    def number_reused(_: int) -> dict[str, Any] | None:
        previous = before.ended_at() if before is not None else None
        if before is None or previous is None or use.begun_by().type != "order.shipped":
            return None
        start = use.begun_by().time
        if start - previous > policy.reuse or start > before.forgotten_at(policy):
            return None
        return {"previous_end": shown(previous)}

    instants = {*use.instants, *(fact.time for fact in (placed, paid) if fact is not None)}
    grounds: tuple[Ground, ...] = (scanned_before_payment, delivered_elsewhere, number_reused)
    found = []
    for ground in grounds:
        for time in sorted(time for time in instants if first.time <= time <= use.forgotten_at(policy)):
            facts = ground(time)
            if facts is None:
                continue
            found += episode(
                topics=("platform",),
                type_="shipment.suspicious",
                subject=use.tracking_no,
                raised_at=time,
                resolved=None,
                shop=first.shop,
                order=first.order,
                carrier=use.carrier,
                evidence=use.account(time) | facts | {"ground": ground.__name__},
            )
            break
    return found
