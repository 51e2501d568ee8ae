"""How fast the stream is sent: evenly, with bursts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`mean` events a second over a whole period. Each `period` ends with a burst of `burst` seconds at `times` the
    calm rate.
    """

    mean: float
    period: float = 120.0
    burst: float = 10.0
    times: float = 3.0

    @property
    def calm(self) -> float:
        """Events a second outside of bursts."""
        return self.mean * self.period / (self.period + (self.times - 1) * self.burst)

    def due(self, elapsed: float) -> int:
        """How many events are to have been sent so long after the start."""
        periods, within = divmod(elapsed, self.period)
        over = max(0.0, within - (self.period - self.burst))
        return int(periods * self.mean * self.period + self.calm * (within + (self.times - 1) * over))

    def bursts(self, seconds: float) -> list[tuple[float, float]]:
        """When bursts begin and end, of those that end within so long."""
        whole = int(seconds // self.period)
        return [((one + 1) * self.period - self.burst, (one + 1) * self.period) for one in range(whole)]
