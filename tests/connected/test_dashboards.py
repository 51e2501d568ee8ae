"""Every query of every dashboard, against a real Prometheus that scrapes workers after a demo's load, and doors."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from dashboards.files import FOLDER
from schemas.times import DAY, HOUR, render
from tests.connected.doors import doors
from tests.connected.marketplace import end, run, running
from tests.connected.prometheus import Prometheus, Sample, prometheus
from tests.dashboard_queries import Asked, asked, resolved
from tests.every_rule import POLICY, outages
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.ports import free_ports

QUERIES = [one for path in sorted(FOLDER.glob("*.json")) for one in asked(json.loads(path.read_bytes()))]
#: Seconds that the panels show: all of the test, also on a slow machine.
COURSE = 1800
#: Panels of faults that nobody has made here, of restores, for which a worker may find all on its own disk, and of what
#: is over between two scrapes on a fast machine, and of certificates, as this broker asks for none: they may show 0 all
#: the time. All others must show more, too.
FAULTLESS = {
    "Alarms firing", "Alerts lost", "Being restored", "Catching up", "Certificates", "Connections made anew",
    "Entries not settled", "Failed commits", "Failures", "Fetches failed", "Held up", "Left to restore", "Not ready",
    "Pushes in work", "Rebalances", "Records lost", "Rights missing", "Rows restored", "Standbys behind",
    "Standing still", "Task restarts",
}  # fmt: skip


async def shown(server: Prometheus, query: Asked) -> list[float]:
    """All numbers that a panel gets."""
    expr = resolved(query.expr)
    if query.instant:
        found = [value for _, value in await server.query(expr)]
    else:
        found = [value for _, values in await server.course(expr, COURSE) for value in values]
    return [value for value in found if not math.isnan(value)]


async def dull(server: Prometheus) -> set[str]:
    """The panels that show nothing, or 0 though something has happened, for all the time that one waits."""
    waited_for, until = QUERIES, time.monotonic() + PATIENCE
    lively: set[str] = set()
    while True:
        values = {query: await shown(server, query) for query in waited_for}
        lively |= {query.title for query, found in values.items() if any(found)}
        waited_for = [query for query, found in values.items() if not found or query.title not in lively | FAULTLESS]
        if not waited_for or time.monotonic() > until:
            return {query.title for query in waited_for}
        await asyncio.sleep(1)


def is_value(wanted: Callable[[float], bool]) -> Callable[[list[Sample]], bool]:
    return lambda found: len(found) == 1 and wanted(found[0][1])


async def load(kafka: Broker) -> None:
    """A carrier that has fallen silent for good, the marketplace of forty days, and records that come too late."""
    broker = {"PARCELWATCH_BROKER": f"kafka://{kafka.bootstrap}"}
    await run("topics", "--replication-factor", "1", "--order-partitions", "3", "--scan-partitions", "3", **broker)
    silent = sorted(outages(time.time_ns() // 1_000 - 80 * DAY))
    await kafka.produce("logistics-scans", [(key, value) for _, (_, key, value) in silent])
    await run("generate", "--days", "40", "--orders-per-day", "80", **broker)
    await kafka.produce("logistics-scans", [(key, value) for _, (_, key, value) in silent[:100]] + [(b"S1", None)])


async def trickle(kafka: Broker) -> None:
    """Scans of the present, each twice, what a shop is told of late, and a record that is none, until it is cancelled.

    In portions that take a while to read, so that some scrape finds them unread. What the load has raised may be over
    before the first scrape, where the machine is slow; what is told of late is raised at once, again and again.
    """
    for portion in count():
        now = time.time_ns() // 1_000
        scans: list[tuple[bytes, bytes | None]] = []
        for number in range(3_000):
            key = f"L{portion}-{number}"
            scans += [record(key, "scan", now, tracking_no=key, carrier="ZTO", status="arrived")] * 2
        orders, chats = [], []
        for number in range(25):
            key, of_order = f"M{portion}-{number}", {"order_id": f"M{portion}-{number}", "shop_id": f"M{portion}"}
            items = [{"item_id": "I", "category_id": "C", "quantity": 1}]
            parcel = {"tracking_no": key, "carrier": "ZTO"}
            at = {"facility": f"M{portion}", "status": "destroyed" if number % 5 == 0 else "arrived"}
            orders.append(record(key, "order.placed", now - 12 * DAY, buyer_id="B", items=items, **of_order))
            orders.append(record(key, "order.paid", now - 12 * DAY, **of_order))
            orders.append(record(key, "order.shipped", now - 11 * DAY, **of_order, **parcel))
            scans.append(record(key, "scan", now - 9 * DAY, **parcel, **at))
            chats.append(record(key, "intervention.requested", now - DAY, intervention_id=key, **of_order))
            orders.append(record(key, "order.completed", now - HOUR, **of_order))
        await kafka.produce("orders", orders)
        await kafka.produce("chats", chats)
        await kafka.produce("logistics-scans", [*scans, (b"L", b"no event")])
        await asyncio.sleep(0.5)


def record(key: str, type_: str, time_: int, **fields: Any) -> tuple[bytes, bytes]:
    event = {"event_id": f"{type_} {key}", "type": type_, "occurred_at": render(time_)} | fields
    return key.encode(), json.dumps(event).encode()


async def test_no_panel_is_empty_after_a_demos_load_and_a_restart(kafka: Broker, tmp_path: Path) -> None:
    broker = {"PARCELWATCH_BROKER": f"kafka://{kafka.bootstrap}"}
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    await load(kafka)
    one, other, third, *of_doors = free_ports(5)

    def worker(port: int) -> tuple[str, ...]:
        store = "--store", "rocksdict", "--state-dir", str(tmp_path / str(port)), "--standbys", "1"
        return "worker", "--policy", str(policy), "--metrics-port", str(port), "--instance-id", f"w{port}", *store

    async def all_is_read(server: Prometheus) -> None:
        tasks = "sum(parcelwatch_tasks) / sum(max by (kind) (parcelwatch_group_tasks)) * min(parcelwatch_ready)"
        await server.until(tasks, is_value(lambda share: share == 1))
        await server.until("sum(parcelwatch_lag_records)", is_value(lambda lag: lag == 0))

    targets = {"parcelwatch": (one, other), "doors": of_doors}
    async with prometheus(tmp_path, targets) as server, running(*worker(other), **broker):
        async with running(*worker(one), **broker) as first:
            await all_is_read(server)
            await end(first)
        async with running(*worker(one), **broker):
            await server.until("count(changes(process_start_time_seconds[5m]) > 0)", is_value(lambda count: count == 1))
            await all_is_read(server)
            feeding = asyncio.create_task(trickle(kafka))
            # Who joins makes the others share anew.
            async with running(*worker(third), **broker), doors(kafka, tmp_path, (of_doors[0], of_doors[1])):
                dull_ones = await dull(server)
            feeding.cancel()
            assert not dull_ones
