"""Notifiers on the log in memory: who leads, what is sent through crashes, and what is written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest
from structlog.testing import capture_logs

from schemas.times import HOUR, SECOND, render
from schemas.topics import PLAIN
from streams.engine.errors import FatalError, RefusedError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.notify import service
from streams.notify.alert import Alert
from streams.notify.episode import Message
from streams.notify.leading import Names, backoff
from streams.notify.metrics import NotifyMetrics
from streams.notify.outcome import Outcome
from streams.notify.service import Service, Start
from streams.notify.settings import Channel, Route, Settings
from streams.worker.health import Health
from tests.patience import PATIENCE
from tests.unit.notify.scenes import T0, alert, resolved

NAMES = Names.of("app")
TOPIC = "alerts.merchant"


def record(one: Alert) -> bytes:
    return orjson.dumps({
        "id": one.id, "type": f"parcelwatch.{one.key.type}.v1", "subject": one.key.subject, "time": render(one.time),
        "data": {"status": one.status, "severity": one.severity, "audience": one.key.audience,
                 "episode": one.key.episode, "shop_id": one.shop, "order_id": one.order, "resolution": one.resolution,
                 "message": one.message},
    })  # fmt: skip


class Receiver:
    """Channels, as a test wants them to answer. `sent`: every message that has come, in order."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.outcomes: list[Outcome] = []
        self.hangs = asyncio.Event()
        self.hangs.set()

    async def send(self, message: Message) -> Outcome:
        self.sent.append(message)
        await self.hangs.wait()
        return self.outcomes.pop(0) if self.outcomes else Outcome("accepted")

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.sent]


