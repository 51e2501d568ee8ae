"""Watermarks of the inputs of one task: external partitions, and what other tasks send over edges."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.engine.clock import Clock, Mode
from streams.engine.envelopes import Envelope
from streams.engine.processor import BEGINNING, ExternalInput, Horizon, PartitionClock

#: The watermark of an input that has never had an event and holds nothing back.
IDLE = 1 << 62

START = Horizon(BEGINNING)


def least(horizons: Iterable[Horizon]) -> Horizon:
    """The least of several horizons; of none: idle."""
    return min(horizons, default=Horizon(IDLE))


class ExternalState(msgspec.Struct, array_like=True):
    """The changelog row of an external partition. `ended` is the time of the end that it was read to."""

    position: int
    greatest: int
    ended: int | None
    late: int
    left_out: int


class EdgeState(msgspec.Struct, array_like=True):
    """The changelog row of an edge's partition: its position; per sending task its horizon, number and holder."""

    position: int
    sources: list[tuple[int, bool]]
    numbers: list[int]
    holders: list[str]


class External:
    """One external partition: its position, its clock, and whether it has been read to its end."""

    def __init__(self, source: ExternalInput, mode: Clock, saved: ExternalState | None) -> None:
        self.topic = source.topic
        self.name = source.name
        self._mode = mode
        self.position = saved.position if saved else 0
        self.clock = PartitionClock(lateness=source.lateness, until=mode.until)
        self._ended = False
        self._idle = False
        self._let_go = False
        self._awaited: tuple[int, int] | None = None
        if saved:
            self.clock.greatest, self.clock.late, self.clock.left_out = (
                saved.greatest,
                saved.late,
                saved.left_out,
            )
            if saved.ended is not None:
                self._ended = saved.ended == mode.until
                # The watermark must not go back when the worker restarts with another clock.
                self.clock.greatest = max(saved.greatest, saved.ended + 1 + source.lateness)

    def save(self) -> ExternalState:
        ended = self._mode.until if self._ended else None
        clock = self.clock
        return ExternalState(self.position, clock.greatest, ended, clock.late, clock.left_out)

    def at_end(self, requested: int, end: int) -> None:
        """Takes the end offset `end`, asked for at `requested` (microseconds)."""
        if self._awaited is None:
            self._awaited = (requested, end)
        self.reached()

    def reached(self) -> None:
        """Call it when the position has moved."""
        if self._awaited is None or self.position < self._awaited[1]:
            return
        requested, _ = self._awaited
        self._awaited = None
        if self._mode.mode is Mode.WALL:
            if not self._mode.held:
                self.clock.greatest = max(self.clock.greatest, requested)
                self._let_go = False
        elif self._mode.mode is Mode.STREAM:
            self._idle = True
        elif self._mode.until is not None and not self._ended:
            self._ended = True
            self.clock.greatest = max(self.clock.greatest, self._mode.until + 1 + self.clock.lateness)

    def let_go(self) -> bool:
        """Marks the partition idle until its next record: it holds no watermark back. False: it was idle already."""
        before, self._let_go = self._let_go, True
        return not before

    def arrived(self) -> None:
        """Call it when records have arrived."""
        self._let_go = False

    @property
    def wants_end(self) -> bool:
        """Whether the end offset is needed."""
        if self._mode.mode is Mode.STREAM:
            return not self._idle and self.clock.greatest == BEGINNING
        return not self._ended

    @property
    def horizon(self) -> Horizon:
        if self._ended and self._mode.until is not None:
            return Horizon(self._mode.until, True)
        if self._let_go:
            return Horizon(IDLE)
        if self.clock.greatest == BEGINNING:
            return Horizon(IDLE) if self._idle else START
        return Horizon(self.clock.greatest - self.clock.lateness)


class Incoming:
    """One partition of an edge: its position, and the horizon of every task that sends over the edge."""

    def __init__(self, name: str, sources: int, saved: EdgeState | None) -> None:
        self.name = name
        self.position = saved.position if saved else 0
        self.sources = [Horizon(*item) for item in saved.sources] if saved else [START] * sources
        self._numbers = saved.numbers if saved else [0] * sources
        self._holders = saved.holders if saved else [""] * sources

    def save(self) -> EdgeState:
        return EdgeState(
            self.position, [(item.watermark, item.final) for item in self.sources], self._numbers, self._holders
        )

    def hear(self, envelope: Envelope) -> bool:
        """Takes the horizon that the envelope tells of its source. False: a duplicate."""
        source = envelope.source
        if envelope.number <= self._numbers[source]:
            return False
        self._numbers[source] = envelope.number
        self.sources[source] = Horizon(envelope.watermark, envelope.final)
        self._holders[source] = envelope.holder
        return True

    @property
    def holder(self) -> tuple[int, str]:
        """The slowest source, and the external partition that holds it back: empty if the source sent nothing yet."""
        source = min(range(len(self.sources)), key=self.sources.__getitem__)
        return source, self._holders[source]

    @property
    def horizon(self) -> Horizon:
        return least(self.sources)


class Outgoing:
    """The sending side of an edge: the watermark reached, and the one last sent to all receivers.

    `handed`: a later one that another task is to send.
    """

    def __init__(self, granularity: int, held: Horizon = START, told: Horizon = START) -> None:
        self._granularity = granularity
        #: The input that holds `held` back.
        self.last = ""
        self.held = held
        self.told = told
        self.handed: Horizon | None = None
        self._number = 0

    def hold(self, horizon: Horizon, last: str) -> None:
        """Everything before `horizon` has been sent; the input `last` holds it back."""
        if horizon > self.held or (self.held.watermark == IDLE and horizon != START):
            self.held = horizon
            self.last = last

    def tell(self, number: int) -> None:
        """Every receiver is sent what is held, by an envelope of that number."""
        self.told, self.handed, self._number = self.held, None, number

    def hand(self) -> None:
        """Another task is to send every receiver what is held; `heard` once it has."""
        self.handed = self.held

    def heard(self, horizon: Horizon, number: int) -> None:
        """Every receiver has been sent that horizon, by an envelope of that number."""
        if number > self._number:
            self.told, self._number = horizon, number

    @property
    def due(self) -> bool:
        """Whether every receiver has to be sent the watermark, with records or without."""
        last = self.told if self.handed is None else self.handed
        if self.held == last:
            return False
        if self.held.final or IDLE in (self.held.watermark, last.watermark):
            return True
        # Only a watermark beyond the boundary passes a deadline at it.
        return (self.held.watermark - 1) // self._granularity != (last.watermark - 1) // self._granularity
