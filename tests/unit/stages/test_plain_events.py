"""An event on time is looked at once it is settled: that says what looking at everything at every event says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.decode import decode
from streams.rules.cases.case import Case
from streams.stages.cases.book import OrderBook
from streams.stages.single_reader import SingleReader
from tests.oracle.streams import shuffle_on_time, streams
from tests.unit.rules.against_oracle import Kept, encoded, policies
from tests.unit.rules.conversations.late_reply import with_late_reply

PROFILES = ["default", "taobao-experience-2026", "distinct-orders"]
QUICK = settings(
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)


class EagerOrders(OrderBook):
    """Looks at everything at every event."""

    def _is_plain(self, case: Case, time: int) -> bool:
        return False


#: So that what is over is forgotten within days.
SHORT = Kept(order=5, order_extension=1, order_idle=12, ticket=4, escalation=3, voiding=6, conversation=3)


def said(reader: SingleReader, arrival: list[Mapping[str, Any]], looks: set[int]) -> tuple[Any, ...]:
    """Alerts in no order, and each table's last records."""
    for number, event in enumerate(arrival):
        value = encoded(event)
        decoded, time = decode(event["topic"], value)
        reader.take(event["topic"], decoded, time, value)
        if number in looks:
            reader.settle()
    reader.finish(reader.greatest)
    alerts, records = reader.drain()
    tables = {(record.table, record.key): record.value for record in records}
    return sorted(map(str, alerts)), {key: value for key, value in tables.items() if value is not None}


def with_late_ones(arrival: list[dict[str, Any]], random: Random, share: float) -> list[dict[str, Any]]:
    """Some events come at any time after the others."""
    late = list(arrival)
    for _ in range(round(len(late) * share)):
        event = late.pop(random.randrange(len(late)))
        late.insert(random.randrange(len(late) + 1), event)
    return late


@pytest.mark.parametrize("profile", PROFILES)
@QUICK
@given(
    events=streams(max_size=90, forgetting=True),
    seed=st.integers(0, 2**32 - 1),
    short=st.booleans(),
    late=st.sampled_from((0.0, 0.0, 0.1)),
)
def test_looking_at_an_event_when_it_is_settled_is_enough(
    profile: str, events: list[dict[str, Any]], seed: int, short: bool, late: float
) -> None:
    random = Random(seed)
    policy = with_late_reply(policies(profile, low=True, kept=SHORT if short else None)[0])
    arrival = with_late_ones(shuffle_on_time(events, random), random, late)
    looks = {place for place in range(len(arrival)) if random.random() < random.choice((0.05, 0.5))}
    eager = SingleReader(policy)
    eager.orders = EagerOrders(policy)
    assert said(SingleReader(policy), arrival, looks) == said(eager, arrival, looks)
