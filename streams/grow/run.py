"""The steps of growing, on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import ALERTS, DEAD_LETTERS, INPUTS, OUTPUTS, TABLES, TopicNames
from streams.alerts.cloudevents import AlertWriter
from streams.engine.clock import system_now
from streams.engine.errors import DeniedError, FatalError, FencedError, LogError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_admin import connection
from streams.engine.log.kafka_clients import errors
from streams.engine.log.kafka_groups import look_at, nobody_in
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.processor import Record
from streams.grow import difference
from streams.grow.copying import Copier
from streams.grow.difference import Output, Told
from streams.grow.plan import HANDED_OVER, Growth
from streams.grow.progress import behind, passed

#: Seconds between polls, and between attempts.
_LOOK, _RETRY = 0.2, 2.0
#: Timeout of the hand-over transaction, in seconds.
_HAND_OVER = 55.0

#: Receives progress, line by line.
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Growing:
    """A connection to the brokers of an application that grows."""

    growth: Growth
    log: KafkaLog
    admin: AIOKafkaAdminClient
    settings: KafkaSettings
    say: Say

    async def copy(self, stop: asyncio.Event, *, once: bool) -> None:
        """Copies until `stop` is set, or with `once` to the end. Raises `FatalError` and `LogError`."""
        await self._make()
        told = False
        while not stop.is_set():
            copier = self._copier()
            try:
                await copier.open(incomplete=self.growth.incomplete)
                while not stop.is_set():
                    everything = await copier.step()
                    if copier.caught_up and not told:
                        told = True
                        self.say(f"copied: {copier.copied:,} records; what comes is copied as it comes")
                    if once and told:
                        return
                    if everything and await self._handed_over():
                        self.say("handed over: nothing more is copied")
                        return
                    if everything:
                        await _pause(stop, _LOOK)
            except FencedError:
                raise FatalError(f"another copying has taken over from this one ({self.growth.group})") from None
            except DeniedError:
                raise
            except LogError as error:
                if once:
                    raise
                self.say(f"copying again: {error}")
                await _pause(stop, _RETRY)
            finally:
                await copier.close()

    async def hand_over(self, patience: float) -> None:
        """The hand-over: see the package's docstring. Raises `FatalError` and `LogError`."""
        growth = self.growth
        counts = await self._counts(growth.new_topics)
        if await self._handed_over():
            self.say("the hand-over has been done before")
            await self._clean_up(growth.new_app_id)
            return
        with errors("asking for the groups"):
            await nobody_in(self.admin, growth.app_id)
        copier = self._copier()
        try:
            await copier.open(incomplete=growth.incomplete)
            while not await copier.step():
                pass
            self.say(f"all of the old inputs is copied: {copier.copied:,} records were left")
            await self._read_by_the_new(counts, patience)
            await self._as_far_as_the_old(counts, patience)
            self.say(f"stop the muted workers of {growth.new_app_id} now")
            await self._until(self._nobody, f"muted workers of {growth.new_app_id} still run", patience)
            if not await copier.step():
                raise FatalError("a record came into the old inputs meanwhile: are all producers switched?")
            await self._compare(counts)
            with errors("asking for the groups"):
                await nobody_in(self.admin, growth.app_id)
            outputs = [output async for output in self._outputs()]
            await self.log.create(growth.outputs(counts))
            await self._silent()
            await self._put_out(copier, outputs)
        finally:
            await copier.close()
        by_name = {name: sum(output.name == name for output in outputs) for name in OUTPUTS}
        for name, count in by_name.items():
            if count:
                self.say(f"put out: {growth.new_topics[name]}: {count:,} records")
        await self._clean_up(growth.new_app_id)
        self.say(f"handed over: start the workers of {growth.new_app_id} without --mute")

    # -- before

    def _copier(self) -> Copier:
        growth = self.growth
        renamed = dict(zip(growth.topics.all(INPUTS), growth.new_topics.all(INPUTS), strict=True))
        return Copier(self.log, self.settings, growth.group, renamed, growth.partitioner)

    async def _counts(self, topics: TopicNames) -> dict[str, int]:
        """Partition counts by kind of task, from the topics. Raises `FatalError` if there are none."""
        present = await self.log.partitions(topics.all(INPUTS))
        if missing := [topic for topic in topics.all(INPUTS) if topic not in present]:
            raise FatalError(f"topics do not exist: {', '.join(missing)}")
        flow = self.growth.new_flow if topics == self.growth.new_topics else self.growth.old_flow
        return {kind.name: present[kind.inputs[0].topic] for kind in flow.kinds}

    async def _make(self) -> None:
        growth = self.growth
        counts = {**await self._counts(growth.topics), **growth.partitions}
        wanted = [*growth.inputs(counts), *growth.muted_outputs()]
        present = await self.log.partitions([spec.topic for spec in wanted])
        for spec in growth.inputs(counts):
            if present.get(spec.topic, spec.partitions) != spec.partitions:
                raise FatalError(
                    f"{spec.topic} has {present[spec.topic]} partitions, wanted {spec.partitions}: it is there already"
                )
        if await self._handed_over():
            raise FatalError(f"{growth.group}: the hand-over is done, nothing more is copied")
        missing = [spec for spec in wanted if spec.topic not in present]
        await self.log.create(missing)
        for spec in missing:
            self.say(f"made {spec.topic}: {spec.partitions} partitions")

    async def _handed_over(self) -> bool:
        old = await self._counts(self.growth.topics)
        sources = [
            TopicPartition(item.topic, each)
            for kind in self.growth.old_flow.kinds
            for item in kind.inputs
            for each in range(old[kind.name])
        ]
        committed = await self.log.committed(self.growth.group, sources)
        return any(each.metadata == HANDED_OVER for each in committed.values())

    async def _read_by_the_new(self, counts: Mapping[str, int], patience: float) -> None:
        """Waits until the muted workers have read everything now in the new inputs."""
        sources = [
            TopicPartition(item.topic, each)
            for kind in self.growth.new_flow.kinds
            for item in kind.inputs
            for each in range(counts[kind.name])
        ]
        begins, ends = await self.log.begin_offsets(sources), await self.log.end_offsets(sources)

        async def read() -> bool:
            committed = await self.log.committed(self.growth.new_app_id, sources)
            return all(
                begins[source] >= end or (source in committed and committed[source].offset >= end)
                for source, end in ends.items()
            )

        what = f"the muted workers of {self.growth.new_app_id} have not read all that is in their inputs: do they run?"
        await self._until(read, what, patience)

    async def _as_far_as_the_old(self, counts: Mapping[str, int], patience: float) -> None:
        """Waits until the muted workers' output is complete up to where the old ones' is: they settle behind what they
        have read."""
        old = await passed(self.log, self.growth.app_id, self.growth.old_flow)

        async def reached() -> bool:
            return behind(old, await passed(self.log, self.growth.new_app_id, self.growth.new_flow), counts) is None

        what = (
            f"the muted workers of {self.growth.new_app_id} have not come as far as {self.growth.app_id}: do they run?"
        )
        await self._until(reached, what, patience)

    async def _compare(self, counts: Mapping[str, int]) -> None:
        old = await passed(self.log, self.growth.app_id, self.growth.old_flow)
        new = await passed(self.log, self.growth.new_app_id, self.growth.new_flow)
        if (why := behind(old, new, counts)) is not None:
            raise FatalError(
                f"{self.growth.new_app_id} has not come as far as {self.growth.app_id}: {why}; start its muted workers "
                "again, and the hand-over a while later"
            )

    async def _nobody(self) -> bool:
        with errors(f"asking for group {self.growth.new_app_id}"):
            return not (await look_at(self.admin, self.growth.new_app_id)).members

    async def _until(self, condition: Callable[[], Any], what: str, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                while not await condition():  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise FatalError(f"{what} ({patience:g} s)") from None

    # -- the hand-over itself

    async def _outputs(self) -> AsyncIterator[Output]:
        growth = self.growth
        writer = AlertWriter(growth.policy.label, growth.policy.platform)
        for audience, name in ALERTS.items():
            told = Told()
            async for record in self._all(growth.topics[name]):
                told.take(record.value or b"")
            muted = [record.value or b"" async for record in self._all(growth.muted[name])]
            for output in difference.alerts(audience, told, muted, incomplete=growth.incomplete):
                yield output
            for output in difference.resolutions(audience, told, writer, system_now()):
                yield output
        for name in TABLES:
            for output in difference.table(name, [record async for record in self._all(growth.muted[name])]):
                yield output
        for name in DEAD_LETTERS.values():
            old = [record async for record in self._all(growth.topics[name])]
            muted_letters = [record async for record in self._all(growth.muted[name])]
            for output in difference.letters(name, old, muted_letters):
                yield output

    async def _all(self, topic: str) -> AsyncIterator[Record]:
        """The committed records of a topic, each partition in order. Raises `FatalError` if it is missing."""
        counts = await self.log.partitions([topic])
        if topic not in counts:
            raise FatalError(f"topic {topic} does not exist")
        sources = [TopicPartition(topic, each) for each in range(counts[topic])]
        begins, ends = await self.log.begin_offsets(sources), await self.log.end_offsets(sources)
        spans = {source: (begins[source], ends[source]) for source in sources}
        reader = KafkaSpans(self.settings, spans)
        try:
            await reader.open()
            while batches := await reader.read(spans.keys()):
                for fetched in batches:
                    for record in fetched.records:
                        yield record
        finally:
            await reader.close()

    async def _silent(self) -> None:
        """Raises `FatalError` if the new application has already emitted: its output would be duplicated."""
        for topic in self.growth.new_topics.all(ALERTS.values()):
            async for _ in self._all(topic):
                raise FatalError(
                    f"{topic} holds alerts already: workers of {self.growth.new_app_id} have run without --mute; begin "
                    "again with other names"
                )

    async def _put_out(self, copier: Copier, outputs: list[Output]) -> None:
        producer = copier.producer
        with errors("the hand-over", "Write"):
            async with asyncio.timeout(_HAND_OVER):
                await producer.begin_transaction()
                sent = []
                for name, key, value, headers in outputs:
                    # Partitioned by key, like all outputs.
                    topic = self.growth.new_topics[name]
                    sent.append(await producer.send(topic, value, key, headers=list(headers)))
                await asyncio.gather(*sent)
                await copier.hand_over()
                await producer.commit_transaction()

    async def _clean_up(self, app_id: str) -> None:
        """Deletes the output of the muted workers; idempotent."""
        with errors("deleting what was muted", "Delete"):
            there = set(self.growth.muted.all(OUTPUTS)) & set(await self.admin.list_topics())
            if there and not (await look_at(self.admin, app_id)).members:
                await self.admin.delete_topics(sorted(there))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


@asynccontextmanager
async def connected(bootstrap: str, growth: Growth, say: Say, client: Mapping[str, Any]) -> AsyncIterator[Growing]:
    """Connects for as long as the block lasts. Raises `FatalError` and `LogError`."""
    async with connection(bootstrap, client) as (log, admin, settings):
        yield Growing(growth, log, admin, settings, say)
