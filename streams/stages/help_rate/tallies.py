"""The tables of tallies: how often each thing was counted in a shop's windows.

A part of stage 5. Each shop and table stands for itself: it has a record while anything is in the longest window,
whatever other tables hold of the shop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import nsmallest
from typing import Any

from schemas.times import render
from streams.rules.help_rate.tally_names import CONVERSATION_TOPICS, REFUND_REASONS, table_of
from streams.stages.tables import TableRecord

#: The windows as the tables name them, the longest last.
WINDOW_NAMES = ("7d", "30d")
#: Rows of a window of the refund reasons.
MOST_REASONS = 20


class TallyBook:
    """Keeps the windows of all shops and publishes what a boundary changed."""

    def __init__(self) -> None:
        self.records: list[TableRecord] = []
        #: By shop and letter of the table.
        self._tables: dict[tuple[str, str], tuple[dict[str, int], ...]] = {}
        #: What was published, and which of it may have changed since the last boundary, in the order of the changes.
        self._published: dict[tuple[str, str], dict[str, Any]] = {}
        self._changed: dict[tuple[str, str], None] = {}

    def add(self, shop_id: str, tallies: Mapping[str, int], window: int, sign: int) -> None:
        """Adds an hour's tallies to a window, or takes them out."""
        for name, count in tallies.items():
            letter, thing = table_of(name)
            key = (shop_id, letter)
            self._changed[key] = None
            windows = self._tables.get(key)
            if windows is None:
                windows = self._tables[key] = tuple({} for _ in WINDOW_NAMES)
            counts = windows[window]
            left = counts.get(thing, 0) + sign * count
            if left:
                counts[thing] = left
            else:
                counts.pop(thing, None)

    def restored(self) -> None:
        """What has been added up to now was published before."""
        for key in self._changed:
            content = self._content(key)
            if content is not None:
                self._published[key] = content
        self._changed.clear()

    def publish(self, boundary: int) -> None:
        """Puts out the records of what changed, as of the boundary (microseconds)."""
        if not self._changed:
            return
        as_of = render(boundary)
        for key in self._changed:
            content = self._content(key)
            if content is None:
                del self._tables[key]
            if content == self._published.get(key):
                continue
            shop_id, letter = key
            value = None
            if content is None:
                del self._published[key]
            else:
                self._published[key] = content
                value = {"shop_id": shop_id, "as_of": as_of, **content}
            self.records.append(TableRecord(_FORMS[letter][0], shop_id, value))
        self._changed.clear()

    def _content(self, key: tuple[str, str]) -> dict[str, Any] | None:
        """The windows as they are published; None with nothing in the longest."""
        windows = self._tables.get(key)
        if windows is None or not windows[-1]:
            return None
        form = _FORMS[key[1]][1]
        return {name: form(counts) for name, counts in zip(WINDOW_NAMES, windows, strict=True)}


def _reasons(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The most frequent first, then by kind, then by reason."""
    first = nsmallest(MOST_REASONS, ((-count, thing.split("/", 1)) for thing, count in counts.items()))
    return [{"kind": kind, "reason": reason, "count": -less} for less, (kind, reason) in first]


def _topics(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


#: By letter: the table's name, and how a window of it is published.
_FORMS: dict[str, tuple[str, Callable[[Mapping[str, int]], Any]]] = {
    REFUND_REASONS: ("refund-reasons", _reasons),
    CONVERSATION_TOPICS: ("conversation-topics", _topics),
}
