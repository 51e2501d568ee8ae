"""Turns records of an external topic into valid events; the others become dead letters.

Each input record is checked here once: value, key, partition, time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.decode import Invalid, Reason, decode
from schemas.events import AnyEvent, record_key
from schemas.times import render
from schemas.topics import PLAIN, TopicNames
from streams.engine.partitioner import partition_for
from streams.engine.processor import Output, PartitionClock, Record, Unread
from streams.stages.intake_log import IntakeLog

#: Maps (key, number of partitions) to a partition.
Partitioner = Callable[[bytes, int], int]


#: Most bytes of the original record in a dead letter; Kafka's default batch limit is 1 MiB.
LARGEST_LETTER = 900_000
#: Of these, what Kafka takes at most for a header beside its name and its value: the lengths of both.
_LENGTHS = 6


#: Names of the headers that a dead letter adds.
OWN_HEADERS = frozenset(
    {"error-code", "error-detail", "source-topic", "source-partition", "source-offset", "failed-at"}
)


#: Of each reason its text, and the value of the header.
_CODES = {reason: (str(reason), str(reason).encode()) for reason in Reason}


#: Of a record that stands for those of its batch that could not be read.
_UNREAD = Invalid(Reason.NOT_JSON, "records of the batch that ends with this offset cannot be read")


@dataclass(slots=True)
class Counts:
    """Counters of this process's tasks; for metrics only, not part of any state."""

    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Tracking numbers seen under two names of one carrier, by pair of names.
    two_names: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: What has been added to help rates, by kind (`streams.rules.cases.case.KINDS`) and whether it was taken back.
    help_rates: Counter[tuple[str, bool]] = field(default_factory=Counter)
    repeated: int = 0
    tombstones: int = 0
    #: Scans that parcelwatch-native has taken.
    native: int = 0


class Intake:
    """Checks the records of one task and counts what it sees.

    `knows`: whether a key has been accepted before; it then belongs here, and its partition is not computed again.
    `failed_at` gives the wall clock in microseconds, for the header of that name and the log only. `with_payload`:
    dead letters carry the original bytes, which may hold personal data. `log`: where others log, too.
    """

    def __init__(
        self,
        partitioner: Partitioner,
        partitions: int,
        failed_at: Callable[[], int],
        counts: Counts,
        *,
        with_payload: bool = False,
        topics: TopicNames = PLAIN,
        log: IntakeLog | None = None,
    ) -> None:
        self._partitioner = partitioner
        self.partitions = partitions
        #: Whether keys go to partitions as with Kafka's Java client.
        self.by_murmur2 = partitioner is partition_for
        self._failed_at = failed_at
        self._with_payload = with_payload
        self._topics = topics
        self._counts = counts
        self._log = log if log is not None else IntakeLog(failed_at)
        self._dead: list[Output] = []
        #: Bytes of the originals in the dead letters that the next call of `letters` gives.
        self.held = 0

    def events(
        self,
        name: str,
        partition: int,
        records: Sequence[Record],
        clock: PartitionClock,
        knows: Callable[[AnyEvent, str], bool],
    ) -> Iterator[tuple[AnyEvent, int, str, Record, bytes]]:
        """Yields (event, time, key, record, value) for each valid event, in order, and advances the clock."""
        until, lateness = clock.until, clock.lateness
        greatest = clock.greatest
        partitioner, partitions = self._partitioner, self.partitions
        for record in records:
            value = record.value
            if value is None:
                self._counts.tombstones += 1
                continue
            try:
                # Kafka before 0.11 has records without one.
                stamp = record.timestamp or -1
                event, time = decode(name, value, stamp * 1000 if stamp > 0 else None)
                key, own = record_key(event), record.key
                if own is None or own != key.encode():
                    raise Invalid(Reason.WRONG_KEY, "the record's key is not the one that its event asks for")
                if not knows(event, key) and partitioner(own, partitions) != partition:
                    raise Invalid(Reason.WRONG_PARTITION, f"the key belongs to another partition than {partition}")
            except Invalid as invalid:
                if isinstance(record, Unread):
                    self.bury(name, partition, record._replace(value=None), _UNREAD)
                else:
                    self.bury(name, partition, record, invalid)
                continue
            if until is not None and time > until:
                clock.left_out += 1
                continue
            if time > greatest:
                clock.passed(time)
                greatest = clock.greatest
            elif time < greatest - lateness:
                clock.late += 1
                self._log.late(self._topics[name], partition, record.offset)
            yield event, time, key, record, value

    def belongs(self, key: bytes, partition: int) -> bool:
        """Whether a key belongs to that partition."""
        return self._partitioner(key, self.partitions) == partition

    def bury(self, name: str, partition: int, record: Record, invalid: Invalid) -> None:
        """Turns a record into a dead letter."""
        topic = self._topics[name]
        reason, code = _CODES[invalid.reason]
        self._counts.dead[topic, reason] += 1
        self._log.dead(topic, partition, record.offset, reason)
        key, kept, value = self._original(record)
        self.held += len(key or b"") + len(value or b"") + sum(len(name) + len(text) for name, text in kept)
        headers = (
            *kept,
            ("error-code", code),
            ("error-detail", invalid.detail.encode()),
            ("source-topic", topic.encode()),
            ("source-partition", b"%d" % partition),
            ("source-offset", b"%d" % record.offset),
            ("failed-at", render(self._failed_at()).encode()),
        )
        self._dead.append(Output(self._topics.dead_letters(name), key, value, headers))

    def letters(self) -> list[Output]:
        """The dead letters since the last call."""
        self._log.catch_up()
        letters, self._dead, self.held = self._dead, [], 0
        return letters

    def _original(self, record: Record) -> tuple[bytes | None, Sequence[tuple[str, bytes]], bytes | None]:
        """Key, headers and, if enabled, value, as far as they fit: the broker must never reject the letter.

        Its own headers make it larger than the record, which may already be as large as the log accepts.
        """
        key, value = record.key, record.value if self._with_payload else None
        if value is None and not record.headers and len(key or b"") <= LARGEST_LETTER:
            return key, (), None
        # Readers trust our headers: a producer's headers of the same names must not precede them.
        headers = [(name, text or b"") for name, text in record.headers if name.lower() not in OWN_HEADERS]
        room = LARGEST_LETTER - len(key or b"")
        if room < 0:
            key, room = None, LARGEST_LETTER
        size = sum(len(name.encode()) + len(text) + _LENGTHS for name, text in headers)
        if size > room:
            headers, size = [], 0
        if len(value or b"") > room - size:
            value = None
        return key, headers, value
