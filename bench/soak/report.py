"""What a run says of the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, NamedTuple

from bench.soak.figures import back_after, most, slope
from bench.soak.pace import Pace
from bench.soak.watching import Latencies, Sample
from bench.worker import quantile

_MB = 1_000_000
#: What is not committed yet of a worker that keeps up, in seconds of the calm rate: at least and at most.
_LEAST, _MOST = 1.0, 10.0
#: Seconds from the begin of a stage until it is calm.
_SETTLING = 10.0


def nothing(pace: Pace, begin: float, samples: Sequence[Sample]) -> float:
    """The lag, in records, that counts as none: nine tenths of those before the first burst had no more."""
    before = [one.lag for one in samples if begin + _SETTLING <= one.at < begin + pace.period - pace.burst]
    usual = quantile(before, 0.9) if before else 0.0
    return min(max(usual, _LEAST * pace.calm), _MOST * pace.calm)


@dataclass(frozen=True, slots=True)
class Stage:
    """`most`: events a second of a drain before it, with so many `cores`. Then `seconds` at that pace from `begin` on
    (seconds since 1970), and `rest` seconds until all was read behind the last event.
    """

    most: float
    cores: float
    pace: Pace
    begin: float
    seconds: float
    rest: float

    @property
    def end(self) -> float:
        return self.begin + self.seconds


@dataclass(frozen=True, slots=True)
class Run:
    """`last`: events a second at the most, and cores, at the end. `settled`: seconds after which memory is judged.
    `behind`: the most seconds that the sender came too late.
    """

    machine: str
    stages: Sequence[Stage]
    last: tuple[float, float]
    settled: float
    behind: float
    samples: Sequence[Sample]
    latencies: Latencies


def told(run: Run) -> dict[str, Any]:
    """Everything, as JSON has it."""
    during = [one for one in run.samples if any(stage.begin <= one.at < stage.end for stage in run.stages)]
    bursts = [burst for stage in run.stages for burst in _bursts(stage, run.samples)]
    busy = [(one.begin, one.end + (one.pause if one.back is None else one.back)) for one in bursts]
    kinds = {name: [took for took, kind in zip(run.latencies.took, run.latencies.kinds, strict=True) if kind == number]
             for number, name in enumerate(run.latencies.names)}  # fmt: skip
    return {
        "machine": run.machine,
        "load of the machine, mean": round(fmean(one.load for one in during), 1),
        "load of the machine, most": round(max(one.load for one in during), 1),
        "minutes": round(sum(stage.seconds for stage in run.stages) / 60, 1),
        "stages": [told_stage(stage, run.samples) for stage in run.stages],
        "at the most in the end": {"events a second": round(run.last[0]), "cores": round(run.last[1], 2)},
        "sender too late, s, at the most": round(run.behind, 2),
        "memory": _memory(run, during),
        "lag": {
            "bursts": len(bursts),
            "after a burst, most, events": [round(one.most) for one in bursts],
            "back to nothing, s": [None if one.back is None else round(one.back, 1) for one in bursts],
            "back to nothing, s, median": _median([one.back for one in bursts if one.back is not None]),
            "not back before the next burst": sum(one.back is None for one in bursts),
        },
        "latency": {
            "calm": _latency(run, lambda sent: not _within(sent, busy)),
            "in bursts, and until the lag is nothing": _latency(run, lambda sent: _within(sent, busy)),
            "too early": run.latencies.too_early,
            "by alert": {name: _of(kinds[name]) for name in sorted(kinds)},
        },
    }


def told_stage(stage: Stage, samples: Sequence[Sample]) -> dict[str, Any]:
    """One stage. `at work`: the share of its time in which the worker's event loop ran or waited for a core."""
    during = [one for one in samples if stage.begin <= one.at < stage.end]
    first, last = during[0], during[-1]
    seconds = last.at - first.at
    return {
        "at the most, events a second": round(stage.most),
        "at the most, cores": round(stage.cores, 2),
        "calm, events a second": round(stage.pace.calm),
        "in bursts, events a second": round(stage.pace.calm * stage.pace.times),
        "mean, events a second": round(stage.pace.mean),
        "committed, events a second": round((last.committed - first.committed) / seconds),
        "cores": round((last.cpu - first.cpu) / seconds, 2),
        "at work": round((last.running + last.waiting - first.running - first.waiting) / seconds, 2),
        "of that, waiting for a core": round(
            (last.waiting - first.waiting) / (last.running + last.waiting - first.running - first.waiting), 2
        ),
        "commits a second": round((last.commits - first.commits) / seconds, 1),
        "load of the machine": round(fmean(one.load for one in during), 1),
        "seconds": round(stage.seconds),
        "a lag of nothing, events": round(nothing(stage.pace, stage.begin, samples)),
        "all read after the end, s": round(stage.rest, 1),
    }


def _memory(run: Run, during: Sequence[Sample]) -> dict[str, Any]:
    behind = [one for one in during if one.at >= run.stages[0].begin + run.settled]
    period = run.stages[0].pace.period
    memory = slope([(one.at, one.memory / _MB) for one in behind], period)
    rows = slope([(one.at, one.rows) for one in behind], period)
    mean = fmean(one.memory for one in behind) / _MB
    return {
        "judged from minute": round(run.settled / 60, 1),
        "MB, mean": round(mean),
        "MB, most": round(max(one.memory for one in during) / _MB),
        "rows of state, mean": round(fmean(one.rows for one in behind)),
        "MB an hour": None if memory is None else round(memory.an_hour, 1),
        "MB an hour, standard error": None if memory is None else round(memory.error, 1),
        "rows an hour": None if rows is None else round(rows.an_hour),
        "rows an hour, standard error": None if rows is None else round(rows.error),
    }


class _Burst(NamedTuple):
    """`most`: the greatest lag from its begin until the next; `back`: seconds from its end until that was nothing."""

    begin: float
    end: float
    pause: float
    most: float
    back: float | None


def _bursts(stage: Stage, samples: Sequence[Sample]) -> list[_Burst]:
    lags = [(one.at, one.lag) for one in samples]
    found = []
    none = nothing(stage.pace, stage.begin, samples)
    pause = stage.pace.period - stage.pace.burst
    for first, last in stage.pace.bursts(stage.seconds):
        begin, end = stage.begin + first, stage.begin + last
        back = back_after(lags, end, end + pause, none)
        found.append(_Burst(begin, end, pause, most(lags, begin, end + pause), back))
    return found


def _within(at: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(begin <= at < end for begin, end in spans)


def _latency(run: Run, wanted: Callable[[float], bool]) -> dict[str, Any]:
    stages = [(stage.begin, stage.end) for stage in run.stages]
    pairs = zip(run.latencies.sent, run.latencies.took, strict=True)
    return _of([took for sent, took in pairs if _within(sent, stages) and wanted(sent)])


def _of(found: Sequence[float]) -> dict[str, Any]:
    if not found:
        return {"alerts": 0}
    shown = {f"p{part * 100:g}": round(quantile(found, part) * 1000) for part in (0.5, 0.9, 0.99, 0.999)}
    return {"alerts": len(found), "unit": "ms", **shown, "most": round(max(found) * 1000)}


def _median(found: Sequence[float]) -> float | None:
    return round(median(found), 1) if found else None
