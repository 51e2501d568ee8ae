"""Runs one or more policies over the input; each line is read and decoded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from schemas.decode import Invalid, KeyTooLarge, decode
from streams.compare.episodes import Episodes
from streams.compare.levels import Levels
from streams.engine.processor import BEGINNING
from streams.policy.model import Policy
from streams.replay.reading import Line
from streams.stages.single_reader import SingleReader

#: Events between two looks at what is due, as in a replay.
_STEP = 4096


class Outcome(NamedTuple):
    """One policy's output for the whole input. `late`: events read too late."""

    policy: Policy
    episodes: Episodes
    levels: Levels
    late: int


class Trial:
    """One policy and its output so far."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.reader = SingleReader(policy)
        self.episodes = Episodes()
        self.levels = Levels()

    def collect(self) -> None:
        """Takes over the reader's output."""
        alerts, records = self.reader.drain()
        self.episodes.take(alerts)
        self.levels.take(records)

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.policy, self.episodes, self.levels, self.reader.late)


class Run:
    """What was read. Times in microseconds; `first` and `end` are None where there was no event.

    `outcomes`: of every policy, in the order in which they were given; there once everything is read.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._trials = [Trial(policy) for policy in policies]
        self.outcomes: list[Outcome] = []
        self.events = 0
        self.dead = 0
        self.left_out = 0
        self.first: int | None = None
        self.end: int | None = None

    def take(self, lines: Iterable[Line], until: int | None = None) -> None:
        """Reads all lines, up to `until`, as a replay does."""
        readers = [trial.reader for trial in self._trials]
        first = None
        for line in lines:
            topic, value = line.topic, line.value
            if topic is None or value is None:
                self.dead += 1
                continue
            if value == b"null":
                continue
            try:
                event, time = decode(topic, value)
            except Invalid:
                self.dead += 1
                continue
            if until is not None and time > until:
                self.left_out += 1
                continue
            if first is None or time < first:
                first = time
            for reader in readers:
                with suppress(KeyTooLarge):
                    reader.take(topic, event, time, value)
            self.events += 1
            if not self.events % _STEP:
                self._settle()
        self._finish(first, until)

    def _settle(self) -> None:
        for trial in self._trials:
            trial.reader.settle()
            trial.collect()

    def _finish(self, first: int | None, until: int | None) -> None:
        greatest = max(trial.reader.greatest for trial in self._trials)
        end = until if until is not None else greatest
        if end != BEGINNING:
            self.first, self.end = first, end
            for trial in self._trials:
                trial.reader.finish(end)
                trial.collect()
        self.outcomes = [trial.outcome for trial in self._trials]

    @property
    def counts(self) -> tuple[int, int, int, int | None, int | None]:
        """What does not depend on a policy: events, dead letters, those left out, the first time and the end."""
        return self.events, self.dead, self.left_out, self.first, self.end
