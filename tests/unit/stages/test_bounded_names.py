"""What is kept of names for good is bounded, whatever producers write."""

from __future__ import annotations

import json
from typing import Any

from schemas.events import SCANS
from schemas.times import HOUR, SECOND, render
from streams.carriers import code_of
from streams.engine.partitioner import partition_for
from streams.engine.processor import Horizon, PartitionClock, Record
from streams.policy import load
from streams.stages.dataflow import CLUSTERS, FEEDS, SHIPMENTS
from streams.stages.shipments.spellings import Spellings
from streams.stages.shipments.string_table import Names
from streams.stages.shipments.task import ShipmentsTask
from streams.stages.task_context import Setting

START = 1_772_000_000
LONG = "仓" * 10_000


def scanned(number: int, facility: str) -> Record:
    value: dict[str, Any] = {
        "event_id": f"e{number}", "type": "scan", "occurred_at": render((START + number) * SECOND), "carrier": "ZTO",
        "tracking_no": f"T{number}", "status": "in_transit", "facility": facility,
    }  # fmt: skip
    return Record(number, (START + number) * 1000, f"T{number}".encode(), json.dumps(value).encode())


def test_a_long_name_of_a_facility_stays_in_its_parcels_row_and_goes_with_it() -> None:
    task = ShipmentsTask(Setting(load.default(), 1, 1, partition_for, lambda: 0), 0)
    task.restore([])
    task.events(SCANS, 0, [scanned(number, f"{number}{LONG}") for number in range(5)], PartitionClock(HOUR))
    names = [row for key, row in task.collect().rows.items() if key[:1] == b"n" and row is not None]
    assert [name.decode() for name in names] == ["ZTO"]
    later = Horizon((START + 8 * 86_400) * SECOND)
    while task.advance({SHIPMENTS: later, FEEDS: later, CLUSTERS: later}):
        pass
    told = [json.loads(output.value or b"{}")["data"]["evidence"]["facility"] for output in task.collect().outputs]
    assert sorted(told) == [f"{number}{LONG}" for number in range(5)]


def test_a_name_that_has_a_number_keeps_it() -> None:
    names = Names()
    names.rebuild([(1 << 25, LONG)])
    assert names.short(LONG) == 1 << 25
    assert names.short(f"{LONG}!") == f"{LONG}!"
    assert names.long(names.short("仓")) == "仓"


def test_of_one_carriers_names_some_are_kept() -> None:
    spellings = Spellings(canonical=False)
    written = [f"{' ' * before}S{' ' * between}F" for before in range(6) for between in range(6)]
    assert {code_of(name) for name in written} == {"SF"}
    for name in written:
        spellings.seen(name)
    assert len([*spellings.others(written[-1])]) == 16
    assert [*spellings.others(written[0])] == written[1:16]
