"""What members tell each other is understood, and what is told in another form is as if nothing were told."""

from __future__ import annotations

import msgspec
import pytest

from streams.engine.assignor import TaskAssignor
from streams.engine.log.interface import Shared, TopicPartition
from streams.engine.placement import Held
from streams.engine.topology import TaskId
from tests.unit.engine.simulator import topology_of

COUNTS = {"desk": 2, "road": 1}
TOPOLOGY = topology_of(COUNTS)
PARTITIONS = {topic: COUNTS[kind] for kind in COUNTS for topic in TOPOLOGY.inputs(kind)}
DESK, OTHER_DESK, ROAD = TOPOLOGY.tasks()
LONG = 1_000_000


def member(held: Held) -> TaskAssignor:
    return TaskAssignor(TOPOLOGY, lambda: held)


def tasks(shared: Shared) -> set[TaskId]:
    return {task for task in TOPOLOGY.tasks() if TOPOLOGY.partitions_of(task) <= shared.partitions}


def test_a_member_gets_all_inputs_of_its_tasks_and_is_told_what_to_follow() -> None:
    one = member(Held({DESK: LONG, ROAD: LONG}, {OTHER_DESK: LONG}, 1))
    two = member(Held({OTHER_DESK: LONG}, {DESK: LONG, ROAD: LONG}, 1))
    shared = one.share(PARTITIONS, {"one": one.told(), "two": two.told()})
    assert shared["one"].partitions == TOPOLOGY.partitions_of(DESK) | TOPOLOGY.partitions_of(ROAD)
    assert shared["two"].partitions == TOPOLOGY.partitions_of(OTHER_DESK)
    two.hear(shared["two"].told)
    assert two.standbys == {DESK, ROAD}
    assert two.warming == frozenset()


def test_a_member_is_told_what_it_warms_up() -> None:
    one, two = member(Held(dict.fromkeys(TOPOLOGY.tasks(), LONG), wanted=1)), member(Held(wanted=1))
    shared = one.share(PARTITIONS, {"one": one.told(), "two": two.told()})
    assert not shared["two"].partitions
    two.hear(shared["two"].told)
    assert len(two.warming) == 1
    assert two.warming < two.standbys == set(TOPOLOGY.tasks())


@pytest.mark.parametrize(
    "told",
    [b"", b"\xff\xff", msgspec.msgpack.encode([2, "of another version"]), msgspec.msgpack.encode([2, {}, {}, 0])],
    ids=["nothing", "noise", "another form", "another version"],
)
def test_a_member_that_cannot_be_understood_has_its_share_of_tasks(told: bytes) -> None:
    one = member(Held({DESK: LONG, OTHER_DESK: LONG}, wanted=1))
    shared = one.share(PARTITIONS, {"old": told, "one": one.told()})
    assert {member: len(tasks(each)) for member, each in shared.items()} == {"old": 2, "one": 1}
    one.hear(shared["one"].told)
    assert one.standbys == tasks(shared["old"])


@pytest.mark.parametrize("told", [b"", b"\xff\xff", msgspec.msgpack.encode([2, {"desk": [1]}, {}])])
def test_a_member_that_is_told_nothing_it_understands_follows_nothing(told: bytes) -> None:
    one = member(Held(wanted=1))
    one.hear(one.share(PARTITIONS, {"one": one.told(), "two": one.told()})["one"].told)
    assert one.standbys
    one.hear(told)
    assert not one.standbys


def test_a_partition_that_belongs_to_no_task_is_given_to_somebody() -> None:
    one = member(Held())
    shared = one.share({**PARTITIONS, "scans": 2}, {"one": one.told(), "two": one.told()})
    given = [each for each in shared.values() if TopicPartition("scans", 1) in each.partitions]
    assert len(given) == 1