class Scene:
    """A log with the topics of alerts, and notifiers on it. The clock stands unless a test moves it."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.log.make(TOPIC, 2)
        self.log.make("alerts.platform", 1)
        self.receiver = Receiver()
        self.now = T0
        self.settings = Settings(
            channels={"chat": Channel(name="chat", kind="webhook", url="http://127.0.0.1:1", patience=HOUR)},
            routes=(Route(name="all", channels=("chat",)),), wait=0,
        )  # fmt: skip
        self.metrics: list[NotifyMetrics] = []
        self.healths: list[Health] = []

    def append(self, *alerts: Alert) -> None:
        for one in alerts:
            key = (one.shop or "").encode()
            self.log.append(TOPIC, key, record(one))

    @asynccontextmanager
    async def notifier(self, start: Start = "earliest") -> AsyncIterator[asyncio.Task[None]]:
        metrics, health, stop = NotifyMetrics(self.settings), Health(), asyncio.Event()
        self.metrics.append(metrics)
        self.healths.append(health)
        service = Service(
            self.log, NAMES, PLAIN, self.settings, self.receiver.send,
            start=start, metrics=metrics, health=health, now=lambda: self.now,
        )  # fmt: skip
        running = asyncio.create_task(service.run(stop))
        try:
            yield running
        finally:
            stop.set()
            await asyncio.wait([running], timeout=PATIENCE)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def dead_letters(self) -> list[dict[str, object]]:
        found = self.log.read(TopicPartition(NAMES.dead_letters, 0), 0, 100)
        return [orjson.loads(one.value or b"") for one in found.records]


def value(metrics: NotifyMetrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"parcelwatch_notify_{name}", labels) or 0.0


async def test_an_alert_and_its_end_are_sent_once_each() -> None:
    scene, slow = Scene(), alert()
    async with scene.notifier():
        scene.append(slow)
        await scene.until(lambda: scene.receiver.ids == [slow.id])
        scene.append(slow, resolved(slow))
        await scene.until(lambda: len(scene.receiver.ids) == 2)
    async with scene.notifier():
        await scene.until(lambda: value(scene.metrics[1], "leading") == 1)
        scene.append(alert(subject="P2"))
        await scene.until(lambda: len(scene.receiver.ids) == 3)
    assert scene.receiver.ids == [slow.id, resolved(slow).id, alert(subject="P2").id]
    assert not any(message.uncertain for message in scene.receiver.sent)


async def test_a_notifier_that_has_never_run_tells_of_what_comes_from_then_on() -> None:
    scene = Scene()
    scene.append(alert())
    async with scene.notifier("latest"):
        await scene.until(lambda: bool(scene.metrics) and value(scene.metrics[0], "leading") == 1)
        scene.append(alert(subject="P2"))
        await scene.until(lambda: bool(scene.receiver.ids))
    scene.append(alert(subject="P3"))
    async with scene.notifier("latest"):
        await scene.until(lambda: len(scene.receiver.ids) == 2)
    assert scene.receiver.ids == [alert(subject="P2").id, alert(subject="P3").id]


async def test_the_one_that_leads_is_ready() -> None:
    scene = Scene()
    async with scene.notifier():
        assert scene.healths[0].reasons
        scene.append(alert())
        await scene.until(lambda: bool(scene.receiver.ids))
        assert scene.healths[0].ready


async def test_what_is_over_in_the_backlog_is_not_told() -> None:
    scene, many = Scene(), [alert(subject=f"P{number}") for number in range(700)]
    scene.append(*many, alert(subject="open"), *map(resolved, many))
    async with scene.notifier():
        await scene.until(lambda: bool(scene.receiver.ids))
        scene.append(alert(subject="last"))
        await scene.until(lambda: alert(subject="last").id in scene.receiver.ids)
    assert scene.receiver.ids == [alert(subject="open").id, alert(subject="last").id]


async def test_one_of_two_tells_and_the_other_takes_its_place() -> None:
    scene = Scene()
    async with AsyncExitStack() as both:
        first = AsyncExitStack()
        await first.enter_async_context(scene.notifier())
        await scene.until(lambda: value(scene.metrics[0], "leading") == 1)
        await both.enter_async_context(scene.notifier())
        scene.append(alert())
        await scene.until(lambda: bool(scene.receiver.ids))
        assert [value(each, "leading") for each in scene.metrics] == [1, 0]
        await first.aclose()
        await scene.until(lambda: value(scene.metrics[1], "leading") == 1)
        scene.append(alert(subject="P2"))
        await scene.until(lambda: len(scene.receiver.ids) == 2)
    assert scene.receiver.ids == [alert().id, alert(subject="P2").id]


async def test_what_was_under_way_at_a_crash_is_sent_again_marked() -> None:
    scene = Scene()
    scene.receiver.hangs.clear()
    async with scene.notifier() as first:
        scene.append(alert(), alert(subject="P2"))
        await scene.until(lambda: bool(scene.receiver.ids))
        first.cancel()
        await asyncio.wait([first])
    scene.receiver.hangs.set()
    async with scene.notifier():
        await scene.until(lambda: len(scene.receiver.ids) == 3)
    assert scene.receiver.ids == [alert().id, alert().id, alert(subject="P2").id]
    assert [message.uncertain for message in scene.receiver.sent] == [False, True, False]


async def test_who_is_asked_to_end_waits_for_what_is_under_way() -> None:
    scene = Scene()
    scene.receiver.hangs.clear()
    async with scene.notifier():
        scene.append(alert())
        await scene.until(lambda: bool(scene.receiver.ids))
        asyncio.get_running_loop().call_later(0.05, scene.receiver.hangs.set)
    async with scene.notifier():
        scene.append(alert(subject="P2"))
        await scene.until(lambda: len(scene.receiver.ids) == 2)
    assert scene.receiver.ids == [alert().id, alert(subject="P2").id]


async def test_a_channel_that_refuses_is_asked_again_when_it_says_so() -> None:
    scene = Scene()
    scene.receiver.outcomes = [Outcome("limited", "HTTP 429", 7.0), Outcome("refused", "HTTP 500", 1.0)]
    async with scene.notifier():
        scene.append(alert())
        for outcome, pause in (("limited", 7), ("refused", 1)):
            await scene.until(lambda seen=outcome: attempts(scene, seen) == 1)  # type: ignore[misc]
            scene.now += pause * SECOND - 1
            await asyncio.sleep(0.02)
            assert attempts(scene, "accepted") == 0
            scene.now += 1
        await scene.until(lambda: attempts(scene, "accepted") == 1)
    assert scene.receiver.ids == [alert().id] * 3


def attempts(scene: Scene, outcome: str) -> float:
    return value(scene.metrics[0], "attempts_total", channel="chat", outcome=outcome)


async def test_a_dead_channel_writes_dead_letters_and_says_so() -> None:
    scene = Scene()
    scene.receiver.outcomes = [Outcome("refused", "HTTP 500", 1.0), Outcome("uncertain", "no answer in time", 1.0)]
    async with scene.notifier():
        scene.append(alert())
        await scene.until(lambda: attempts(scene, "refused") == 1)
        scene.now += HOUR
        await scene.until(lambda: bool(scene.dead_letters()))
        assert value(scene.metrics[0], "channel_dead", channel="chat") == 1
    (letter,) = scene.dead_letters()
    assert (letter["channel"], letter["reason"], letter["may_have_arrived"]) == ("chat", "dead_channel", True)
    assert letter["alert"] == {**alert().document(), "message": alert().message}


async def test_a_record_that_is_no_alert_is_skipped_and_counted() -> None:
    scene = Scene()
    scene.log.append(TOPIC, b"tea", b"no alert")
    scene.append(alert())
    async with scene.notifier():
        await scene.until(lambda: bool(scene.receiver.ids))
        assert value(scene.metrics[0], "unreadable_total") == 1


async def test_a_flood_of_records_that_are_no_alerts_is_counted_and_not_logged_one_by_one() -> None:
    scene = Scene()
    for number in range(1_000):
        scene.log.append(TOPIC, b"%d" % number, b"no alert")
    scene.append(alert())
    with capture_logs() as logged:
        async with scene.notifier():
            await scene.until(lambda: bool(scene.receiver.ids))
            assert value(scene.metrics[0], "unreadable_total") == 1_000
    lines = [line for line in logged if line["event"] == "not an alert"]
    assert 1 <= len(lines) == len({(line["topic"], line["partition"]) for line in lines})


async def test_alerts_that_were_deleted_before_they_were_read_are_counted() -> None:
    scene = Scene()
    async with scene.notifier():
        scene.append(alert())
        await scene.until(lambda: bool(scene.receiver.ids))
    scene.append(*(alert(subject=f"P{number}") for number in range(5)))
    source = TopicPartition(TOPIC, partition_for(b"tea", 2))
    scene.log.truncate(source, scene.log.end(source) - 2)
    async with scene.notifier():
        await scene.until(lambda: len(scene.receiver.ids) == 3)
        assert value(scene.metrics[1], "lost_total") == 3


async def test_who_was_fenced_sends_nothing_and_begins_anew() -> None:
    scene = Scene()
    async with scene.notifier():
        scene.receiver.hangs.clear()
        scene.append(alert())
        await scene.until(lambda: bool(scene.receiver.ids))
        # That it arrived is written down a moment after it is counted.
        written = scene.log.end(NAMES.changelog)
        scene.receiver.hangs.set()
        await scene.until(lambda: scene.log.end(NAMES.changelog) > written)
        await scene.log.writer(NAMES.group, NAMES.group)
        scene.append(alert(subject="P2"))
        await scene.until(lambda: len(scene.receiver.ids) == 2)
    assert scene.receiver.ids == [alert().id, alert(subject="P2").id]


async def test_who_is_not_accepted_any_more_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_AGAIN", 0.02)
    scene = Scene()
    tries = 0

    async def start() -> None:
        nonlocal tries
        tries += 1
        if scene.log.refusal is not None:
            raise RefusedError(scene.log.refusal)

    scene.log.start = start  # type: ignore[method-assign]
    async with scene.notifier() as running:
        await scene.until(lambda: scene.healths[0].ready and value(scene.metrics[0], "leading") == 1)
        scene.log.refusal = "who?"
        # Whatever it meets first, it has to connect again.
        scene.log.fence(NAMES.group)
        scene.append(alert())
        await scene.until(lambda: scene.healths[0].reasons.get("credentials") == "who?")
        before = tries
        await scene.until(lambda: tries > before + 2)
        assert not running.done()
        scene.log.refusal = None
        await scene.until(lambda: scene.healths[0].ready and len(scene.receiver.sent) == 1)


async def test_who_is_not_accepted_at_the_start_ends() -> None:
    scene = Scene()

    async def start() -> None:
        raise RefusedError("who?")

    scene.log.start = start  # type: ignore[method-assign]
    async with scene.notifier() as running:
        with pytest.raises(RefusedError, match=r"^who\?$"):
            await running


async def test_without_topics_of_alerts_it_ends_with_one_line() -> None:
    scene = Scene()
    scene.log.drop(TOPIC)
    async with scene.notifier() as running:
        await asyncio.wait([running], timeout=PATIENCE)
    with pytest.raises(FatalError, match=r"there is no topic alerts\.merchant: `parcelwatch topics` creates them"):
        await running


@pytest.mark.parametrize(
    ("failures", "spread", "seconds"), [(0, 0, 0.5), (0, 1, 1), (3, 1, 8), (9, 1, 300), (99, 0, 150)]
)
def test_tries_are_further_and_further_apart(failures: int, spread: float, seconds: float) -> None:
    assert backoff(failures, spread) == seconds * SECOND
