"""An ingest is not ready while Kafka takes nothing, once it is to end, and while its event loop stands still."""

from __future__ import annotations

from typing import cast

from streams.ingest.delivery import Delivery
from streams.ingest.health import Health


class Brokers:
    """What a delivery knows of them."""

    wrong: str | None = None


def test_it_is_ready_while_nothing_is_wrong_and_says_why_it_is_not() -> None:
    brokers = Brokers()
    health = Health(cast(Delivery, brokers))
    assert (health.alive, health.reasons) == (True, {})
    brokers.wrong = "no broker answers"
    health.ending = True
    assert health.reasons == {"brokers": "no broker answers", "ending": "it has been told to end"}
    assert health.alive


def test_an_event_loop_that_does_not_come_round_is_said_and_in_the_end_is_no_life() -> None:
    health = Health(cast(Delivery, Brokers()))
    health._loop._beaten -= 6
    assert health.reasons.keys() == {"loop"}
    assert health.alive
    health._loop._beaten -= 400
    assert not health.alive
