"""What was forgotten and what was not, for the operator and for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import orjson

from streams.engine.log.interface import TopicPartition
from streams.engine.topology import TaskId
from streams.forget import remains
from streams.forget.parcels import OpenAlert
from streams.forget.remains import Remaining
from streams.forget.state import Held

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome. `unread`: records that name them and that no task has read yet, by partition.

    `whom`: what was asked for, as a phrase. `workers`: members of the group.
    """

    whom: str
    app_id: str
    dry_run: bool
    held: Held
    remaining: list[Remaining]
    unread: dict[TopicPartition, int]
    workers: int

    @property
    def status(self) -> int:
        """Exit status: 0, or 1 if unread records will still enter the state."""
        return 1 if self.unread and not self.dry_run else 0

    @property
    def open_alerts(self) -> list[OpenAlert]:
        """Alerts raised and not resolved."""
        orders = [one for found in self.held.orders.values() for one in found]
        parcels = [one for found in self.held.parcels.values() for one in found]
        return [alert for one in orders for alert in one.open_alerts] + [
            alert for one in parcels for alert in one.open_alerts
        ]

    def document(self) -> bytes:
        """As one JSON object."""
        whole = {
            "application": self.app_id,
            "dry_run": self.dry_run,
            "orders": [{"task": str(task), **_plain(one)} for task, one in _each(self.held.orders)],
            "parcels": [{"task": str(task), **_plain(one)} for task, one in _each(self.held.parcels)],
            "facilities": {str(task): count for task, count in self.held.facilities.items()},
            "open_alerts": [msgspec.to_builtins(alert) for alert in self.open_alerts],
            "kafka": [msgspec.to_builtins(one) for one in self.remaining],
            "unread": [{"topic": at.topic, "partition": at.partition, "records": n} for at, n in self.unread.items()],
            "workers": self.workers,
        }
        return orjson.dumps(whole, option=orjson.OPT_INDENT_2)

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"{self.whom}, application {self.app_id}"
        yield from self._of_state()
        if alerts := self.open_alerts:
            yield "Alerts that are open, and of which nothing more will be said:"
            for alert in alerts:
                yield f"  {alert.type} of {alert.subject} since {alert.since}, to {' and '.join(alert.audiences)}"
        if self.unread:
            yield "Records that no task has taken in yet, which will be known again: once they are read, run it again:"
            yield from (f"  {at.topic}-{at.partition}: {count}" for at, count in self.unread.items())
        yield "What cannot be taken out of Kafka:"
        yield from remains.lines(self.remaining)
        yield "Counts of shops and facilities stay: they name no order and no buyer."
        yield "Copies on disk (--store) follow when their workers take the tasks again; files keep traces until they"
        yield "are compacted: a state directory may be deleted while its worker is stopped."

    def _of_state(self) -> Iterator[str]:
        if self.held.is_empty:
            yield "The state holds nothing of it."
            return
        yield "The state holds:" if self.dry_run else "Taken out of the state:"
        for task, order in _each(self.held.orders):
            yield f"  {task}: order {order.order_id}{_counts(order.holds)}"
        for task, parcel in _each(self.held.parcels):
            shared = "; what other orders share with it stays" if parcel.shared else ""
            yield f"  {task}: parcel {parcel.carrier} {parcel.tracking_no}{_counts(parcel.holds)}{shared}"
        for task, count in self.held.facilities.items():
            yield f"  {task}: names of stalled parcels at facilities: {count}"
        if not self.dry_run and self.workers:
            yield f"Workers in the group: {self.workers}. They take their tasks again within seconds."


def _each(found: dict[TaskId, list[One]]) -> Iterator[tuple[TaskId, One]]:
    return ((task, one) for task, listed in found.items() for one in listed)


def _counts(holds: dict[str, int]) -> str:
    return f" ({', '.join(f'{kind} {count}' for kind, count in holds.items())})" if holds else ""


def _plain(one: msgspec.Struct) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(one)
    return plain
