"""One task: its processor, the watermarks of its inputs and edges, and what has to be committed next.

Nothing here awaits: a task is a state machine that a runner (or a simulator) drives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from streams.engine.announcements import Announcement
from streams.engine.clock import Clock, Mode, Now
from streams.engine.envelopes import pack, unpack
from streams.engine.errors import UNDECODABLE, FatalError
from streams.engine.formats import FORMAT, check_format
from streams.engine.log.interface import Committed, Fetched, TopicPartition, Transaction
from streams.engine.offset_texts import catching_up_text, final_text
from streams.engine.portions import Portions
from streams.engine.processor import PREFIX, Bounded, Effects, Horizon, Laden, Processor, Prompt, Record
from streams.engine.topology import TaskId, Topology
from streams.engine.watermarks import (
    IDLE,
    START,
    EdgeState,
    External,
    ExternalState,
    Incoming,
    Outgoing,
    least,
)

#: First byte of a changelog key of a row of the engine.
_ENGINE = b"e"
_PROGRESS = _ENGINE + b"progress"
_INPUT = _ENGINE + b"input:"
_EDGE = _ENGINE + b"edge:"


def prefix_of(letter: bytes) -> bytes:
    """The changelog key prefix of a processor's rows of that letter."""
    return PREFIX + letter


#: The last second that has a date.
_LATEST = 253_402_300_799


def passed_of(rows: Mapping[bytes, bytes]) -> Mapping[str, Horizon]:
    """The horizons of a task, from the live rows of its changelog. Raises `FatalError`."""
    progress = progress_of(rows)
    return {name: Horizon(*passed) for name, passed in progress.passed.items()} if progress else {}


_T = TypeVar("_T")

_pack = msgspec.msgpack.Encoder().encode


class Progress(msgspec.Struct, array_like=True):
    """Progress of the task: horizons given to the processor; per edge, the watermark reached and the one sent.

    `format`: that of whoever wrote last. It comes first, where versions before format 2 expect `passed`: they cannot
    read the row, and end instead of going on from a state that they would misread. `sent`: the number of the last
    envelope.
    """

    format: int
    passed: Mapping[str, tuple[int, bool]]
    held: Mapping[str, tuple[int, bool]]
    told: Mapping[str, tuple[int, bool]]
    final: bool
    sent: int


class _FormerProgress(msgspec.Struct, array_like=True):
    """The progress in format 1."""

    passed: Mapping[str, tuple[int, bool]]
    held: Mapping[str, tuple[int, bool]]
    told: Mapping[str, tuple[int, bool]]
    final: bool
    sent: int


class _First(msgspec.Struct, array_like=True):
    """The first field of the progress in any format."""

    format: int | dict[str, Any]


def progress_of(rows: Mapping[bytes, bytes], changelog: str = "of an application") -> Progress | None:
    """The progress in live rows of a changelog, if there is any. Raises `FatalError` for a newer format."""
    first = _load(rows, _PROGRESS, _First)
    if first is None:
        return None
    if isinstance(first.format, int):
        check_format(f"changelog {changelog}", first.format)
        return _load(rows, _PROGRESS, Progress)
    former = _load(rows, _PROGRESS, _FormerProgress)
    return Progress(1, former.passed, former.held, former.told, former.final, former.sent) if former else None


