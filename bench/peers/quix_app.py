"""The stall watch as a Quix Streams application, exactly once.

    python quix_app.py BOOTSTRAP GROUP SCANS ALERTS FOLDER

Its state is by key, and nothing but a record of the same key reaches it: there are no timers. (A session window that
closes by partition closes two gaps late, and each time looks at every key.) Deadlines are therefore kept in the
process as well, and a restart would lose those of parcels that are not scanned again. That is less than the others do.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from quixstreams import Application, State, message_context

BOOTSTRAP, GROUP, SCANS, ALERTS, FOLDER = sys.argv[1:6]
#: In milliseconds.
WEEK, LATENESS, HOUR = 168 * 3_600_000, 3_600_000, 3_600_000
TERMINAL = {"delivered", "returned", "destroyed"}


def occurred(value: Any, _headers: Any, _timestamp: float, _timestamp_type: Any) -> int:
    """Event time is the scan's own."""
    return int(datetime.fromisoformat(value["occurred_at"]).timestamp() * 1000)


class Deadlines:
    """When parcels of one partition fall due. A parcel has one entry, which is put back if it was scanned since."""

    def __init__(self) -> None:
        self.stalled: set[str] = set()
        self._last: dict[str, int] = {}
        self._hours: dict[int, list[str]] = {}
        self._order: list[int] = []
        self._greatest = 0

    def scanned(self, key: str, time: int) -> None:
        if key not in self._last:
            self._put(key, time)
        self._last[key] = time

    def over(self, key: str) -> None:
        self._last.pop(key, None)

    def passed(self, time: int) -> list[dict[str, Any]]:
        """The alerts that fall due when event time moves on."""
        self._greatest = max(self._greatest, time)
        horizon = self._greatest - LATENESS
        raised = []
        while self._order and (self._order[0] + 1) * HOUR <= horizon:
            for key in self._hours.pop(heappop(self._order)):
                last = self._last.get(key)
                if last is None:
                    continue
                if last + WEEK < horizon:
                    del self._last[key]
                    self.stalled.add(key)
                    raised.append(alert(key, "raised", last + WEEK))
                else:
                    self._put(key, last)
        return raised

    def _put(self, key: str, last: int) -> None:
        hour = (last + WEEK) // HOUR
        if hour not in self._hours:
            self._hours[hour] = []
            heappush(self._order, hour)
        self._hours[hour].append(key)


def alert(key: str, status: str, time: int) -> dict[str, Any]:
    return {"tracking_no": key, "status": status, "time": time}


class Watch:
    """What is done with each scan."""

    def __init__(self) -> None:
        self._partitions: dict[int, Deadlines] = defaultdict(Deadlines)

    def __call__(self, scan: dict[str, Any], key: str, time: int, _headers: Any, state: State) -> list[dict[str, Any]]:
        deadlines = self._partitions[message_context().partition]
        said = deadlines.passed(time)
        last = state.get("last")
        if last is not None and time > last:
            if key in deadlines.stalled:
                deadlines.stalled.remove(key)
                said.append(alert(key, "resolved", time))
            elif time - last > WEEK:
                said += [alert(key, "raised", last + WEEK), alert(key, "resolved", time)]
        if scan["status"] in TERMINAL:
            state.delete("last")
            deadlines.over(key)
        elif last is None or time > last:
            state.set("last", time)
            deadlines.scanned(key, time)
        return said


app = Application(
    broker_address=BOOTSTRAP, consumer_group=GROUP, auto_offset_reset="earliest", processing_guarantee="exactly-once",
    commit_interval=0.5, state_dir=FOLDER, loglevel="WARNING",
)  # fmt: skip
scans = app.topic(SCANS, key_deserializer="str", value_deserializer="json", timestamp_extractor=occurred)
alerts = app.topic(ALERTS, key_serializer="str", value_serializer="json")
frame = app.dataframe(scans)
frame = frame.apply(Watch(), stateful=True, expand=True, metadata=True)
frame.to_topic(alerts, key=lambda value: value["tracking_no"])

if __name__ == "__main__":
    app.run()
