"""A mistake that the simulation must find: it would be worth nothing if it did not."""

from __future__ import annotations

from collections.abc import Callable

from streams.engine.errors import FencedError
from streams.engine.log.interface import Transaction
from tests.simulation.writer import SimulatedWriter


def _unknown() -> None:
    """A commit without an answer counts as done."""
    real = SimulatedWriter._commit

    async def commit(self: SimulatedWriter, transaction: Transaction) -> int | None:
        try:
            return await real(self, transaction)
        except FencedError:
            raise
        except Exception:
            return 1

    SimulatedWriter._commit = commit  # type: ignore[method-assign]


MISTAKES: dict[str, Callable[[], None]] = {"unknown": _unknown}
