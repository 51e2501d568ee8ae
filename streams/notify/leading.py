"""The notifier that leads: reads alerts, decides, writes down, sends, and writes down what became of it.

A message is sent only once the transaction has committed that says so. After a crash what was under way is known, and
is sent again with the same id, marked as a possible repeat: at most one message a channel.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import orjson
import structlog

from schemas.times import MINUTE, SECOND
from streams.engine.errors import OutOfRangeError
from streams.engine.log.interface import Committed, Fetched, Log, Member, TopicPartition, Transaction, Writer
from streams.engine.processor import Output
from streams.engine.seldom import Seldom
from streams.notify.alert import NoAlertError, read_alert
from streams.notify.book import Book, Given
from streams.notify.episode import Message
from streams.notify.metrics import NotifyMetrics
from streams.notify.outcome import Outcome
from streams.notify.settings import Settings
from streams.notify.state import State

log = structlog.get_logger(__name__)

Send = Callable[[Message], Awaitable[Outcome]]

#: Records that are read at once, and seconds to wait for any.
_RECORDS, _WAIT = 500, 0.5
#: Spans between two commits of positions alone, and between two looks for what can be forgotten.
_POSITIONS, _FORGET = 5 * SECOND, 10 * MINUTE
#: Seconds that messages under way have left when the notifier has to end.
_GRACE = 5.0
#: Spans between two tries: the first, and the longest.
_SHORTEST, _LONGEST = SECOND, 5 * MINUTE


class Names(NamedTuple):
    """The consumer group and the topics of a notifier. The state has one partition."""

    group: str
    state: str
    dead_letters: str

    @classmethod
    def of(cls, app_id: str) -> Names:
        return cls(f"{app_id}-notify", f"{app_id}-notify-state", f"{app_id}-notify-dlq")

    @property
    def changelog(self) -> TopicPartition:
        return TopicPartition(self.state, 0)


def backoff(failures: int, spread: float) -> int:
    """The span before the next try (microseconds), after so many failures. `spread`: from 0 to 1, at random."""
    whole = min(_LONGEST, _SHORTEST << min(failures, 20))
    return int(whole * (0.5 + spread / 2))


class Leading:
    """One term of office, over the partitions with these positions. `run` ends it."""

    def __init__(
        self,
        log_: Log,
        member: Member,
        writer: Writer,
        names: Names,
        settings: Settings,
        state: State,
        send: Send,
        metrics: NotifyMetrics,
        now: Callable[[], int],
    ) -> None:
        self._log = log_
        self._member = member
        self._writer = writer
        self._names = names
        self._settings = settings
        self._state = state
        self._book = Book(settings, state)
        self._send = send
        self._metrics = metrics
        self._now = now
        self._moved: dict[TopicPartition, int] = {}
        self._ends: Mapping[TopicPartition, int] = {}
        self._sends: dict[asyncio.Task[Outcome], str] = {}
        self._committed = 0
        self._forgotten = 0
        self._epoch = 0
        self._seldom = Seldom[tuple[object, ...]](time.monotonic)

    async def run(self, positions: Mapping[TopicPartition, int], epoch: int, ended: Callable[[], bool]) -> None:
        """Works until `ended`, and then until what is under way has arrived. Raises `LogError` and `FatalError`.

        `epoch`: another one for each term.
        """
        self._moved = dict(positions)
        self._epoch = epoch
        self._ends = await self._log.stable_offsets(positions.keys())
        for source, position in positions.items():
            self._member.seek(source, position, epoch)
        self._book.drop_unknown_channels(self._now())
        fetching: asyncio.Task[Sequence[Fetched]] | None = None
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        try:
            while True:
                if ended() and deadline is None:
                    deadline = loop.time() + _GRACE
                if deadline is not None and (not self._sends or loop.time() > deadline):
                    break
                await self._turn(sending=deadline is None)
                if fetching is None:
                    fetching = asyncio.create_task(self._member.fetch(list(self._moved), _RECORDS, _WAIT))
                await asyncio.wait({fetching, *self._sends}, timeout=self._pause(), return_when=asyncio.FIRST_COMPLETED)
                if fetching.done():
                    await self._take(fetching)
                    fetching = None
                self._hear()
            await self._commit(final=True)
        finally:
            left = [*self._sends, *([fetching] if fetching is not None else [])]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _turn(self, *, sending: bool) -> None:
        """Begins what can be sent, writes down everything, and only then sends."""
        now = self._now()
        begun = self._book.begin(now, self._free()) if sending and self._caught_up else []
        if now - self._forgotten >= _FORGET:
            self._forgotten = now
            self._state.forget(now, max(route.cooldown for route in self._settings.routes))
        await self._commit()
        for message in begun:
            # As it is now: it may be marked while it is under way.
            task = asyncio.ensure_future(self._send(msgspec.structs.replace(message)))
            self._sends[task] = message.channel
        self._metrics.show(self._book)

    def _free(self) -> list[str]:
        busy = set(self._sends.values())
        return [channel for channel in self._settings.channels if channel not in busy]

    @property
    def _caught_up(self) -> bool:
        """What is over already must not be told: all that was there at the beginning has to be read first."""
        return all(self._moved[source] >= end for source, end in self._ends.items())

    def _pause(self) -> float:
        due = self._book.due(self._now(), self._free()) if self._caught_up else None
        return _WAIT if due is None else min(_WAIT, max(0.0, (due - self._now()) / SECOND))

    async def _take(self, fetching: asyncio.Task[Sequence[Fetched]]) -> None:
        try:
            batches = await fetching
        except OutOfRangeError as error:
            await self._skip([TopicPartition(*source) for source in error.sources])
            return
        now = self._now()
        for batch in batches:
            if batch.epoch != self._epoch:
                continue
            for record in batch.records:
                try:
                    self._book.take(read_alert(record.value), now)
                    self._metrics.read()
                except NoAlertError:
                    self._metrics.unreadable()
                    topic, partition = batch.source
                    self._say(log.warning, "not an alert", {"topic": topic, "partition": partition},
                              offset=record.offset)  # fmt: skip
            self._moved[batch.source] = batch.next

    async def _skip(self, sources: Sequence[TopicPartition]) -> None:
        """Goes on where there is something: records were deleted before they were read."""
        begins = await self._log.begin_offsets(sources)
        for source, begin in begins.items():
            log.error("alerts were deleted before they were read", topic=source.topic, partition=source.partition,
                      offsets=begin - self._moved[source])  # fmt: skip
            self._metrics.lost(begin - self._moved[source])
            self._moved[source] = begin
            self._member.seek(source, begin, self._epoch)

    def _hear(self) -> None:
        """Takes the outcomes of what was sent."""
        now = self._now()
        for task in [one for one in self._sends if one.done()]:
            channel, outcome = self._sends.pop(task), task.result()
            self._metrics.outcome(channel, outcome.verdict)
            if outcome.verdict == "accepted":
                self._book.accepted(channel, now)
                continue
            self._say(log.warning, "not accepted", {"channel": channel, "outcome": outcome.verdict}, why=outcome.why)
            if outcome.verdict == "rejected":
                self._book.rejected(channel, now)
                continue
            after = int(outcome.after * SECOND) if outcome.after is not None else None
            self._book.refused(
                channel,
                now,
                backoff(self._book.failures(channel), random.random()) if after is None else after,  # noqa: S311
                limited=outcome.verdict == "limited",
                uncertain=outcome.verdict == "uncertain",
            )
            if channel in self._book.dead:
                log.error("a channel is dead", channel=channel)

    async def _commit(self, *, final: bool = False) -> None:
        """Writes what has changed, in one transaction with the offsets; positions alone only now and then."""
        now, given_up = self._now(), self._book.given_up
        if not (self._state.changed or given_up or final or now - self._committed >= _POSITIONS):
            return
        moved = {
            source: at
            for source, at in self._moved.items()
            if self._state.positions.get((source.topic, source.partition)) != at
        }
        for source, position in moved.items():
            self._state.move(*source, position)
        if not self._state.changed and not given_up:
            return
        self._book.given_up = []
        await self._writer.commit(
            Transaction(
                changelog=self._names.changelog,
                outputs=[self._dead_letter(one) for one in given_up],
                rows=self._state.changes(),
                offsets={source: Committed(position, "") for source, position in moved.items()},
                wall=now,
            )
        )
        self._committed = now

    def _dead_letter(self, given: Given) -> Output:
        self._metrics.given_up(given.channel, given.reason)
        about = {"channel": given.channel, "reason": given.reason}
        self._say(log.error, "an alert could not be told", about, alert=given.alert.id)
        value = orjson.dumps(
            {
                "channel": given.channel,
                "reason": given.reason,
                "may_have_arrived": given.uncertain,
                "alert": {**given.alert.document(), "message": given.alert.message},
            }
        )
        return Output(self._names.dead_letters, given.alert.key.subject.encode(), value)

    def _say(self, write: Callable[..., None], what: str, about: Mapping[str, object], **example: object) -> None:
        """Logs it, unless the same about the same has just been. `example`: of all those the one that is logged."""
        others = self._seldom.due((what, *about.values()))
        if others is not None:
            write(what, **about, **example, others_since=others)
