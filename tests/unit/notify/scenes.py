"""Alerts and settings for tests, about one shop in Shanghai on Tuesday, 3 November 2026."""

from __future__ import annotations

from typing import Any

from schemas.times import HOUR, parse
from streams.notify.alert import Alert, EpisodeKey
from streams.notify.book import Book
from streams.notify.episode import Message
from streams.notify.settings import Channel, Route, Settings
from streams.notify.state import State

#: 10:00 in Shanghai.
T0 = parse("2026-11-03T02:00:00Z")
ZONE = "Asia/Shanghai"
WAIT = 10_000_000


def alert(status: str = "raised", **changes: Any) -> Alert:
    """One of shop `tea`: a parcel that is slow."""
    given = {"subject": "P1", "type": "shipment.slow", "episode": "e1", "audience": "merchant", "severity": "warning",
             "shop": "tea", "time": T0, "resolution": None, **changes}  # fmt: skip
    key = EpisodeKey(given["audience"], given["type"], given["subject"], given["episode"])
    return Alert(
        id="-".join((*key, status)), key=key, status=status, time=given["time"], severity=given["severity"],
        shop=given["shop"], order="o1", resolution=given["resolution"],
        message={"en": f"{key.subject} {key.type} {status}", "zh-CN": f"{key.subject} 的消息"}, advice=[],
    )  # fmt: skip


def settings(*routes: Route, channels: tuple[str, ...] = ("chat", "mail"), **changes: Any) -> Settings:
    """By default one route, which takes everything to the channel `chat`."""
    made = {name: Channel(name=name, kind="webhook", url="http://127.0.0.1:1") for name in channels}
    return Settings(
        channels=changes.pop("made", made),
        routes=routes or (Route(name="all", channels=("chat",)),),
        zone=changes.pop("zone", ZONE),
        **changes,
    )


class Clerk:
    """A book whose channels take everything at once, unless a test says otherwise. `said`: what they have taken."""

    def __init__(self, given: Settings | None = None) -> None:
        self.settings = given or settings()
        self.rows: dict[bytes, bytes] = {}
        self.said: list[tuple[str, str]] = []
        self.messages: list[Message] = []
        self.book: Book
        self.state: State
        self.restart()

    def restart(self) -> None:
        """Goes on from what was written."""
        self.state = State(self.rows)
        self.book = Book(self.settings, self.state)

    def write(self) -> None:
        for key, row in self.state.changes().items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row

    def take(self, given: Alert, now: int = T0) -> None:
        self.book.take(given, now)
        self.write()

    def tick(self, now: int) -> list[str]:
        """What is said at that moment: the ids of the messages."""
        before = len(self.said)
        while begun := self.book.begin(now, self.settings.channels):
            self.write()
            for message in begun:
                self.book.accepted(message.channel, now)
                self.write()
                self.said.append((message.channel, message.id))
                self.messages.append(message)
        self.write()
        return [id_ for _, id_ in self.said[before:]]

    def through(self, begin: int, end: int) -> list[tuple[int, str]]:
        """What is said from one moment to another, and when."""
        found, now = [], begin
        while now <= end:
            found += [(now, id_) for id_ in self.tick(now)]
            due = self.book.due(now, self.settings.channels)
            if due is None:
                break
            now = max(due, now + 1)
        return found


def resolved(given: Alert, time: int = T0 + HOUR, resolution: str = "resumed") -> Alert:
    """The end of an alert."""
    return alert(
        "resolved", audience=given.key.audience, type=given.key.type, subject=given.key.subject,
        episode=given.key.episode, severity=given.severity, shop=given.shop, time=time, resolution=resolution,
    )  # fmt: skip
