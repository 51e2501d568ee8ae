"""The stall watch as a Faust application: typed records, a table, a timer. At least once, as Faust does by default.

python faust_app.py BOOTSTRAP GROUP SCANS ALERTS FOLDER
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import datetime

import faust

BOOTSTRAP, GROUP, SCANS, ALERTS, FOLDER = sys.argv[1:6]
PARTITIONS = 4
#: In milliseconds.
WEEK, LATENESS = 168 * 3_600_000, 3_600_000
TERMINAL = {"delivered", "returned", "destroyed"}

app = faust.App(
    GROUP, broker=f"kafka://{BOOTSTRAP}", store="memory://", datadir=FOLDER, topic_partitions=PARTITIONS,
    topic_replication_factor=1, web_enabled=False, consumer_auto_offset_reset="earliest",
)  # fmt: skip


class Scan(faust.Record, serializer="json", isodates=True):
    """One update of a parcel."""

    event_id: str
    occurred_at: datetime
    tracking_no: str
    carrier: str
    status: str
    facility: str | None = None
    region: str | None = None


class Parcel(faust.Record, serializer="json"):
    """What is known of a parcel on its way; `last` in milliseconds."""

    last: int
    stalled: bool = False


class Alert(faust.Record, serializer="json"):
    """`time` in milliseconds."""

    tracking_no: str
    status: str
    time: int


class Check(faust.Record, serializer="json"):
    """The watermark has passed the parcel's deadline as it was then; in milliseconds."""

    deadline: int


scans = app.topic(SCANS, key_type=str, key_serializer="raw", value_type=Scan)
alerts = app.topic(ALERTS, key_type=str, key_serializer="raw", value_type=Alert)
# A table can only be written where its key's partition is being read, so the timer sends a message there.
checks = app.topic(f"{GROUP}-checks", key_type=str, key_serializer="raw", value_type=Check, internal=True,
                   partitions=PARTITIONS)  # fmt: skip
parcels = app.Table("parcels", key_type=str, value_type=Parcel, partitions=PARTITIONS)
greatest: dict[int, int] = defaultdict(int)


async def tell(tracking_no: str, status: str, time: int) -> None:
    await alerts.send(key=tracking_no, value=Alert(tracking_no, status, time))


@app.agent(scans)
async def watch(stream: faust.StreamT[Scan]) -> None:
    async for event in stream.events():
        scan = event.value
        key = scan.tracking_no
        time = int(scan.occurred_at.timestamp() * 1000)
        partition = event.message.partition
        greatest[partition] = max(greatest[partition], time)
        parcel = parcels.get(key)
        if parcel is not None and time > parcel.last:
            if parcel.stalled:
                await tell(key, "resolved", time)
            elif time - parcel.last > WEEK:
                await tell(key, "raised", parcel.last + WEEK)
                await tell(key, "resolved", time)
        if scan.status in TERMINAL:
            parcels.pop(key, None)
        elif parcel is None or time > parcel.last:
            parcels[key] = Parcel(last=time)


@app.agent(checks)
async def judge(stream: faust.StreamT[Check]) -> None:
    async for key, check in stream.items():
        parcel = parcels.get(key)
        if parcel is not None and not parcel.stalled and parcel.last + WEEK == check.deadline:
            await tell(key, "raised", check.deadline)
            parcels[key] = Parcel(last=parcel.last, stalled=True)


@app.timer(1.0)
async def look() -> None:
    if len(greatest) < PARTITIONS:
        return
    horizon = min(greatest.values()) - LATENESS
    due = [(key, parcel.last + WEEK) for key, parcel in parcels.items()
           if not parcel.stalled and parcel.last + WEEK < horizon]  # fmt: skip
    for key, deadline in due:
        await checks.send(key=key, value=Check(deadline))


if __name__ == "__main__":
    app.finalize()
    faust.Worker(app, loglevel="WARN").execute_from_commandline()
