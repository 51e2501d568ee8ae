"""Orders, tickets, escalations and voidings that are forgotten, as the naive reading forgets them.

What is kept for days here is kept for the thresholds from which the streams take their gaps: events lie on the last
instant at which something is known, a microsecond before and a microsecond after.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.orders import Orders
from tests.oracle.streams import random_stream, shuffle_on_time, streams
from tests.oracle.tickets import Tickets
from tests.oracle.timeline import microseconds, sorted_events
from tests.unit.rules.against_oracle import Kept, difference, policies
from tests.unit.rules.arrivals import QUICK, Events, ends, some
from tests.unit.rules.conversations.late_reply import with_late_reply
from tests.unit.stages.cluster import Cluster, written
from tests.unit.stages.one_reader import SOME, end_of, one_reader

PROFILES = ("default", "taobao-experience-2026", "distinct-orders")
SHORT = (
    Kept(order=7, order_extension=1, order_idle=9, ticket=3, escalation=4, voiding=5, conversation=2),
    Kept(order=5, order_extension=0, order_idle=7, ticket=4, escalation=3, voiding=2, conversation=3),
    Kept(order=3, order_extension=1, order_idle=4, ticket=7, escalation=5, voiding=7, conversation=7),
    Kept(order=2, order_extension=2, order_idle=3, ticket=2, escalation=2, voiding=2, conversation=2),
)
#: None: as long as the profile says, which the long ones of these streams outlast.
KEPT = (*SHORT, None)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("profile", PROFILES)
@QUICK
@given(events=streams(max_size=100, forgetting=True, odd_parcels=1), seed=SEEDS, kept=st.sampled_from(KEPT))
def test_the_stages_forget_what_a_naive_reading_forgets(
    profile: str, events: Events, seed: int, kept: Kept | None
) -> None:
    random = Random(seed)
    arrival = shuffle_on_time(events, random)
    steps = some(random, len(arrival))
    assert not difference(events, arrival, profile=profile, until=ends(random, events), steps=steps, kept=kept)


@pytest.mark.parametrize(("orders", "scans"), [(1, 1), (3, 2)])
@SOME
@given(events=streams(max_size=60, forgetting=True, odd_parcels=1), seed=SEEDS, kept=st.sampled_from(KEPT))
def test_tasks_on_any_partitions_that_crash_anywhere_forget_what_one_reader_forgets(
    orders: int, scans: int, events: Events, seed: int, kept: Kept | None
) -> None:
    random = Random(seed)
    policy = with_late_reply(policies(random.choice(PROFILES), low=True, kept=kept)[0])
    until = end_of(events, random)
    arrival = [written(event) for event in shuffle_on_time(events, random)]
    cluster = Cluster(policy, until, orders=orders, scans=scans, random=random, crash=random.choice((0, 0.1, 0.4)))
    cluster.run(arrival)
    alerts, tables = one_reader(arrival, policy, until)
    assert cluster.alerts() == alerts
    assert cluster.tables() == tables


def test_the_random_streams_name_again_what_is_forgotten() -> None:
    """A generator that misses this would let every property about it pass."""
    found: Counter[str] = Counter()
    for seed in range(150):
        _, oracle = policies("default", low=True, kept=SHORT[seed % len(SHORT)])
        events = random_stream(Random(seed), 100, forgetting=True, odd_parcels=1)
        until = max(microseconds(event["value"]["occurred_at"]) for event in events)
        history = sorted_events(events, until)
        found["order"] += sum(len(lives) - 1 for lives in Orders(history, oracle).lives.values())
        tickets = [(ticket.key, ticket.ticket_id) for ticket in Tickets(history, oracle, until).all]
        found["ticket"] += len(tickets) - len(set(tickets))
    assert found["order"] >= 100
    assert found["ticket"] >= 50
