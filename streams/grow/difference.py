"""The output of the hand-over: alerts only the new application has emitted, resolutions for those only the old one has.

Pure functions. An alert has the same id in both applications.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from schemas.times import parse, render
from schemas.topics import ALERTS
from streams.alerts.cloudevents import HEADERS, AlertRecord, AlertWriter
from streams.engine.processor import Record
from streams.grow.plan import COPIED_FROM
from streams.rules.alert import RAISED, RESOLVED, Alert
from streams.rules.reconcile import LATE_EVENT


class Output(NamedTuple):
    """A record of the output that the program knows as `name`."""

    name: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Told:
    """The old application's alerts to one audience: all ids, and the open ones."""

    def __init__(self) -> None:
        self.ids: set[bytes] = set()
        #: Open raises, by the key they share with their resolution.
        self.open: dict[tuple[str, str, str], bytes] = {}
        self._oldest: int | None = None

    def take(self, value: bytes) -> None:
        """Takes the next record, in the order of its partition."""
        alert = orjson.loads(value)
        self.ids.add(_packed(alert["id"]))
        at = parse(alert["time"])
        self._oldest = at if self._oldest is None else min(self._oldest, at)
        key = _episode(alert)
        if alert["data"]["status"] == RAISED:
            self.open[key] = value
        else:
            self.open.pop(key, None)

    def knows(self, alert: Any, *, incomplete: bool) -> bool:
        """True if it was emitted. `incomplete`: anything older than all kept records counts as emitted."""
        if _packed(alert["id"]) in self.ids:
            return True
        return incomplete and self._oldest is not None and parse(alert["time"]) < self._oldest


def alerts(audience: str, told: Told, muted: Iterable[bytes], *, incomplete: bool) -> Iterator[Output]:
    """The alerts that only the new application has emitted, in order. Closes in `told` what both know.

    What then remains open in `told` is unknown to the new application.
    """
    for value in muted:
        alert = orjson.loads(value)
        told.open.pop(_episode(alert), None)
        if not told.knows(alert, incomplete=incomplete):
            key = alert["data"]["shop_id"] if audience == "merchant" else alert["subject"]
            yield Output(ALERTS[audience], key.encode(), value, HEADERS)


def resolutions(audience: str, told: Told, writer: AlertWriter, now: int) -> Iterator[Output]:
    """Resolves what the old application left open and the new one does not know. `now`: microseconds."""
    for value in told.open.values():
        record = _resolved(audience, orjson.loads(value), writer, now)
        if _packed(record.id) not in told.ids:
            yield Output(ALERTS[audience], record.key, record.value, HEADERS)


def _resolved(audience: str, alert: Any, writer: AlertWriter, now: int) -> AlertRecord:
    data = alert["data"]
    type_ = alert["type"].removeprefix("parcelwatch.").rpartition(".")[0]
    (record,) = writer.records(
        Alert(
            type_, alert["subject"], RESOLVED, now, (audience,), data["shop_id"], data["order_id"], data["carrier"],
            data["episode"], LATE_EVENT, {"raised_at": render(parse(alert["time"]))},
        )
    )  # fmt: skip
    return record


def table(name: str, records: Iterable[Record]) -> Iterator[Output]:
    """The last record of each key."""
    rows = {record.key: record.value for record in records}
    for key, value in rows.items():
        if value is not None:
            yield Output(name, key, value)


def origin(record: Record) -> str | None:
    """The topic/partition/offset of a dead letter's record; for a copy, those of the original."""
    headers = dict(record.headers)
    if (copied := headers.get(COPIED_FROM)) is not None:
        return copied.decode(errors="replace")
    try:
        return "/".join(headers[name].decode() for name in ("source-topic", "source-partition", "source-offset"))
    except (KeyError, UnicodeDecodeError):
        return None


def letters(name: str, old: Iterable[Record], muted: Iterable[Record]) -> Iterator[Output]:
    """Dead letters of records for which the old application wrote none. `name`: of the dead letter output."""
    buried = {origin(record) for record in old}
    for record in muted:
        if origin(record) not in buried:
            yield Output(name, record.key, record.value, record.headers)


def _episode(alert: Any) -> tuple[str, str, str]:
    return alert["type"], alert["subject"], alert["data"]["episode"]


def _packed(id_: str) -> bytes:
    return bytes.fromhex(id_)
