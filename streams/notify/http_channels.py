"""Channels over HTTP whose answers are understood: webhooks, and the bots of DingTalk, Feishu, WeCom and Slack.

Bots answer HTTP 200 to what they refuse, and say so in the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import aiohttp
import orjson

from schemas.times import SECOND
from streams.notify.episode import Message
from streams.notify.outcome import Outcome, of_status
from streams.notify.settings import Channel, Kind

#: Seconds that a bot is left alone if it says that too much comes and not for how long.
_PAUSE = 60.0
#: The most bytes of an answer that are looked at.
_ANSWER = 65_536


class Request(NamedTuple):
    """What is posted, with what is added to the address."""

    body: bytes
    headers: dict[str, str]
    query: dict[str, str]


def request(channel: Channel, message: Message, now: float) -> Request:
    """The request for a message. `now`: seconds since 1970, for signatures."""
    return _REQUESTS[channel.kind](channel, message, now)


async def post(session: aiohttp.ClientSession, channel: Channel, message: Message) -> Outcome:
    """Sends a message. Never raises for what the other side does."""
    made = request(channel, message, time.time())
    headers = {"Content-Type": "application/json; charset=utf-8", **made.headers}
    seconds = channel.timeout / SECOND
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds / 2)
    try:
        async with session.post(
            channel.url, data=made.body, headers=headers, params=made.query, timeout=timeout, allow_redirects=False
        ) as answer:
            by_status = of_status(answer.status, answer.headers.get("Retry-After"))
            if by_status.verdict != "accepted" or channel.kind not in _VERDICTS:
                return by_status
            return _VERDICTS[channel.kind](await _body(answer.content))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        return Outcome("refused", "no connection")
    except aiohttp.InvalidURL:
        return Outcome("refused", "no such address")
    except TimeoutError:
        return Outcome("uncertain", "no answer in time")
    except (aiohttp.ClientError, OSError) as error:
        return Outcome("uncertain", f"the connection broke ({type(error).__name__})")


async def _body(content: aiohttp.StreamReader) -> bytes:
    """All of it, up to the bound, however it comes: of a part nobody knows what it says."""
    body = b""
    while len(body) < _ANSWER and (part := await content.read(_ANSWER - len(body))):
        body += part
    return body


def title_of(message: Message) -> str:
    """The title; of what may have arrived before, it says so."""
    return message.title_of_repeat if message.uncertain else message.title


def _text(message: Message, most: int | None = None) -> str:
    """Title and text, in at most so many bytes of UTF-8."""
    whole = f"{title_of(message)}\n{message.text}"
    if most is None or len(whole.encode()) <= most:
        return whole
    return whole.encode()[: most - 4].decode("utf-8", "ignore") + "…"


# -- requests


def _to_webhook(channel: Channel, message: Message, now: float) -> Request:
    """Signed as Standard Webhooks has it, so that receivers find libraries; the id is the idempotency key."""
    body = orjson.dumps(
        {
            "id": message.id,
            "repeat": message.uncertain,
            "digest": message.digest,
            "title": message.title,
            "text": message.text,
            "alerts": [alert.document() for alert in message.alerts],
        }
    )
    headers = {"webhook-id": message.id, "webhook-timestamp": str(int(now)), "Idempotency-Key": message.id}
    if channel.secret is not None:
        signed = f"{message.id}.{int(now)}.".encode() + body
        headers["webhook-signature"] = f"v1,{_hmac(_webhook_key(channel.secret), signed)}"
    return Request(body, headers, {})


def _to_dingtalk(channel: Channel, message: Message, now: float) -> Request:
    query = {}
    if channel.secret is not None:
        timestamp = str(round(now * 1000))
        sign = _hmac(channel.secret.encode(), f"{timestamp}\n{channel.secret}".encode())
        query = {"timestamp": timestamp, "sign": sign}
    content = {"msgtype": "text", "text": {"content": _text(message, 18_000)}}
    return Request(orjson.dumps(content), {}, query)


def _to_feishu(channel: Channel, message: Message, now: float) -> Request:
    # In its texts a tag <at ...> calls people.
    content: dict[str, Any] = {"msg_type": "text", "content": {"text": _text(message, 18_000).replace("<", "＜")}}
    if channel.secret is not None:
        timestamp = str(int(now))
        content |= {"timestamp": timestamp, "sign": _hmac(f"{timestamp}\n{channel.secret}".encode(), b"")}
    return Request(orjson.dumps(content), {}, {})


def _to_wecom(_channel: Channel, message: Message, _now: float) -> Request:
    return Request(orjson.dumps({"msgtype": "text", "text": {"content": _text(message, 2_048)}}), {}, {})


def _to_slack(_channel: Channel, message: Message, _now: float) -> Request:
    text = _text(message, 39_000).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Request(orjson.dumps({"text": text}), {}, {})


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _webhook_key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            pass
    return secret.encode()


# -- answers


def _by_code(name: str, limits: frozenset[int], messages: frozenset[int]) -> Callable[[bytes], Outcome]:
    """The outcome by the code in a bot's answer. `limits`: too much comes; `messages`: this message is at fault."""

    def verdict(body: bytes) -> Outcome:
        try:
            code = orjson.loads(body).get(name, 0)
        except (ValueError, AttributeError):
            return Outcome("refused", "no answer of a bot")
        why = f"{name} {code}"
        if code == 0:
            return Outcome("accepted")
        if code in limits:
            return Outcome("limited", why, _PAUSE)
        return Outcome("rejected" if code in messages else "refused", why)

    return verdict


_REQUESTS: dict[Kind, Callable[[Channel, Message, float], Request]] = {
    "webhook": _to_webhook,
    "dingtalk": _to_dingtalk,
    "feishu": _to_feishu,
    "wecom": _to_wecom,
    "slack": _to_slack,
}
_VERDICTS: dict[Kind, Callable[[bytes], Outcome]] = {
    "dingtalk": _by_code("errcode", frozenset({130101, 410100}), frozenset({430101, 430102, 430103, 430104})),
    "feishu": _by_code("code", frozenset({11232}), frozenset({9499})),
    "wecom": _by_code("errcode", frozenset({45009, 45033}), frozenset({40008, 40058, 44004, 45002})),
}
