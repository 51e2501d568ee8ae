"""A notifier on a log: joins its group, leads when it is its turn, and begins anew after every error of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

import structlog

from schemas.topics import ALERTS, TopicNames
from streams.engine.errors import FatalError, LogError, RefusedError
from streams.engine.log.interface import Log, Member, TopicPartition, TopicSpec
from streams.engine.topology import CHANGELOG
from streams.notify.lead import Assignments, OneLeads
from streams.notify.leading import Leading, Names, Send
from streams.notify.metrics import NotifyMetrics
from streams.notify.settings import Settings
from streams.notify.state import State
from streams.worker.health import Health

log = structlog.get_logger(__name__)

#: Where a notifier begins that has never run: with what comes from now on, or with all that is there.
Start = Literal["latest", "earliest"]
#: Seconds before the group is joined again after an error.
_AGAIN = 2.0
#: Seconds to wait for partitions before the group is asked whether all is well.
_TURN = 0.5
_DAYS_OF_DEAD_LETTERS = 30


class Service:
    """`now`: the clock, in microseconds. `revoke_seconds`: how long the group waits for what is under way."""

    def __init__(
        self,
        log_: Log,
        names: Names,
        topics: TopicNames,
        settings: Settings,
        send: Send,
        *,
        start: Start,
        metrics: NotifyMetrics,
        health: Health,
        now: Callable[[], int],
        revoke_seconds: float = 4.0,
    ) -> None:
        self._log = log_
        self._names = names
        self._inputs = topics.all(ALERTS.values())
        self._settings = settings
        self._send = send
        self._start = start
        self._metrics = metrics
        self._health = health
        self._now = now
        self._revoke_seconds = revoke_seconds
        self._epoch = 0
        self._accepted = False

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`. Raises `FatalError`; a refusal is one at the first start alone."""
        while not stop.is_set():
            self._health.beat()
            try:
                await self._log.start()
                self._accepted = True
                await self._prepare()
                self._health.well("brokers")
                self._health.well("credentials")
                await self._be_member(stop)
            except (LogError, RefusedError) as error:
                if isinstance(error, RefusedError) and not self._accepted:
                    raise
                if self._log.refused() is not None or isinstance(error, RefusedError):
                    self._health.wrong("credentials", str(error))
                else:
                    self._health.wrong("brokers", str(error))
                try:
                    async with asyncio.timeout(_AGAIN):
                        await stop.wait()
                except TimeoutError:
                    pass
            finally:
                self._metrics.leads(False)
                await self._log.stop()

    async def _prepare(self) -> None:
        """Makes the notifier's own topics. Raises `FatalError` where there are no alerts to read."""
        there = await self._log.partitions([*self._inputs, self._names.state, self._names.dead_letters])
        missing = [topic for topic in self._inputs if topic not in there]
        if missing:
            raise FatalError(f"there is no topic {' and '.join(missing)}: `parcelwatch topics` creates them")
        if there.get(self._names.state, 1) != 1:
            raise FatalError(f"topic {self._names.state} must have one partition")
        kept = {"cleanup.policy": "delete", "retention.ms": str(_DAYS_OF_DEAD_LETTERS * 86_400_000)}
        specs = [TopicSpec(self._names.state, 1, CHANGELOG),
                 TopicSpec(self._names.dead_letters, 1, kept)]  # fmt: skip
        await self._log.create([spec for spec in specs if spec.topic not in there])

    async def _be_member(self, stop: asyncio.Event) -> None:
        assignments = Assignments(self._revoke_seconds)
        member = await self._log.join(self._names.group, self._inputs, assignments, OneLeads())
        try:
            while not stop.is_set():
                self._health.beat()
                member.check()
                partitions = await assignments.taken(_TURN)
                # Whoever leads stays in this turn.
                if member.name or partitions:
                    self._health.well("starting")
                if partitions:
                    try:
                        await self._lead(member, partitions, lambda: stop.is_set() or assignments.revoked.is_set())
                    finally:
                        self._metrics.leads(False)
                        assignments.give_back()
        finally:
            await member.close()

    async def _lead(self, member: Member, partitions: frozenset[TopicPartition], ended: Callable[[], bool]) -> None:
        writer = await self._log.writer(self._names.group, self._names.group)
        try:
            rows = await self._rows()
            await writer.resume(self._names.changelog, rows)
            state = _read(rows)
            positions = await self._positions(partitions, state)
            log.info("leading", alerts=len(state.episodes), under_way=len(state.messages))
            self._metrics.leads(True)
            self._epoch += 1

            def over() -> bool:
                self._health.beat()
                member.check()
                return ended()

            leading = Leading(self._log, member, writer, self._names, self._settings, state, self._send,
                              self._metrics, self._now)  # fmt: skip
            await leading.run(positions, self._epoch, over)
        finally:
            await writer.close()

    async def _rows(self) -> dict[bytes, bytes]:
        changelog = self._names.changelog
        begin = (await self._log.begin_offsets([changelog]))[changelog]
        end = (await self._log.end_offsets([changelog]))[changelog]
        rows: dict[bytes, bytes] = {}
        async for batch in self._log.rows(changelog, begin, end):
            for key, row in batch.rows:
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = row
        return rows

    async def _positions(self, partitions: frozenset[TopicPartition], state: State) -> Mapping[TopicPartition, int]:
        """Where to go on. Partitions that came later are read from their beginning."""
        begins = await self._log.begin_offsets(partitions)
        ends = await self._log.stable_offsets(partitions)
        anew = ends if not state.positions and self._start == "latest" else begins
        positions = {}
        for source in partitions:
            at = state.positions.get((source.topic, source.partition), anew[source])
            if not begins[source] <= at <= ends[source]:
                log.error("a position does not hold", topic=source.topic, partition=source.partition, position=at)
                self._metrics.lost(max(0, begins[source] - at))
                at = begins[source]
            positions[source] = at
        return positions


def _read(rows: Mapping[bytes, bytes]) -> State:
    try:
        return State(rows)
    except ValueError as error:
        raise FatalError(f"the notifier's state: {error}") from None
