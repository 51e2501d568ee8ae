"""What each kind of channel is sent, and how its answers are understood, by a receiver on this machine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from schemas.times import SECOND
from streams.engine.errors import FatalError
from streams.notify.episode import Message
from streams.notify.http_channels import post
from streams.notify.outcome import Outcome, of_status
from streams.notify.sending import sender
from streams.notify.settings import Channel, Kind, Route, Settings
from tests.unit.notify.scenes import alert

NOW = 1_793_671_200.0
SECRET = "SECabc"  # noqa: S105


def message(**changes: Any) -> Message:
    given = {"id": "m1", "channel": "c", "title": "Parcel slow", "title_of_repeat": "again: Parcel slow",
             "text": "<P1> is & stays slow.", "items": [], "alerts": [alert().without_texts()],
             "digest": False}  # fmt: skip
    return Message(**{**given, **changes})  # type: ignore[arg-type]


class Received:
    """One request, whole."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.headers = request.headers
        self.query = request.query
        self.raw = body
        self.body = orjson.loads(body)


@asynccontextmanager
async def receiver(
    answer: web.Response | None = None, *, hangs: bool = False
) -> AsyncIterator[tuple[str, list[Received]]]:
    """A server that answers so, its address and what it was sent."""
    received: list[Received] = []
    ended = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        received.append(Received(request, await request.read()))
        if hangs:
            await ended.wait()
        return answer or web.json_response({"errcode": 0, "code": 0})

    app = web.Application()
    app.router.add_post("/hook", handle)
    async with TestServer(app) as server:
        try:
            yield str(server.make_url("/hook")), received
        finally:
            ended.set()


async def sent(kind: Kind, given: Message, secret: str | None = None) -> Received:
    async with receiver() as (url, received), aiohttp.ClientSession() as session:
        channel = Channel(name="c", kind=kind, url=f"{url}?access_token=t", secret=secret)
        assert await post(session, channel, given) == Outcome("accepted")
    return received[0]


async def test_a_webhook_is_signed_and_carries_the_alerts_id_as_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = base64.b64encode(b"k" * 24).decode()
    for secret, known in ((f"whsec_{key}", b"k" * 24), ("plain", b"plain")):
        got = await sent("webhook", message(), secret)
        assert got.headers["webhook-id"] == got.headers["Idempotency-Key"] == got.body["id"] == "m1"
        signed = f"m1.{got.headers['webhook-timestamp']}.".encode() + got.raw
        expected = base64.b64encode(hmac.new(known, signed, hashlib.sha256).digest()).decode()
        assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert got.body == {
        "id": "m1", "repeat": False, "digest": False, "title": "Parcel slow", "text": "<P1> is & stays slow.",
        "alerts": [alert().document()],
    }  # fmt: skip


async def test_what_may_have_arrived_has_the_same_key_and_says_that_it_is_a_repeat() -> None:
    again = message(uncertain=True)
    got = await sent("webhook", again)
    assert (got.headers["Idempotency-Key"], got.body["repeat"]) == ("m1", True)
    assert (await sent("slack", again)).body["text"].startswith("again: Parcel slow\n")


async def test_dingtalk_is_signed_in_the_address_and_keeps_its_token() -> None:
    got = await sent("dingtalk", message(), SECRET)
    stamp = got.query["timestamp"]
    sign = base64.b64encode(hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()).decode()
    assert got.query["sign"] == sign
    assert got.query["access_token"] == "t"  # noqa: S105
    assert got.body == {"msgtype": "text", "text": {"content": "Parcel slow\n<P1> is & stays slow."}}


