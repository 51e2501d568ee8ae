"""What a platform hears, over HTTP, and when."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from streams.ingest import server
from streams.ingest.answers import Outcome
from streams.ingest.catalogue import CATALOGUE
from streams.ingest.handling import Bounds
from streams.ingest.server import HEADERS
from streams.worker.catalogue import CATALOGUE as WORKER
from tests.patience import PATIENCE
from tests.unit.ingest.pushing import BODY, form, ingesting

ACCEPTED = {"accepted": True}


async def test_a_push_is_answered_once_its_events_are_there() -> None:
    async with ingesting() as ingest:
        ingest.hand.open.clear()
        pushing = asyncio.create_task(ingest.post("any"))
        done, _ = await asyncio.wait([pushing], timeout=0.2)
        assert not done
        ingest.hand.open.set()
        status, told, headers = await pushing
        assert (status, told) == (200, ACCEPTED)
        assert HEADERS.items() <= headers.items()
        (record,) = ingest.hand.sent
        assert (record.topic, record.key) == ("logistics-scans", b"7830001")
        assert json.loads(record.value or b"")["status"] == "departed"
        assert ingest.count("parcelwatch_ingest_pushes_total", format="any", outcome="accepted") == 1
        assert ingest.count("parcelwatch_ingest_events_total", topic="logistics-scans") == 1
        assert ingest.count("parcelwatch_ingest_in_flight") == 0


async def test_kuaidi100_hears_result_true_or_false() -> None:
    secrets = {"kuaidi100": (b"salt",)}
    async with ingesting(secrets=secrets) as ingest:
        sign = hashlib.md5(BODY + b"salt").hexdigest().upper()  # noqa: S324
        status, told, _ = await ingest.post("kuaidi100", form(param=BODY, sign=sign))
        assert (status, told) == (200, {"result": True, "returnCode": "200", "message": "成功"})
        status, told, _ = await ingest.post("kuaidi100", form(param=BODY, sign=sign.lower()))
        assert (status, told["result"], told["returnCode"]) == (401, False, "500")
        ingest.hand.wrong = "no broker answers"
        status, told, headers = await ingest.post("kuaidi100", form(param=BODY, sign=sign))
        assert (status, told["result"], headers["Retry-After"]) == (503, False, "5")
        assert len(ingest.hand.sent) == 1


async def test_kdniao_hears_its_own_number_and_the_time_in_china() -> None:
    secrets = {"kdniao": (b"key",)}
    content = json.dumps({"EBusinessID": "1237100", "Data": [json.loads(BODY)]}).encode()
    sign = base64.b64encode(hashlib.md5(content + b"key").hexdigest().encode())  # noqa: S324
    async with ingesting(secrets=secrets) as ingest:
        status, told, _ = await ingest.post("kdniao", form(RequestData=content, DataSign=sign, RequestType="101"))
        assert (status, told) == (
            200,
            {"EBusinessID": "1237100", "UpdateTime": "2026-03-04 20:00:00", "Success": True, "Reason": ""},
        )
        status, told, _ = await ingest.post("kdniao", form(RequestData=content, DataSign="x"))
        assert (status, told["Success"], told["Reason"]) == (401, False, "bad_signature")


async def test_what_cannot_be_read_is_a_dead_letter_and_is_not_pushed_again() -> None:
    async with ingesting() as ingest:
        status, told, _ = await ingest.post("any", b"secret words")
        assert (status, told) == (200, ACCEPTED)
        (letter,) = ingest.hand.sent
        assert (letter.topic, letter.value) == ("ingest.dlq", None)
        assert letter.key == hashlib.sha256(b"secret words").hexdigest()[:32].encode()
        assert dict(letter.headers) == {
            "error-code": b"unreadable",
            "error-detail": b"nothing of the format in it",
            "source-topic": b"push/any",
            "failed-at": b"2026-03-04T12:00:00Z",
        }
        assert ingest.count("parcelwatch_ingest_dead_letters_total", format="any", reason="unreadable") == 1
        ingest.hand.wrong = "no broker answers"
        status, _, _ = await ingest.post("any", b"secret words")
        assert status == 503


async def test_a_flood_of_unreadable_pushes_is_counted_and_logged_once() -> None:
    async with ingesting() as ingest:
        with capture_logs() as logged:
            for number in range(200):
                assert (await ingest.post("any", b"no push %d" % number))[0] == 200
            assert (await ingest.post("any"))[0] == 200
        assert ingest.count("parcelwatch_ingest_dead_letters_total", format="any", reason="unreadable") == 200
        assert [record.topic for record in ingest.hand.sent] == ["ingest.dlq"] * 200 + ["logistics-scans"]
    assert [line["event"] for line in logged] == ["dead letter"]


async def test_a_dead_letter_holds_the_push_where_that_is_wished_for() -> None:
    async with ingesting(with_payload=True) as ingest:
        await ingest.post("any", b"secret words")
        assert ingest.hand.sent[0].value == b"secret words"


async def test_what_can_be_read_of_a_push_goes_to_its_topic_all_the_same() -> None:
    async with ingesting() as ingest:
        body = json.loads(BODY)
        body["lastResult"]["data"].append({"ftime": "yesterday", "context": "?"})
        assert (await ingest.post("any", json.dumps(body).encode()))[0] == 200
        assert [record.topic for record in ingest.hand.sent] == ["logistics-scans", "ingest.dlq"]


async def test_neither_secret_nor_push_is_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with ingesting() as ingest:
            await ingest.post("any", b"secret words")
            await ingest.post("any", b"secret words", Authorization="Bearer secret-token")
    said = caplog.text + "".join(capfd.readouterr())
    assert "dead letter" in said
    assert "bad signature" in said
    assert "secret" not in said.replace("bad_signature", "")


async def parts(body: bytes) -> AsyncIterator[bytes]:
    yield body[:500]
    yield body[500:]


@pytest.mark.parametrize(("size", "status"), [(1023, 200), (1024, 200), (1025, 413)])
async def test_a_body_is_bounded(size: int, status: int) -> None:
    async with ingesting(Bounds(body=1024)) as ingest:
        body = BODY + b" " * (size - len(BODY))
        assert (await ingest.post("any", body))[0] == status
        # Unpacked, too; and where its length is not told.
        assert (await ingest.post("any", gzip.compress(body), Content_Encoding="gzip"))[0] == status
        assert (await ingest.post("any", parts(body)))[0] == status


async def test_an_encoding_that_is_not_known_is_refused() -> None:
    async with ingesting() as ingest:
        status, told, _ = await ingest.post("any", BODY, Content_Encoding="br")
        assert (status, told) == (400, {"accepted": False, "reason": "bad_body"})
        assert (await ingest.post("any", b"no gzip", Content_Encoding="gzip"))[0] == 400


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async with ingesting(Bounds(seconds=0.1)) as ingest:
        host, port = ingest.address.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /push/any HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        async with asyncio.timeout(PATIENCE):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


@pytest.mark.parametrize("length", [10, 500_000])
async def test_who_sends_slowly_takes_nobodys_place(length: int) -> None:
    async with ingesting(Bounds(seconds=2 * PATIENCE, at_once=1, waiting=0)) as ingest:
        host, port = ingest.address.removeprefix("http://").rstrip("/").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /push/any HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nabc".encode())
        async with asyncio.timeout(PATIENCE):
            while not ingest.count("parcelwatch_ingest_in_flight"):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert (await ingest.post("any"))[0] == 200
        writer.transport.abort()


async def test_a_connection_that_never_asks_is_ended_and_one_that_waits_for_its_answer_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_HEAD", 0.2)
    async with ingesting() as ingest:
        host, port = ingest.address.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /push/any HTTP/1.1\r\nHost: x\r\n")
        ingest.hand.open.clear()
        pushing = asyncio.create_task(ingest.post("any"))
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        ingest.hand.open.set()
        assert (await pushing)[0] == 200
        writer.close()


async def test_the_metrics_are_those_of_the_catalogue() -> None:
    async with ingesting() as ingest:
        await ingest.post("any")
        await ingest.post("any", b"no push")
        text = generate_latest(ingest.metrics.registry).decode()
    shown = dict(re.findall(r"^# TYPE (parcelwatch_\S+) (\S+)$", text, re.MULTILINE))
    known = CATALOGUE | {name: entry for name, entry in WORKER.items() if "_http_" in name or "_certificate_" in name}
    assert shown == {entry.name: entry.kind for entry in known.values()}
    series = r"^(parcelwatch_[a-z_]+?)(?:_bucket|_sum|_count)?(?:{(.*)})? \S+$"
    for name, labels in re.findall(series, text, re.MULTILINE):
        assert set(re.findall(r'(\w+)="', labels)) - {"le"} == set(known[name].labels), name


async def test_more_pushes_than_there_is_room_for_come_back_later() -> None:
    async with ingesting(Bounds(at_once=1, waiting=1)) as ingest:
        ingest.hand.open.clear()
        pushing = [asyncio.create_task(ingest.post("any")) for _ in range(3)]
        (first,), _ = await asyncio.wait(pushing, return_when=asyncio.FIRST_COMPLETED)
        status, told, headers = first.result()
        assert (status, told["reason"], headers["Retry-After"]) == (503, "overloaded", "5")
        ingest.hand.open.set()
        assert sorted(answer[0] for answer in await asyncio.gather(*pushing)) == [200, 200, 503]
        assert (await ingest.post("any"))[0] == 200


async def test_other_addresses_and_methods_are_refused() -> None:
    async with ingesting() as ingest, aiohttp.ClientSession(ingest.address) as session:
        assert (await ingest.post("shopify"))[0] == 404
        for path, status in (("/push/any", 405), ("/", 404), ("/metrics", 404)):
            async with session.get(path) as answer:
                assert answer.status == status
                assert HEADERS.items() <= answer.headers.items()


async def test_it_is_ready_while_kafka_takes_events_and_until_it_is_to_end() -> None:
    async with ingesting() as ingest, aiohttp.ClientSession(ingest.address) as session:

        async def asked(path: str) -> int:
            async with session.get(path) as answer:
                return answer.status

        assert (await asked("/livez"), await asked("/readyz")) == (200, 200)
        ingest.hand.wrong = "no broker answers"
        assert (await asked("/livez"), await asked("/readyz")) == (200, 503)
        ingest.hand.wrong, ingest.health.ending = None, True
        assert await asked("/readyz") == 503


async def test_woocommerce_may_try_the_address() -> None:
    async with ingesting(secrets={"woocommerce": (b"secret",)}) as ingest:
        assert (await ingest.post("woocommerce", b"webhook_id=3"))[0] == 200
        assert not ingest.hand.sent


async def test_senders_who_are_not_checked_are_taken_at_their_word() -> None:
    async with ingesting(secrets={"kuaidi100": ()}) as ingest:
        assert (await ingest.post("kuaidi100", form(param=BODY)))[0] == 200
        assert (await ingest.post("kuaidi100", BODY))[0] == 200
        assert len(ingest.hand.sent) == 2


def test_every_outcome_has_a_place_in_the_catalogue() -> None:
    meaning = CATALOGUE["parcelwatch_ingest_pushes_total"].meaning
    assert all(f"`{outcome}`" in meaning for outcome in Outcome)
