"""What a scan says of itself: going back, failing to be delivered, destroyed."""

from collections.abc import Callable
from typing import Any

from tests.oracle.policy import OraclePolicy
from tests.oracle.timeline import OracleAlert, episode
from tests.oracle.uses import Use


def exceptions(use: Use, policy: OraclePolicy, until: int) -> list[OracleAlert]:
    """The alerts of all three types, each at the first instant as of which its scan is there and an order is known."""

    def at(time: int, *statuses: str) -> bool:
        return any(scan.value["status"] in statuses for scan in use.scans(first=time, last=time))

    def attempts(time: int) -> int:
        return len({scan.time for scan in use.scans(last=time) if scan.value["status"] == "delivery_failed"})

    rules: dict[str, Callable[[int], bool]] = {
        "shipment.returning": lambda time: at(time, "returning", "returned"),
        "shipment.delivery_failing": lambda time: (
            at(time, "delivery_failed") and attempts(time) >= policy.failed_attempts
        ),
        "shipment.destroyed": lambda time: at(time, "destroyed"),
    }
    found = []
    for type_, holds in rules.items():
        time = next((time for time in use.instants if use.shippings(time) and holds(time)), None)
        if time is None:
            continue
        destroyed, first = type_ == "shipment.destroyed", use.shippings()[0]
        told: dict[str, Any] = use.account(time)
        if type_ == "shipment.delivery_failing":
            told["attempts"] = attempts(time)
        found += episode(
            topics=("merchant", "platform") if destroyed else ("merchant",),
            type_=type_,
            subject=use.tracking_no,
            raised_at=time,
            resolved=None if destroyed else use.end(policy, until),
            shop=first.shop,
            order=first.order,
            carrier=use.carrier,
            evidence=told,
        )
    return found
