"""`python -m bench.memory_task WHAT STORE FOLDER PARCELS`: the growth of a process with one task, as JSON.

Each order is placed, paid and shipped in a parcel of its own, which is scanned eight times. WHAT is `orders`,
`shipments`, or, to be run before, `registrations`: what the orders tell the shipments goes into the file FOLDER.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench import machine
from bench.host import Host, Orders, Scan, Shipments, as_the_command_does
from bench.scans import rendered, tracking_no
from schemas.events import ORDERS
from streams.engine.processor import Record
from streams.stages.dataflow import REGISTRATIONS

_START = 1_750_000_000
#: Seconds between two events of one parcel; all parcels have theirs within it, in order.
_APART = 6 * 3600
_SCANS = 8
_PER_SHOP = 200
_STEP = 2000
_HEAD = b'{"event_id":"%s-%d","type":"%s","occurred_at":"%s",'
_ORDER = b'"order_id":"O%010d","shop_id":"shop-%d"'
_PLACED = b',"buyer_id":"b-%d","items":[{"item_id":"item-%d","category_id":"category-%d","quantity":1}]}'
_SCAN = b'"tracking_no":"%s","carrier":"carrier-1","status":"%s","facility":"facility-%d"}'


def order_event(parcel: int, step: int, seconds: int) -> Record:
    type_ = (b"order.placed", b"order.paid", b"order.shipped")[step]
    shop = parcel // _PER_SHOP
    value = _HEAD % (tracking_no(parcel), step, type_, rendered(seconds)) + _ORDER % (parcel, shop)
    if step == 0:
        value += _PLACED % (parcel, shop * 10 + parcel % 10, shop % 20)
    elif step == 1:
        value += b"}"
    else:
        value += b',"tracking_no":"%s","carrier":"carrier-1"}' % tracking_no(parcel)
    return Record(parcel, seconds * 1000, b"O%010d" % parcel, value)


def scan(parcel: int, step: int, seconds: int) -> Scan:
    status = b"in_transit" if step else b"picked_up"
    facility = (parcel + step * 31) % 500
    head = _HEAD % (tracking_no(parcel), 3 + step, b"scan", rendered(seconds))
    return Scan(tracking_no(parcel), head + _SCAN % (tracking_no(parcel), status, facility), seconds * 1000)


def moments(parcels: int, step: int) -> Iterator[tuple[range, Callable[[int], int]]]:
    """The parcels in chunks, and when (seconds) each has its event of that step."""
    for first in range(0, parcels, _STEP):
        yield (
            range(first, min(first + _STEP, parcels)),
            lambda parcel: _START + step * _APART + parcel * (_APART - 3600) // parcels,
        )


def take_orders(task: Host, parcels: int) -> int:
    """Returns the bytes of rows that the last step wrote, in which every order changed once."""
    written = 0
    for step in range(3):
        written = task.written
        for chunk, at in moments(parcels, step):
            task.take(ORDERS, [order_event(parcel, step, at(parcel)) for parcel in chunk])
            task.advance(task.watermark(ORDERS))
            task.commit()
    return task.written - written


def tell_registrations(parcels: int, path: Path) -> None:
    """Writes what a task of orders tells the shipments, a line in hexadecimal for each commit."""
    task = Orders("memory", path.parent)
    with path.open("wb") as out:
        for step in range(3):
            for chunk, at in moments(parcels, step):
                task.take(ORDERS, [order_event(parcel, step, at(parcel)) for parcel in chunk])
                task.advance(task.watermark(ORDERS))
                for records in task.commit().sends.get(REGISTRATIONS, {}).values():
                    out.write(msgspec.msgpack.encode(records).hex().encode() + b"\n")


def take_shipments(task: Shipments, parcels: int, registrations: Path) -> int:
    """Likewise."""
    written = 0
    with registrations.open("rb") as lines:
        for line in lines:
            task.hear(REGISTRATIONS, msgspec.msgpack.decode(bytes.fromhex(line.decode())))
    for step in range(_SCANS):
        task.commit()
        written = task.written
        for chunk, at in moments(parcels, 1 + step):
            task.scans([scan(parcel, step, at(parcel)) for parcel in chunk])
    task.commit()
    return task.written - written


def main(what: str, store: str, folder: Path, parcels: int) -> None:
    as_the_command_does()
    if what == "registrations":
        tell_registrations(parcels, folder)
        return
    before = machine.resident()
    task = Orders(store, folder) if what == "orders" else Shipments(store, folder)
    if isinstance(task, Orders):
        rows = take_orders(task, parcels)
    else:
        rows = take_shipments(task, parcels, folder.with_name(f"registrations-{parcels}"))
    gc.collect()
    grown = machine.resident() - before
    task.close()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"memory": grown, "rows": rows, "disk": disk, "most": most}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
