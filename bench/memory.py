"""`python -m bench.memory`: what open orders and shipments take in memory.

The resident size of this process before and after it has taken so many orders, each placed, paid and shipped in a
parcel of its own, and eight scans of each parcel. Prints JSON: bytes an order, bytes a shipment.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
from collections.abc import Iterator
from pathlib import Path

from bench.scans import rendered, tracking_no
from schemas.decode import decode
from schemas.events import ORDERS, SCANS
from streams.policy import load
from streams.stages.single import SingleReader

_START = 1_750_000_000
#: Seconds between two events of one parcel; all parcels have theirs within it, in order.
_APART = 6 * 3600
_SCANS = 8
_PER_SHOP = 200
_STEP = 4096
_HEAD = b'{"event_id":"%s-%d","type":"%s","occurred_at":"%s",'
_ORDER = b'"order_id":"O%010d","shop_id":"shop-%d"'
_PLACED = b',"buyer_id":"b-%d","items":[{"item_id":"item-%d","category_id":"category-%d","quantity":1}]}'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--parcels", type=int, default=200_000)
    parcels = parser.parse_args().parcels
    reader = SingleReader(load.default())
    empty = resident()
    feed(reader, orders(parcels))
    ordered = resident()
    feed(reader, scans(parcels))
    full = resident()
    print(json.dumps({"orders": (ordered - empty) / parcels, "shipments": (full - ordered) / parcels}))


def feed(reader: SingleReader, events: Iterator[tuple[str, bytes]]) -> None:
    for number, (topic, value) in enumerate(events):
        event, time = decode(topic, value)
        reader.take(topic, event, time, value)
        if number % _STEP == 0:
            reader.settle()
            reader.drain()
    reader.settle()
    reader.drain()


def orders(parcels: int) -> Iterator[tuple[str, bytes]]:
    for step, type_ in enumerate((b"order.placed", b"order.paid", b"order.shipped")):
        for parcel in range(parcels):
            shop = parcel // _PER_SHOP
            head = _HEAD % (tracking_no(parcel), step, type_, _at(step, parcel, parcels))
            order = head + _ORDER % (parcel, shop)
            if step == 0:
                yield ORDERS, order + _PLACED % (parcel, shop * 10 + parcel % 10, shop % 20)
            elif step == 1:
                yield ORDERS, order + b"}"
            else:
                yield ORDERS, order + b',"tracking_no":"%s","carrier":"carrier-1"}' % tracking_no(parcel)


def scans(parcels: int) -> Iterator[tuple[str, bytes]]:
    for step in range(3, 3 + _SCANS):
        for parcel in range(parcels):
            status = b"picked_up" if step == 3 else b"in_transit"
            head = _HEAD % (tracking_no(parcel), step, b"scan", _at(step, parcel, parcels))
            rest = b'"tracking_no":"%s","carrier":"carrier-1","status":"%s","facility":"facility-%d"}'
            yield SCANS, head + rest % (tracking_no(parcel), status, (parcel + step * 31) % 500)


def _at(step: int, parcel: int, parcels: int) -> bytes:
    return rendered(_START + step * _APART + parcel * (_APART - 3600) // parcels)


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
