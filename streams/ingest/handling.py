"""What is done with a request, from its first byte to its answer."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from schemas.times import render
from schemas.topics import INGEST_DEAD_LETTERS, TopicNames
from streams.adapt import Format, Settings
from streams.engine.seldom import Seldom
from streams.ingest.answers import Outcome, answer
from streams.ingest.bodies import Refused, body_of
from streams.ingest.delivery import Delivery, Undelivered
from streams.ingest.gate import Full, Gate
from streams.ingest.metrics import IngestMetrics
from streams.ingest.pushes import PushEvent, Unread, read_push
from streams.ingest.senders import Sender
from streams.produce.writer import Outgoing
from streams.stages.intake import LARGEST_LETTER

log = structlog.get_logger(__name__)

#: Bytes of a body from which it is read in a thread, so that small ones need not wait for it; and has to have a place
#: before it comes.
_LARGE = 65_536
#: Seconds after which a platform may try again.
_RETRY_AFTER = "5"
#: Characters of a dead letter's key.
_KEY = 32


@dataclass(frozen=True, slots=True)
class Served:
    """A format that is served, and how. `secrets`: empty where its senders are not checked."""

    name: str
    format: Format
    settings: Settings
    sender: Sender
    secrets: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of a body, seconds for it to come, pushes at once, and how many more may wait for that."""

    body: int = 1 << 20
    seconds: float = 10.0
    at_once: int = 256
    waiting: int = 1024


class Handling:
    """Handles the pushes of all formats. `now`: the wall clock, in microseconds. `with_payload`: dead letters hold the
    push itself, which names people.
    """

    def __init__(
        self,
        delivery: Delivery,
        metrics: IngestMetrics,
        topics: TopicNames,
        bounds: Bounds,
        *,
        with_payload: bool = False,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._delivery, self._metrics, self._topics, self._bounds = delivery, metrics, topics, bounds
        self._with_payload, self._now = with_payload, now
        self._gate = Gate(bounds.at_once, bounds.waiting)
        # As many bodies of that size are in memory at once.
        self._large = Gate(bounds.at_once, bounds.waiting)
        self._seldom = Seldom[tuple[str, ...]](time.monotonic)

    async def push(self, served: Served, request: web.Request) -> web.Response:
        """Answers a push, once Kafka has what it holds."""
        began = time.perf_counter()
        self._metrics.begun()
        outcome, content = Outcome.UNDELIVERED, b""
        try:
            outcome, content = await self._received(served, request)
        except Full:
            outcome = Outcome.OVERLOADED
        except Refused as refused:
            outcome = refused.outcome
        except Undelivered:
            outcome = Outcome.UNDELIVERED
        finally:
            self._metrics.answered(served.name, outcome, time.perf_counter() - began)
        status, body = answer(served.name, outcome, content, self._now())
        headers = {"Retry-After": _RETRY_AFTER} if status == web.HTTPServiceUnavailable.status_code else None
        return web.Response(status=status, body=body, content_type="application/json", charset="utf-8", headers=headers)

    async def _received(self, served: Served, request: web.Request) -> tuple[Outcome, bytes]:
        """Waits for the body first: who sends it slowly takes nobody's place but that of other large ones."""
        length = request.content_length
        async with nullcontext() if length is not None and length <= _LARGE else self._large.entered():
            body = await body_of(request, self._bounds.body, self._bounds.seconds)
            async with self._gate.entered():
                return await self._taken(served, request, body)

    async def _taken(self, served: Served, request: web.Request, body: bytes) -> tuple[Outcome, bytes]:
        sender = served.sender
        if served.secrets:
            if sender.is_test(request.headers, body):
                return Outcome.TEST, b""
            vouched = sender.vouched(request.headers, body, served.secrets)
            if vouched is None:
                self._warn("bad signature", served.name)
                return Outcome.BAD_SIGNATURE, b""
            content = vouched
        else:
            content = sender.content(body)
        now, settings = self._now(), served.settings
        if settings.shop is None and (shop := sender.shop(request.headers)) is not None:
            settings = replace(settings, shop=shop)
        if len(content) < _LARGE:
            reading = read_push(served.format, content, settings, now)
        else:
            reading = await asyncio.to_thread(read_push, served.format, content, settings, now)
        records = [self._record(event) for event in reading.events]
        if reading.unread is not None:
            records.append(self._letter(served.name, reading.unread, content, now))
        if records:
            await self._delivery.send(records)
            self._metrics.delivered(Counter(event.topic for event in reading.events))
        if reading.unread is None:
            return Outcome.ACCEPTED, content
        self._metrics.dead_letter(served.name, reading.unread.code)
        self._warn("dead letter", served.name, reason=reading.unread.code)
        return Outcome.DEAD_LETTER, content

    def _record(self, event: PushEvent) -> Outgoing:
        return Outgoing(self._topics[event.topic], event.key, event.value)

    def _letter(self, format_name: str, unread: Unread, content: bytes, now: int) -> Outgoing:
        """The same push again has the same key."""
        value = content if self._with_payload and len(content) <= LARGEST_LETTER else None
        headers = (
            ("error-code", unread.code.encode()),
            ("error-detail", unread.detail.encode()),
            ("source-topic", f"push/{format_name}".encode()),
            ("failed-at", render(now).encode()),
        )
        key = hashlib.sha256(content).hexdigest()[:_KEY].encode()
        return Outgoing(self._topics[INGEST_DEAD_LETTERS], key, value, headers)

    def _warn(self, what: str, format_name: str, **more: str) -> None:
        """Logs it, unless it has just been: never what was pushed."""
        others = self._seldom.due((what, format_name, *more.values()))
        if others is not None:
            log.warning(what, format=format_name, **more, others_since=others)
