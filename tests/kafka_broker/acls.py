"""Access lists of a broker of ours, changed by an administrator: the client has no requests for them.

The controller answers a change before the broker's authorizer has it: `grant` and `revoke` return when it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DescribeAclsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from streams.engine.rights import Right
from tests.patience import PATIENCE

_TEXT = String("utf-8")
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Describe": 8, "DescribeConfigs": 10}
_RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3
_ANY = 1
_ENTRY = (
    ("resource_type", Int8),
    ("resource_name", _TEXT),
    ("pattern_type", Int8),
    ("principal", _TEXT),
    ("host", _TEXT),
    ("operation", Int8),
    ("permission_type", Int8),
)


class _Created(Response):
    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(("throttle_time_ms", Int32), ("results", Array(("error_code", Int16), ("error_message", _TEXT))))


class _Create(RequestStruct):
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _Created
    SCHEMA = Schema(("creations", Array(*_ENTRY)))


class _Deleted(Response):
    API_KEY = 31
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(
                ("error_code", Int16),
                ("error_message", _TEXT),
                ("matches", Array(("error_code", Int16), ("error_message", _TEXT), *_ENTRY)),
            ),
        ),
    )


class _Delete(RequestStruct):
    API_KEY = 31
    API_VERSION = 1
    RESPONSE_TYPE = _Deleted
    SCHEMA = Schema(("filters", Array(*_ENTRY)))


class _Creating(Request[_Create]):
    API_KEY = 30

    def __init__(self, entries: list[tuple[Any, ...]]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[_Create]) -> Any:
        return request_struct_class(self._entries)


class _Deleting(Request[_Delete]):
    API_KEY = 31

    def __init__(self, entries: list[tuple[Any, ...]]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[_Delete]) -> Any:
        return request_struct_class(self._entries)


async def grant(bootstrap: str, user: str, rights: Collection[Right], prefixed: bool = False) -> None:
    """Gives a user rights; `prefixed`: to all whose names begin so, as for transactional ids in any case."""
    entries = {_entry(user, right, prefixed) for right in rights}
    async with administrator(bootstrap) as admin:
        _check((await ask(admin, _Creating([*entries]))).results)
        await _until(admin, lambda known: entries <= known)


async def revoke(bootstrap: str, user: str, rights: Collection[Right], prefixed: bool = False) -> None:
    """Takes rights away again, as they were given."""
    entries = {_entry(user, right, prefixed) for right in rights}
    async with administrator(bootstrap) as admin:
        answer = await ask(admin, _Deleting([*entries]))
        _check(answer.results)
        assert all(matches for _, _, matches in answer.results), "there was no such right"
        await _until(admin, entries.isdisjoint)


def _entry(user: str, right: Right, prefixed: bool) -> tuple[Any, ...]:
    pattern = _PREFIXED if prefixed or right.resource == "transactional-id" else _LITERAL
    operation, resource = _OPERATIONS[right.operation], _RESOURCES[right.resource]
    return (resource, right.name, pattern, f"User:{user}", "*", operation, _ALLOW)


async def _until(admin: AIOKafkaAdminClient, holds: Callable[[set[tuple[Any, ...]]], bool]) -> None:
    """Waits until the access lists that the broker itself goes by are so."""
    async with asyncio.timeout(PATIENCE):
        while not holds(await _known(admin)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _known(admin: AIOKafkaAdminClient) -> set[tuple[Any, ...]]:
    every = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)  # type: ignore[arg-type]
    answer = await ask(admin, every)
    _check([(answer.error_code, answer.error_message)])
    return {(*resource, *one) for *resource, found in answer.resources for one in found}


@asynccontextmanager
async def administrator(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def ask(admin: AIOKafkaAdminClient, request: Any) -> Any:
    return await admin._client.send(admin._client.get_random_node(), request)


def _check(results: Iterable[Sequence[Any]]) -> None:
    for code, message, *_ in results:
        if code:
            raise for_code(code)(message)
