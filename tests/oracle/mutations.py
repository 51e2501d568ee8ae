"""What upstream really sends: events again, facts again, and facts told otherwise."""

from random import Random
from typing import Any

from tests.oracle.policy import DAY, HOUR
from tests.oracle.timeline import microseconds, shown

Events = list[dict[str, Any]]


def with_repeats(rng: Random, events: Events, share: float) -> Events:
    """The events and, for a share of them, one more: a repeat, or one that disagrees."""
    more = []
    for number, event in enumerate(events):
        if rng.random() < share:
            value = dict(event["value"])
            rng.choice((_same, _same_fact, _same_id, _disagreeing))(rng, value, number)
            more.append({"topic": event["topic"], "value": value})
    return events + more


def _same(rng: Random, value: dict[str, Any], number: int) -> None:
    """The same event twice."""


def _same_fact(rng: Random, value: dict[str, Any], number: int) -> None:
    """The same fact under another `event_id`."""
    value["event_id"] = f"{rng.choice('az')}{number}"


def _same_id(rng: Random, value: dict[str, Any], number: int) -> None:
    """Another content under the same `event_id`: at another time, or otherwise at the same."""
    _disagreeing(rng, value, number)
    value["event_id"] = value["event_id"].removeprefix("w")


def _disagreeing(rng: Random, value: dict[str, Any], number: int) -> None:
    """The same natural id at another time or with other fields."""
    value["event_id"] = f"w{value['event_id']}"
    if rng.random() < 0.7:
        shift = rng.choice((-1, 1)) * rng.choice((1, HOUR, DAY, rng.randrange(3 * DAY)))
        value["occurred_at"] = shown(microseconds(value["occurred_at"]) + shift)
    for name in ("ship_by", "respond_by", "deliver_by"):
        if value.get(name) is not None:
            value[name] = shown(microseconds(value[name]) + rng.choice((-1, 1, HOUR, -DAY)))
    match value["type"]:
        case "scan":
            value["status"] = rng.choice(
                (value["status"], "arrived", "held", "delivered", "info_received", "returning")
            )
            value["region"] = rng.choice(("浙江", "青海省", None))
        case "order.placed":
            value["items"] = [{"item_id": "i0", "category_id": "c1", "quantity": 1}]
        case "order.shipped":
            value["shop_id"], value["to_region"] = "S9", rng.choice(("青海省", "广东省"))
        case "ticket.opened":
            value["shop_id"] = "S9"
        case "dispute.opened" | "complaint.filed" | "intervention.requested":
            value["shop_id"], value["item_id"] = "S9", "i1"
