"""What would be said of given alerts: a function of them and the settings, by the alerts' own time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from streams.notify.alert import Alert
from streams.notify.book import Book
from streams.notify.episode import Message
from streams.notify.settings import Settings
from streams.notify.state import State


class Said(NamedTuple):
    """A message, and when it would be sent (microseconds)."""

    time: int
    message: Message


class Rehearsal:
    """Every channel takes every message at once. `counts`: what is not said, as `Book.counts`."""

    def __init__(self, settings: Settings) -> None:
        self._channels = tuple(settings.channels)
        self._book = Book(settings, State())

    @property
    def counts(self) -> Counter[str]:
        return self._book.counts

    def said(self, alerts: Iterable[Alert]) -> Iterator[Said]:
        """The messages in their order; `alerts` in the order of their time. In the end nothing waits any more."""
        for alert in alerts:
            yield from self._until(alert.time)
            self._book.take(alert, alert.time)
        yield from self._until(None)

    def _until(self, end: int | None) -> Iterator[Said]:
        now = 0
        while (due := self._book.due(now, self._channels)) is not None and (end is None or due < end):
            now = max(now, due)
            for message in self._book.begin(now, self._channels):
                self._book.accepted(message.channel, now)
                yield Said(now, message)
