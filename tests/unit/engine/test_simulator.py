"""Whatever the order of steps, the partitions and the crashes: the results are those of one reader."""

from __future__ import annotations

from random import Random

import pytest

from streams.engine.clock import Clock
from tests.unit.engine.history import T0, UNTIL, arrival, history, partitions_used
from tests.unit.engine.naive import naive
from tests.unit.engine.simulator import Simulator, results
from tests.unit.engine.toy import HOUR, LATENESS

COUNTS = [
    {"desk": 1, "road": 1},
    {"desk": 4, "road": 4},
    {"desk": 4, "road": 1},
    {"desk": 1, "road": 4},
    {"desk": 12, "road": 12},
]


def by_topic(counts: dict[str, int]) -> dict[str, int]:
    return {"orders": counts["desk"], "calls": counts["desk"], "scans": counts["road"]}


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_a_run_to_an_end_with_crashes_finds_what_one_reader_finds(counts: dict[str, int], seed: int) -> None:
    random = Random(seed)
    events = history(random, size=random.choice((0, 12, 60, 120)))
    simulator = Simulator(random, counts, Clock.end(UNTIL), crash=0.03)
    simulator.append_all(arrival(random, events))
    simulator.start()
    for _ in range(400 * sum(counts.values())):
        simulator.step()
    simulator.settle()
    assert simulator.final
    assert results(simulator.log) == naive(events, UNTIL)


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_without_transactions_a_crash_between_any_two_writes_repeats_results_and_changes_none(
    counts: dict[str, int], seed: int
) -> None:
    random = Random(seed)
    events = history(random, size=random.choice((12, 60, 120)))
    simulator = Simulator(random, counts, Clock.end(UNTIL), crash=0.03, plain=True)
    simulator.append_all(arrival(random, events))
    simulator.start()
    for _ in range(800 * sum(counts.values())):
        simulator.step()
    simulator.settle()
    assert simulator.final
    assert set(results(simulator.log)) == set(naive(events, UNTIL))
    assert results(simulator.log) >= naive(events, UNTIL)


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_a_run_by_events_alone_is_not_held_back_by_partitions_without_any(counts: dict[str, int], seed: int) -> None:
    random = Random(seed)
    events = history(random)
    simulator = Simulator(random, counts, Clock.stream(), crash=0.03)
    simulator.start()
    waiting = [(topic, event) for topic, listed in arrival(random, events).items() for event in listed]
    waiting.sort(key=lambda item: item[1][0] + random.randrange(30_000_000))
    for topic, event in waiting:
        for _ in range(random.randrange(20)):
            simulator.step()
        simulator.append(topic, event)
    end = UNTIL + 30 * HOUR
    used = partitions_used(events, by_topic(counts))
    for topic, lateness in LATENESS.items():
        simulator.tick(end + lateness, {topic: used[topic]})
    for _ in range(300 * sum(counts.values())):
        simulator.step()
    simulator.settle()
    assert results(simulator.log) == naive(events, end)


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_a_live_run_follows_the_clock_where_partitions_are_read_to_their_end(counts: dict[str, int], seed: int) -> None:
    random = Random(seed)
    events = history(random)
    simulator = Simulator(random, counts, Clock.wall(), crash=0.03)
    simulator.time = T0
    simulator.start()
    waiting = [
        (event[0] + random.randrange(LATENESS[topic]), topic, event)
        for topic, listed in events.items()
        for event in listed
    ]
    for arrives, topic, event in sorted(waiting):
        for _ in range(random.randrange(20)):
            simulator.step()
        simulator.time = arrives
        simulator.append(topic, event)
    simulator.time = UNTIL + 50 * HOUR
    simulator.settle()
    assert results(simulator.log) == naive(events, simulator.time - HOUR)
