"""What is asked about a group is answered by its coordinator, or not at all: an error is never taken for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)

from streams.engine.errors import FatalError
from streams.engine.log import kafka_groups
from streams.engine.log.interface import Committed, TopicPartition
from streams.engine.log.kafka_groups import Group, look_at, nobody_in, offsets_of

IN, OTHER = TopicPartition("in", 0), TopicPartition("in", 1)
SOON = [GroupLoadInProgressError, NotCoordinatorForGroupError]
MEMBER = ("one-id", "one", "parcelwatch-1", "/10.0.0.1", b"", b"")


class Admin:
    """Gives the answers one after the other, whatever is asked; an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self._client = self

    async def find_coordinator(self, _group: str) -> int:
        return 1

    async def coordinator_lookup(self, *_: Any) -> int:
        return 1

    async def send(self, *_: Any) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, type) and issubclass(answer, KafkaError):
            raise answer
        return answer

    async def _send_request(self, *_: Any) -> Any:
        return await self.send()


def offsets(*partitions: tuple[int, int, str, int], error: int = 0) -> Any:
    return SimpleNamespace(error_code=error, topics=[("in", list(partitions))] if partitions else [])


def group(error: int = 0, members: Sequence[Any] = ()) -> Any:
    return SimpleNamespace(groups=[(error, "pw", "Stable" if members else "Empty", "consumer", "", members, 0)])


@pytest.mark.parametrize("soon", SOON)
async def test_offsets_that_cannot_be_told_yet_are_asked_for_again(soon: type[KafkaError]) -> None:
    told = offsets((0, 7, "note", 0), (1, -1, "", 0))
    admin = Admin(offsets(error=soon.errno), offsets((0, -1, "", soon.errno)), soon, told)
    assert await offsets_of(admin, "pw", [IN, OTHER]) == {IN: Committed(7, "note")}


async def test_the_first_group_of_a_cluster_has_its_coordinator_in_a_moment() -> None:
    admin = Admin(GroupCoordinatorNotAvailableError, offsets((0, -1, "", 0)))
    assert await offsets_of(admin, "pw", [IN]) == {}


async def test_offsets_that_one_may_not_see_are_not_none() -> None:
    with pytest.raises(GroupAuthorizationFailedError, match="pw"):
        await offsets_of(Admin(offsets(error=GroupAuthorizationFailedError.errno)), "pw", [IN])


@pytest.mark.parametrize("soon", SOON)
async def test_members_that_cannot_be_told_yet_are_asked_for_again(soon: type[KafkaError]) -> None:
    with pytest.raises(FatalError, match="group pw has 1 members"):
        await nobody_in(Admin(group(soon.errno), soon, group(members=[MEMBER])), "pw")
    assert await look_at(Admin(group(soon.errno), group()), "pw") == Group("Empty", ())


@pytest.mark.parametrize("soon", SOON)
async def test_members_that_are_not_told_are_not_none(soon: type[KafkaError], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_groups, "_MOMENT", 0.0)
    with pytest.raises(soon):
        await nobody_in(Admin(*[group(soon.errno)] * 3), "pw")
