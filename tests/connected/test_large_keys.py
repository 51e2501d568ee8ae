"""One key with thousands of events, on a Kafka with its default limits: others' alerts come in time, restarts go on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.decode import decode
from schemas.events import record_key
from schemas.times import DAY, HOUR, parse, render
from tests.connected.marketplace import DEAD, OUTPUTS, Produced, alerts, run, running, worker
from tests.connected.mortals import until_true
from tests.kafka_broker import Broker

T0 = parse("2026-03-02T00:00:00Z")
#: Microseconds between two events of a flood.
MILLISECOND = 1_000
INPUTS = {"orders": 2, "chats": 2, "logistics-scans": 2}
ORDER, PARCEL = {"order_id": "A", "shop_id": "S1"}, {"carrier": "SF", "tracking_no": "T"}


def record(topic: str, type_: str, at: int, name: str, **fields: Any) -> tuple[str, bytes, bytes]:
    told = {"event_id": f"{type_}-{name}", "type": type_, "occurred_at": render(T0 + at), **fields}
    value = json.dumps(told, ensure_ascii=False).encode()
    return topic, record_key(decode(topic, value)[0]).encode(), value


def messages(at: int) -> tuple[str, bytes, bytes]:
    said = {"conversation_id": "C", "sender": "buyer", "text": "平台介入"}
    return record("chats", "chat.message", at * MILLISECOND, str(at), **ORDER, **said)


def tickets(at: int) -> tuple[str, bytes, bytes]:
    return record("chats", "ticket.opened", at * MILLISECOND, str(at), **ORDER, ticket_id=f"K{at}", kind="other")


def orders(at: int) -> tuple[str, bytes, bytes]:
    return record("orders", "order.shipped", at * MILLISECOND, str(at), order_id=f"A{at}", shop_id="S1", **PARCEL)


def scans(at: int) -> tuple[str, bytes, bytes]:
    return record("logistics-scans", "scan", at * MILLISECOND, str(at), **PARCEL, status="arrived")


def lone(number: int) -> dict[str, str]:
    return {"carrier": "YD", "tracking_no": f"Z{number}"}


def healthy(name: str, at: int) -> Produced:
    """A parcel that nobody collects, and a ticket that nobody answers."""
    other = {"order_id": f"B-{name}", "shop_id": "S2"}
    return [
        record("orders", "order.shipped", at, name, **other, carrier="ZTO", tracking_no=f"U-{name}"),
        record("chats", "ticket.opened", at, name, **other, ticket_id=f"L-{name}", kind="urge_shipping"),
        # Time comes so far in every partition.
        *(record("logistics-scans", "scan", at + 2 * DAY, f"{name}-{n}", **lone(n), status="held")
          for n in range(40)),
        *(record("orders", "order.completed", at + 2 * DAY, f"{name}-{n}", order_id=f"Z{n}", shop_id="S3")
          for n in range(40)),
        *(record("chats", "ticket.responded", at + 2 * DAY, f"{name}-{n}", ticket_id=f"Z{n}", shop_id="S3")
          for n in range(40)),
    ]  # fmt: skip


@pytest.mark.parametrize(("flood", "count"), [(messages, 20_000), (tickets, 10_000), (orders, 10_000), (scans, 50_000)])
async def test_one_key_stops_nobody_and_a_restart_goes_on(kafka: Broker, flood: Any, count: int) -> None:
    async def told() -> set[str]:
        return {json.loads(value)["subject"] for value in await alerts(kafka, "alerts.merchant")}

    await kafka.create_topics({**INPUTS, **OUTPUTS})
    stream = (*worker(kafka, render(T0))[:5], "--clock", "stream")
    for name, events, at in (
        ("first", [flood(number) for number in range(count)], HOUR),
        # The second worker restores what the first has left.
        ("second", [flood(count + number) for number in range(10)], 5 * DAY),
    ):
        async with running(*stream) as process:
            written = [*events, *healthy(name, at)]
            for topic in INPUTS:
                await kafka.produce(topic, [(key, value) for one, key, value in written if one == topic])

            async def are_told(name: str = name) -> bool:
                return {f"U-{name}", f"L-{name}"} <= await told()

            await until_true(are_told)
            process.terminate()
            await process.wait()
        assert process.returncode == 0
    for topic in DEAD:
        assert not await kafka.read_committed(topic)
    if flood is not scans:
        await run("forget", "--order", "A0" if flood is orders else "A", *stream[1:5])
