"""The rights that a client lacks: as the brokers report them, and as its errors show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aiokafka.client import CoordinationType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from streams.engine.log.kafka_access import Group, TopicRights
from streams.engine.rights import Operation, Right

#: The bits of Kafka's operations in what a broker tells of a resource.
_BITS: dict[Operation, int] = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Describe": 8, "DescribeConfigs": 10}
#: What a broker tells that tells nothing.
_UNTOLD = -(1 << 31)
#: For what an error does not name.
UNNAMED = "?"
_TOPIC_DENIED, _GROUP_DENIED = TopicAuthorizationFailedError.errno, GroupAuthorizationFailedError.errno


def user_of(client: Mapping[str, Any]) -> str:
    """The brokers' name for a client with these options; NAME if a certificate or a token determines it."""
    return str(client.get("sasl_plain_username") or "NAME")


async def lacking(client: Any, rights: Collection[Right]) -> list[Right]:
    """The rights that the brokers deny, on existing topics and on groups. Raises the client's errors.

    A topic that may not even be described is unusable, whether it exists or not.
    """
    topics = sorted({right.name for right in rights if right.resource == "topic"})
    denied: list[Right] = []
    if topics:
        answer = await client.send(client.get_random_node(), TopicRights(topics))
        told = {topic: (code, operations) for code, topic, _, _, operations in answer.topics}
        denied += _denied(told, [right for right in rights if right.resource == "topic"], _TOPIC_DENIED)
    for right in rights:
        if right.resource == "group":
            found = await group_told(client, right.name)
            denied += _denied({right.name: found}, [right], _GROUP_DENIED)
    return denied


async def group_told(client: Any, group: str) -> tuple[int, int]:
    """The error code and the authorized operations of a group."""
    try:
        described = await describe(client, group)
    except GroupAuthorizationFailedError:
        return _GROUP_DENIED, 0
    return described[0], described[-1]


async def describe(client: Any, group: str) -> Any:
    """Describes a group, by its coordinator. Raises the client's errors."""
    node = await client.coordinator_lookup(CoordinationType.GROUP, group)
    (described,) = (await client.send(node, Group(group))).groups
    return described


def _denied(told: dict[str, tuple[int, int]], rights: list[Right], denied: int) -> Iterator[Right]:
    for right in rights:
        code, operations = told.get(right.name, (0, _UNTOLD))
        if code == denied or (not code and operations != _UNTOLD and not operations >> _BITS[right.operation] & 1):
            yield right


def denied_by(error: BaseException, operation: Operation, writer: str = UNNAMED) -> list[Right]:
    """The missing rights that caused an error, as far as it tells; `operation`: what was done to topics.

    `writer`: the transactional id that it was done under, which an answer to a write does not name.

    The client hides them: what it raises is often a consequence of the authorization error.
    """
    for each in _causes(error):
        names = _names(each)
        if isinstance(each, TopicAuthorizationFailedError):
            return [Right(operation, "topic", name) for name in names]
        if isinstance(each, GroupAuthorizationFailedError):
            return [Right("Read", "group", name) for name in names]
        if isinstance(each, TransactionalIdAuthorizationFailed):
            return [Right("Write", "transactional-id", writer if name == UNNAMED else name) for name in names]
        if isinstance(each, ClusterAuthorizationFailedError):
            return [Right("Create", "cluster", "kafka-cluster")]
    return []


def _names(error: BaseException) -> list[str]:
    """The names in its arguments: none, one, or a set of them."""
    found: list[str] = []
    for argument in error.args:
        found += [argument] if isinstance(argument, str) else map(str, argument) if _many(argument) else []
    return found or [UNNAMED]


def _many(argument: object) -> bool:
    return isinstance(argument, set | frozenset | list | tuple)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