def _told(time: int) -> str:
    return datetime.fromtimestamp(min(time // 1_000_000, _LATEST), UTC).isoformat()


class Task:
    """One task: the state restored from the changelog, and what has arrived since.

    `saved`: the live rows of the changelog partition, each key once. `direct`: a watermark for more tasks than that is
    not sent by a task itself; see `announced`. Raises `FatalError`: (1) if they are not the
    engine's, (2) if more has been read than up to the end of the clock.
    """

    def __init__(
        self,
        topology: Topology,
        task: TaskId,
        processor: Processor,
        clock: Clock,
        now: Now,
        saved: Mapping[bytes, bytes],
        direct: int = sys.maxsize,
    ) -> None:
        self.id = task
        self._direct = direct
        self._topology = topology
        self._processor = processor
        # Asked once: it takes as long as a dozen records.
        self._laden = processor if isinstance(processor, Laden) else None
        self._bounded = processor if isinstance(processor, Bounded) else None
        self._prompt = processor if isinstance(processor, Prompt) else None
        self._clock = clock
        self._now = now
        self._kind = topology.dataflow.kind(task.kind)
        self._written: dict[bytes, bytes] = {key: row for key, row in saved.items() if key[:1] == _ENGINE}
        progress = progress_of(self._written, f"{topology.changelog(task.kind)}-{task.partition}")
        self.restored = progress is not None
        #: Whether the changelog is still one of an older version: the next commit says that it is none any more.
        self._former = progress is not None and progress.format < FORMAT
        self.external = {
            item.topic: External(item, clock, _load(self._written, _INPUT + item.topic.encode(), ExternalState))
            for item in self._kind.inputs
        }
        for item in self.external.values():
            if (until := clock.until) is not None and item.horizon.watermark > until:
                # It could never be final, and what follows from later events is told already.
                raise FatalError(
                    f"{task} has read {item.topic} beyond the end of the clock: to {_told(item.horizon.watermark)}, "
                    f"and the end is {_told(until)}; give a later one, or begin anew with parcelwatch reset"
                )
        self._named = {item.name: item for item in self.external.values()}
        self.incoming: dict[str, Incoming] = {}
        self._edges: dict[str, Incoming] = {}
        for edge in topology.dataflow.edges_into(task.kind):
            state = _load(self._written, _EDGE + edge.name.encode(), EdgeState)
            incoming = Incoming(edge.name, topology.counts[edge.source], state)
            self.incoming[topology.edge_topic(edge.name)] = self._edges[edge.name] = incoming
        self._outgoing = {edge.name: Outgoing(edge.granularity) for edge in topology.dataflow.edges_from(task.kind)}
        self._passed = dict.fromkeys(self._kind.horizons, START)
        self._sent = progress.sent if progress else 0
        #: What another task is to tell once the last snapshot is committed.
        self.announced: list[Announcement] = []
        if progress:
            self._passed.update({name: Horizon(*item) for name, item in progress.passed.items()})
            for name, outgoing in self._outgoing.items():
                outgoing.held, outgoing.told = Horizon(*progress.held[name]), Horizon(*progress.told[name])
        self._round: tuple[dict[str, Horizon], dict[str, tuple[Horizon, str]]] | None = None
        #: Whether the round of the last commit has yet to be run again: it may have stopped in its midst, and a
        #: processor writes its own horizons only together with what follows from them.
        self._resuming = progress is not None
        self._touched = True
        self._uncollected = False
        self._read = False
        self._portions = Portions()
        #: Whether an envelope is only partly taken: nothing can be committed then.
        self.midway = False
        self.unsaved = 0
        #: The latest clock reading that any result depends on.
        self._wall = 0
        #: Whether the end of `Clock.end` has been handed to a commit, now or before a restart.
        self.final = progress is not None and progress.final and self.complete
        processor.restore((key[1:], row) for key, row in saved.items() if key[:1] == PREFIX)

    # -- inputs

    def positions(self) -> dict[TopicPartition, int]:
        """The next offset to read, by input partition."""
        inputs: list[tuple[str, External | Incoming]] = [*self.external.items(), *self.incoming.items()]
        return {TopicPartition(topic, self.id.partition): item.position for topic, item in inputs}

    def begin_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Sets the first positions of a new task."""
        for source, offset in offsets.items():
            self._input(source.topic).position = offset

    def go_on_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Sets new positions for partitions whose old ones are lost; the next commit records them."""
        self.begin_at(offsets)
        self._read = True

    def accept(self, fetched: Fetched) -> None:
        """Takes records of one of its partitions; skips those before the position."""
        for _ in self.portions(fetched):
            """All at once."""

    def portions(self, fetched: Fetched) -> Iterator[None]:
        """As `accept`, some records at a time. Between two portions, commit only if not `midway`.

        A restored task first comes to where it had been. Iterate to the end, or the task is unusable.
        """
        while self._resuming:
            self.advance()
            yield
        target = self._input(fetched.source.topic)
        records = fetched.records
        if records and records[0].offset < target.position:
            records = [record for record in records if record.offset >= target.position]
        if records:
            if isinstance(target, External):
                target.arrived()
                for portion in self._portions.cut(records):
                    self._take(target, portion)
                    target.position = portion[-1].offset + 1
                    self._portions.done()
                    yield
            else:
                for record in records:
                    yield from self._open(target, record)
                    target.position = record.offset + 1
        if fetched.next > target.position:
            target.position = fetched.next
        if isinstance(target, External):
            target.reached()

    def _take(self, target: External, records: Sequence[Record]) -> None:
        self._read = self._touched = self._uncollected = True
        self.unsaved += len(records)
        clock = target.clock
        before = clock.greatest
        clock.ceiling = self._present() if self._clock.mode is Mode.WALL else None
        self._processor.events(target.name, self.id.partition, records, clock)
        if clock.ceiling is not None and clock.greatest > clock.ceiling:
            clock.greatest = max(before, clock.ceiling)

    def at_end(self, topic: str, requested: int, end: int) -> None:
        """Takes the end offset of its partition of `topic`, asked for at `requested` (microseconds)."""
        if self._clock.mode is Mode.WALL:
            self._wall = max(self._wall, requested)
        self.external[topic].at_end(requested, end)

    def _present(self) -> int:
        now = self._now()
        self._wall = max(self._wall, now)
        return now

    def wants_end(self) -> list[TopicPartition]:
        """The external partitions whose end offset is needed now."""
        return [TopicPartition(topic, self.id.partition) for topic, item in self.external.items() if item.wants_end]

    def _input(self, topic: str) -> External | Incoming:
        return self.external.get(topic) or self.incoming[topic]

    def _open(self, edge: Incoming, record: Record) -> Iterator[None]:
        """Takes one envelope, which commits only as a whole: there is no offset within it."""
        self._read = self._touched = self._uncollected = True
        self.unsaved += 1
        try:
            envelope = unpack(record.value or b"", edge.name)
        except UNDECODABLE as error:
            raise FatalError(f"edge {edge.name}: offset {record.offset} holds no envelope: {error}", 1) from error
        if edge.hear(envelope):
            self.midway = True
            for portion in self._portions.cut(envelope.records):
                self._processor.envelope(edge.name, envelope.source, portion)
                self._portions.done()
                yield
            self.midway = False

    @property
    def processor(self) -> Processor:
        """The processor that it runs, for metrics."""
        return self._processor

    @property
    def unsettled(self) -> int:
        """Entries that the processor keeps until the watermark passes them; 0 if it does not tell."""
        return 0 if self._bounded is None else self._bounded.unsettled

    @property
    def held(self) -> int:
        """Bytes of large outputs that the next commit hands over; 0 if the processor does not tell."""
        return 0 if self._laden is None else self._laden.held

    def ahead(self, most: int) -> frozenset[str]:
        """The external topics to pause because the processor holds more than `most` unsettled entries.

        A topic pauses only if it is ahead of the task's slowest input by more than the edges' granularities add up to,
        so the slowest input is never held up by those that wait for it.
        """
        if self.unsettled <= most:
            return frozenset()
        everything: list[External | Incoming] = [*self.external.values(), *self.incoming.values()]
        slack = sum(edge.granularity for edge in self._topology.dataflow.edges)
        limit = least(item.horizon for item in everything).watermark + slack
        return frozenset(topic for topic, item in self.external.items() if item.horizon.watermark > limit)

    # -- the passing of time

    def watermark(self, name: str) -> Horizon:
        """The horizon of one input, by the name that the logic uses: an external topic or an edge."""
        item: External | Incoming | None = self._named.get(name) or self._edges.get(name)
        if item is None:
            raise FatalError(f"{self.id} has no input {name}", 1)
        return item.horizon

    def holder(self, name: str) -> str:
        """What holds the watermark of an input back: "TOPIC-PARTITION", or a task that has sent nothing yet."""
        if (external := self._named.get(name)) is not None:
            return f"{external.topic}-{self.id.partition}"
        source, holder = self._edges[name].holder
        return holder or str(TaskId(self._topology.dataflow.edge(name).source, source))

    def advance(self) -> bool:
        """Runs one slice of the processor up to the current watermarks. True: there is more to do.

        Give no further input while it returns True: the watermarks on the edges are valid only after a whole round.
        The first round of a restored task is that of its last commit.
        """
        if self._round is None and self._resuming:
            # What it tells on the edges is what it has told.
            self._round = (self._passed, {})
        elif self._round is None:
            horizons = {name: self._reached(name) for name in self._passed}
            held = {}
            for edge in self._topology.dataflow.edges_from(self.id.kind):
                last = min(edge.depends, key=self.watermark)
                held[edge.name] = self.watermark(last), last
            if horizons == self._passed and not self._touched:
                self._hold(held)
                return False
            self._passed = horizons
            self._round = (horizons, held)
            self._touched = False
        self._uncollected = True
        self.unsaved += 1
        if self._processor.advance(self._round[0]):
            return True
        self._hold(self._round[1])
        self._round = None
        resumed, self._resuming = self._resuming, False
        return resumed

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the next commit: for an output, or another task for a watermark.

        Never while the past is caught up with: that is done soonest by large commits.
        """
        if self._clock.mode is not Mode.WALL or self._clock.held or self.midway or self._round is not None:
            return False
        if self._prompt is not None and self._prompt.awaited:
            return True
        return any(outgoing.due for outgoing in self._outgoing.values())

    @property
    def in_round(self) -> bool:
        """Whether it is between two slices of one round."""
        return self._round is not None

    def _reached(self, name: str) -> Horizon:
        """A horizon never goes back, and stays put while all of its inputs are idle."""
        horizon = least(map(self.watermark, self._kind.horizons[name]))
        return self._passed[name] if horizon.watermark == IDLE else max(horizon, self._passed[name])

    def _hold(self, held: Mapping[str, tuple[Horizon, str]]) -> None:
        for name, (horizon, last) in held.items():
            self._outgoing[name].hold(horizon, last)

    @property
    def complete(self) -> bool:
        """Whether, with `Clock.end`, the task has all its input and has settled it."""
        if self._clock.until is None or self._round is not None:
            return False
        end = Horizon(self._clock.until, True)
        told = (outgoing.held for outgoing in self._outgoing.values())
        return all(item == end for item in self._passed.values()) and all(item == end for item in told)

    # -- what is to be committed

    def snapshot(self, *, parting: bool = False, telling: Sequence[Announcement] = ()) -> Transaction | None:
        """What a commit has to write now; None if nothing durable has changed.

        `parting`: the last commit, which also records the horizons. `telling`: of other tasks, too. The task then goes
        on as if it were committed; if the commit fails, the task is unusable.
        """
        effects = self._processor.collect() if self._uncollected else Effects()
        self._uncollected = False
        self.unsaved = 0
        envelopes = self._envelopes(effects.sends)
        for each in telling:
            envelopes += each.envelopes()
        ends = self.complete and not self.final
        # A wall clock moves them without any input.
        moved = parting and self._clock.mode is Mode.WALL and passed_of(self._written) not in ({}, self._passed)
        changes = effects.changes()
        told = envelopes or self.announced
        if not (changes or effects.outputs or told or self._read or ends or moved or self._former):
            return None
        self._read = self._former = False
        self.final = self.complete
        transaction = Transaction(
            TopicPartition(self._topology.changelog(self.id.kind), self.id.partition),
            outputs=effects.outputs,
            envelopes=envelopes,
            rows=changes,
            wall=self._wall,
        )
        transaction.rows.update(self._own_rows())
        transaction.offsets = {
            source: Committed(offset, self._text(source)) for source, offset in self.positions().items()
        }
        return transaction

    def _text(self, source: TopicPartition) -> str:
        """The metadata text of a committed offset, for other workers."""
        if self.final and source == self._topology.marker(self.id):
            return final_text(self._clock)
        external = self.external.get(source.topic)
        return catching_up_text(external.clock.greatest, self.unsettled) if external and self._clock.held else ""

    def _envelopes(self, sends: Mapping[str, Mapping[int, list[Any]]]) -> list[tuple[TopicPartition, bytes]]:
        envelopes: list[tuple[TopicPartition, bytes]] = []
        self.announced = []
        for edge in self._topology.dataflow.edges_from(self.id.kind):
            outgoing = self._outgoing[edge.name]
            by_target = sends.get(edge.name, {})
            everyone = by_target.get(-1, [])
            if everyone and not edge.broadcast:
                raise FatalError(f"edge {edge.name} is no broadcast edge", 1)
            due, targets = outgoing.due, self._topology.counts[edge.target]
            handing = due and targets > self._direct and not everyone
            topic = self._topology.edge_topic(edge.name)
            holder = self.holder(outgoing.last) if outgoing.last else ""
            for target in range(targets):
                records = everyone if edge.broadcast else by_target.get(target, [])
                if records or (due and not handing):
                    packed = pack(self.id.partition, self._sent + 1, outgoing.told, outgoing.held, holder, records)
                    self._sent += len(packed)
                    envelopes += [(TopicPartition(topic, target), value) for value in packed]
            if handing:
                self._announce(topic, targets, outgoing, holder)
            elif due:
                outgoing.tell(self._sent)
        return envelopes

    def _announce(self, topic: str, targets: int, outgoing: Outgoing, holder: str) -> None:
        self._sent += 1
        (value,) = pack(self.id.partition, self._sent, outgoing.told, outgoing.held, holder, ())
        self.announced.append(
            Announcement(topic, targets, self.id.partition, self._sent, outgoing.held, value, outgoing)
        )
        outgoing.hand()

    def _progress(self) -> Progress:
        outgoing = self._outgoing.items()
        held, told = {name: item.held for name, item in outgoing}, {name: item.told for name, item in outgoing}
        return Progress(FORMAT, self._passed, held, told, self.final, self._sent)

    def _own_rows(self) -> dict[bytes, bytes]:
        rows = {_PROGRESS: _pack(self._progress())}
        for topic, external in self.external.items():
            rows[_INPUT + topic.encode()] = _pack(external.save())
        for name, edge in self._edges.items():
            rows[_EDGE + name.encode()] = _pack(edge.save())
        changed = {key: row for key, row in rows.items() if self._written.get(key) != row}
        self._written.update(changed)
        return changed


def _load(rows: Mapping[bytes, bytes], key: bytes, kind: type[_T]) -> _T | None:
    row = rows.get(key)
    if row is None:
        return None
    try:
        return msgspec.msgpack.decode(row, type=kind)
    except UNDECODABLE as error:
        raise FatalError(f"changelog row {key!r} cannot be read: {error}", 1) from error
