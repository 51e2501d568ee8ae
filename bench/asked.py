"""A section's parameters: sizes, broker, folder for its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kafka_broker import Broker


@dataclass(frozen=True, slots=True)
class Asked:
    """`divide`: sizes are so many times smaller than the full ones. `ours`: nobody else is measured. `only`: none but
    contenders whose names begin so.

    `quiet_for`: seconds to wait at the most for others on this machine before each run. `tell` is given lines for a
    person. `broker` is there for those sections that say they need one, and has no topics.
    """

    folder: Path
    tell: Callable[[str], None]
    divide: int = 1
    ours: bool = False
    quiet_for: float = 0.0
    broker: Broker | None = None
    only: tuple[str, ...] = ()
    repeat: int | None = None

    def rounds(self, full: int) -> int:
        """How often each is measured: as was asked for, or `full` times, or once where sizes are smaller anyway."""
        return self.repeat or (full if self.divide == 1 else 1)

    def options(self) -> list[str]:
        """The command line's options for the same figures."""
        said = [f"--divide {self.divide}"] if self.divide > 1 else []
        said += [f"--only {name}" for name in self.only]
        return said + ([f"--rounds {self.repeat}"] if self.repeat else [])

    def size(self, full: int, least: int = 1, multiple: int = 1) -> int:
        """The full size divided, not below `least`, a multiple of `multiple`."""
        return -(-max(full // self.divide, least) // multiple) * multiple

    def seconds(self, full: float, least: float) -> float:
        """A time to measure for: it shrinks no further than `least`."""
        return max(full / self.divide, least)

    @property
    def kafka(self) -> Broker:
        if self.broker is None:
            raise RuntimeError("this section was started without a broker")
        return self.broker
