"""`parcelwatch redrive` on a real Kafka: from dead letters without values, beside a running worker."""

from __future__ import annotations

import json

from schemas.times import render
from streams.redrive.letters import REDRIVES
from tests.connected.marketplace import APP, running
from tests.connected.mortals import until_true
from tests.kafka_broker import Broker
from tests.unit.cli import run as told
from tests.unit.forget.shop import INPUTS, OUTPUTS, T0


def event(number: int) -> tuple[bytes, bytes]:
    """An order that is cancelled."""
    order = f"order-{number}"
    value = {"event_id": order, "type": "order.cancelled", "occurred_at": render(T0), "order_id": order, "shop_id": "S"}
    return order.encode(), json.dumps(value).encode()


async def test_letters_go_back_and_a_loop_ends(kafka: Broker) -> None:
    await kafka.create_topics(INPUTS | OUTPUTS)
    # All in partition 0: about half of them are in the wrong one. One is no event wherever it is.
    await kafka.produce("orders", [*map(event, range(40)), (b"bad", b"no json")], partition=0)

    async def letters() -> list[dict[str, bytes]]:
        return [dict(record.headers) for record in await kafka.read_committed("orders.dlq")]

    def redrive(*options: str) -> tuple[int, list[dict[str, object]]]:
        ended = told("redrive", "--broker", f"kafka://{kafka.bootstrap}", "--json", "--topic", "orders", *options)
        assert ended.stderr == ""
        return ended.returncode, json.loads(ended.stdout)

    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--commit-interval", "0.1")
    async with running(*arguments):

        async def buried() -> bool:
            return any(each["error-code"] == b"not_json" for each in await letters())

        await until_true(buried)
        wrong = sum(each["error-code"] == b"wrong_partition" for each in await letters())
        assert 0 < wrong < 40
        status, (outcome,) = redrive("--reason", "wrong_partition")
        assert (status, outcome["wanted"], outcome["redriven"]) == (0, wrong, wrong)
        for times in (1, 2):
            status, (outcome,) = redrive("--reason", "not_json", "--redrives", "2")
            assert (status, outcome["redriven"]) == (0, 1)

            async def again(count: bytes = b"%d" % times) -> bool:
                return any(each.get(REDRIVES) == count for each in await letters())

            await until_true(again)
        status, (outcome,) = redrive("--reason", "not_json", "--redrives", "2")
        assert (status, outcome["redriven"], outcome["exhausted"]) == (1, 0, 1)
    # In the partition of its key every one of them is an event.
    assert len(await letters()) == wrong + 3
    assert sum((await kafka.end_offsets("orders")).values()) >= 41 + wrong + 2