async def test_feishu_is_signed_in_the_body_and_calls_nobody() -> None:
    got = await sent("feishu", message(text='<at user_id="all">x</at>'), SECRET)
    stamp = got.body["timestamp"]
    sign = hmac.new(f"{stamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert got.body["sign"] == base64.b64encode(sign).decode()
    assert "<" not in got.body["content"]["text"]


async def test_wecom_takes_no_more_than_it_can_show() -> None:
    got = await sent("wecom", message(text="停" * 3_000))
    text = got.body["text"]["content"]
    assert len(text.encode()) <= 2_048
    assert text.endswith("停…")


async def test_slack_calls_nobody() -> None:
    assert (await sent("slack", message(text="<!channel> & co"))).body["text"].endswith("&lt;!channel&gt; &amp; co")


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, Outcome("refused", "errcode 310000")),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, Outcome("limited", "errcode 130101", 60.0)),
        ("dingtalk", {"errcode": 430102}, Outcome("rejected", "errcode 430102")),
        ("wecom", {"errcode": 45009}, Outcome("limited", "errcode 45009", 60.0)),
        ("wecom", {"errcode": 93000}, Outcome("refused", "errcode 93000")),
        ("feishu", {"code": 11232}, Outcome("limited", "code 11232", 60.0)),
        ("feishu", {"code": 19021}, Outcome("refused", "code 19021")),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success"}, Outcome("accepted")),
        ("dingtalk", ["?"], Outcome("refused", "no answer of a bot")),
        ("webhook", {"errcode": 1}, Outcome("accepted")),
    ],
)
async def test_a_bots_no_comes_with_http_200_and_is_a_no(kind: Kind, body: Any, outcome: Outcome) -> None:
    async with receiver(web.json_response(body)) as (url, _), aiohttp.ClientSession() as session:
        assert await post(session, Channel(name="c", kind=kind, url=url), message()) == outcome


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (204, None, Outcome("accepted")),
        (429, "7", Outcome("limited", "HTTP 429", 7.0)),
        (429, None, Outcome("limited", "HTTP 429", None)),
        (429, "99999", Outcome("limited", "HTTP 429", 3600.0)),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", Outcome("limited", "HTTP 429", None)),
        (503, "3", Outcome("limited", "HTTP 503", 3.0)),
        (503, None, Outcome("refused", "HTTP 503", None)),
        (500, None, Outcome("refused", "HTTP 500", None)),
        (401, None, Outcome("refused", "HTTP 401", None)),
        (302, None, Outcome("refused", "HTTP 302", None)),
        (413, None, Outcome("rejected", "HTTP 413")),
    ],
)
def test_http_statuses(status: int, retry_after: str | None, outcome: Outcome) -> None:
    assert of_status(status, retry_after) == outcome


async def test_without_an_answer_nobody_knows_and_without_a_connection_it_was_not_sent() -> None:
    async with receiver(hangs=True) as (url, received), aiohttp.ClientSession() as session:
        hanging = Channel(name="c", kind="webhook", url=url, timeout=SECOND // 5)
        assert await post(session, hanging, message()) == Outcome("uncertain", "no answer in time")
        assert len(received) == 1
        nobody = Channel(name="c", kind="webhook", url=f"http://127.0.0.1:{unused_port()}/")
        assert await post(session, nobody, message()) == Outcome("refused", "no connection")


async def test_a_bots_answer_may_come_in_pieces() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in (b'{"errcode"', b": 0, ", b'"errmsg": "ok"}'):
            await answer.write(piece)
            # Who has asked is in the same event loop, and reads what has come.
            for _ in range(50):
                await asyncio.sleep(0)
        return answer

    app = web.Application()
    app.router.add_post("/", handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        channel = Channel(name="c", kind="dingtalk", url=str(server.make_url("/")))
        assert await post(session, channel, message()) == Outcome("accepted")


def settings(url: str) -> Settings:
    return Settings(
        channels={"c": Channel(name="c", kind="apprise", url=url)}, routes=(Route(name="r", channels=("c",)),)
    )


async def test_apprise_sends_and_tells_whether_it_could() -> None:
    async with receiver() as (url, received):
        async with sender(settings(url.replace("http:", "json:"))) as send:
            assert await send(message()) == Outcome("accepted")
        assert (received[0].body["title"], received[0].body["message"]) == ("Parcel slow", "<P1> is & stays slow.")
    async with receiver(web.Response(status=500)) as (url, _), sender(settings(url.replace("http:", "json:"))) as send:
        assert await send(message()) == Outcome("refused", "Apprise reports a failure")


async def test_an_address_that_apprise_does_not_know_is_one_line_without_it() -> None:
    with pytest.raises(FatalError, match=r"^channels\.c\.apprise: Apprise does not know such an address$"):
        async with sender(settings("nothing://secret")):
            pass
