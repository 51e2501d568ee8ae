"""What each platform wants to hear: that it need not send a push again, or that it must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple

import orjson

from schemas.times import CHINA, SECOND


class Outcome(StrEnum):
    """What has become of a push; a label of its metric."""

    ACCEPTED = "accepted"
    #: Not all of it could be read: that is in the dead letters, the rest in the topics.
    DEAD_LETTER = "dead_letter"
    #: A call by which the platform tries the address.
    TEST = "test"
    BAD_SIGNATURE = "bad_signature"
    BAD_BODY = "bad_body"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    #: More pushes at once than there is room for; Kafka did not take it.
    OVERLOADED = "overloaded"
    UNDELIVERED = "undelivered"


_STATUS = {
    # The same bytes would fail again, and platforms give up an address that refuses often.
    Outcome.ACCEPTED: HTTPStatus.OK,
    Outcome.DEAD_LETTER: HTTPStatus.OK,
    Outcome.TEST: HTTPStatus.OK,
    Outcome.BAD_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Outcome.BAD_BODY: HTTPStatus.BAD_REQUEST,
    Outcome.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Outcome.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Outcome.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    Outcome.UNDELIVERED: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Answer(NamedTuple):
    """A response: its status, and its body, JSON in UTF-8."""

    status: int
    body: bytes


def answer(format_name: str, outcome: Outcome, content: bytes, now: int) -> Answer:
    """The answer to a push of that format. `now`: microseconds."""
    status = _STATUS[outcome]
    taken = status is HTTPStatus.OK
    if format_name == "kuaidi100":
        told: dict[str, object] = {
            "result": taken,
            "returnCode": "200" if taken else "500",
            "message": "成功" if taken else "失败",
        }
    elif format_name == "kdniao":
        told = {
            "EBusinessID": _business_id(content) if taken else "",
            "UpdateTime": _in_china(now),
            "Success": taken,
            "Reason": "" if taken else outcome.value,
        }
    else:
        told = {"accepted": taken} if taken else {"accepted": taken, "reason": outcome.value}
    return Answer(int(status), orjson.dumps(told))


def _in_china(now: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=(now + CHINA) // SECOND)
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _business_id(content: bytes) -> str:
    """The number of the user at kdniao, which it wants to hear again."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    told = found.get("EBusinessID") if isinstance(found, dict) else None
    return str(told) if isinstance(told, str | int) else ""
