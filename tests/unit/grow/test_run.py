"""A hand-over waits for the muted workers, and no longer than it may."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from streams.engine.errors import FatalError
from streams.engine.processor import Horizon
from streams.grow import run
from streams.grow.progress import Passed
from tests.patience import PATIENCE

GROWTH = SimpleNamespace(app_id="one", old_flow=None, new_app_id="two", new_flow=None)


def growing(monkeypatch: pytest.MonkeyPatch, *reached: int) -> run.Growing:
    """The old application has come to 10, the new one each time it is asked to the next of these, and to no more."""
    asked = list(reached)

    async def passed(log: object, app_id: str, flow: object) -> Passed:
        at = 10 if app_id == "one" else asked.pop(0) if len(asked) > 1 else asked[0]
        return {("orders", "boundaries"): [Horizon(at)]}

    monkeypatch.setattr(run, "passed", passed)
    unused: Any = None
    return run.Growing(GROWTH, unused, unused, unused, unused)  # type: ignore[arg-type]


@pytest.mark.parametrize("reached", [(10,), (9, 10), (8, 9, 11)])
async def test_they_may_go_on_until_they_have_come_as_far_as_the_old_ones(
    monkeypatch: pytest.MonkeyPatch, reached: tuple[int, ...]
) -> None:
    await growing(monkeypatch, *reached)._as_far_as_the_old({"orders": 1}, PATIENCE)


async def test_those_that_do_not_get_on_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FatalError, match="the muted workers of two have not come as far as one: do they run"):
        await growing(monkeypatch, 9)._as_far_as_the_old({"orders": 1}, 0.1)
