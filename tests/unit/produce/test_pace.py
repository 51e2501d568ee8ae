"""When an event is due."""

from __future__ import annotations

import pytest

from schemas.times import HOUR, SECOND
from streams.produce.run import Pace

T0 = 1_770_000_000 * SECOND


def test_without_a_speed_everything_is_due_at_once() -> None:
    pace = Pace(None)
    assert pace.ahead(T0, 5.0) == 0
    assert pace.ahead(T0 + HOUR, 5.0) == 0


@pytest.mark.parametrize(("now", "ahead"), [(105.9, 0.1), (106.0, 0.0), (106.5, -0.5)])
def test_an_hour_at_a_speed_of_600_is_six_seconds_behind_the_first_event(now: float, ahead: float) -> None:
    pace = Pace(600)
    assert pace.ahead(T0, 100.0) == 0
    assert pace.ahead(T0 + HOUR, now) == pytest.approx(ahead)


def test_an_event_that_is_older_than_the_first_is_due() -> None:
    pace = Pace(1)
    pace.ahead(T0, 100.0)
    assert pace.ahead(T0 - SECOND, 100.0) < 0
