"""Users of a broker of ours that come by SCRAM, changed by an administrator: the client has no request for them."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from tests.kafka_broker.acls import administrator, ask

_TEXT = CompactString("utf-8")
_NUMBERS = {"SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2}
_ROUNDS = 4096


class _Altered(Response):
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(("user", _TEXT), ("error_code", Int16), ("error_message", _TEXT), ("tags", TaggedFields)),
        ),
        ("tags", TaggedFields),
    )


class _Alter(RequestStruct):
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Altered
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _TEXT), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", _TEXT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Altering(Request[_Alter]):
    API_KEY = 51

    def __init__(self, deletions: list[Any], upsertions: list[Any]) -> None:
        self._deletions, self._upsertions = deletions, upsertions

    def build(self, request_struct_class: type[_Alter]) -> Any:
        return request_struct_class(self._deletions, self._upsertions, {})


async def set_password(bootstrap: str, user: str, mechanism: str, password: str) -> None:
    """The user may come with this password, and with no other one."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac(mechanism[6:].replace("-", "").lower(), password.encode(), salt, _ROUNDS)
    await _alter(bootstrap, [], [(user, _NUMBERS[mechanism], _ROUNDS, salt, salted, {})])


async def remove_user(bootstrap: str, user: str, mechanism: str) -> None:
    """The user may come no longer."""
    await _alter(bootstrap, [(user, _NUMBERS[mechanism], {})], [])


async def _alter(bootstrap: str, deletions: list[Any], upsertions: list[Any]) -> None:
    async with administrator(bootstrap) as admin:
        answer = await ask(admin, _Altering(deletions, upsertions))
        for _, code, message, *_ in answer.results:
            if code:
                raise for_code(code)(message)
