"""Serves the console over HTTP, and reads the topics meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Protocol

from aiohttp import web

from schemas.topics import PLAIN, TopicNames
from streams.alerts.languages import FALLBACK
from streams.console.alert_pages import AlertPages
from streams.console.feed import Feed
from streams.console.figure_pages import FigurePages
from streams.console.frame import Frame
from streams.console.group import GroupWatch, Look
from streams.console.group_pages import GroupPages
from streams.console.guard import Guard
from streams.console.inputs import Inputs
from streams.console.reader import Reader
from streams.console.store import Store
from streams.console.timeline_pages import TimelinePages
from streams.console.timelines import Timelines
from streams.policy.load import default
from streams.policy.model import Policy

#: Scans that the carriers' hours begin with.
LAST_SCANS = 500_000
#: The most that the form of the sign-in page may hold, in bytes.
_LARGEST = 4_096


class Routed(Protocol):
    """A part of the console that answers at some addresses."""

    def routes(self) -> list[web.AbstractRouteDef]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the console listens, who may ask, and what it reads. `port` 0 takes a free one.

    `look`: how to look at the workers' group, where there is one. `policy`: that of the workers. `last_scans`: how many
    scans the carriers' hours begin with.
    """

    reader: Callable[[], Reader]
    inputs: Inputs
    look: Look | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: Iterable[str] = ()
    token: str | None = None
    topics: TopicNames = PLAIN
    policy: Policy = field(default_factory=default)
    last_scans: int = LAST_SCANS
    language: str = FALLBACK


@asynccontextmanager
async def serving(settings: Settings, listens: socket.socket) -> AsyncIterator[Feed]:
    """Serves on the socket while the block runs."""
    store = Store()
    feed = Feed(store, settings.reader, settings.topics, settings.last_scans)
    guard = Guard(settings.host, settings.allowed_hosts, settings.token)
    timelines = Timelines(settings.inputs, settings.policy, feed.tell)
    frame = Frame(feed, guard, settings.language, with_group=settings.look is not None)
    app = web.Application(middlewares=[guard.middleware()], client_max_size=_LARGEST)
    parts: list[Routed] = [
        AlertPages(frame, store),
        FigurePages(frame, store, settings.policy),
        TimelinePages(frame, timelines),
    ]
    works = [feed.run(), timelines.run()]
    if settings.look is not None:
        group = GroupWatch(settings.look, feed.tell)
        parts.append(GroupPages(frame, group))
        works.append(group.run())
    for pages in (*parts, frame):
        app.add_routes(pages.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listens).start()
    running = [asyncio.create_task(work) for work in works]
    try:
        yield feed
    finally:
        frame.end()
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await runner.cleanup()
        store.close()
        for task in running:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error


@contextmanager
def in_thread(settings: Settings, listens: socket.socket) -> Iterator[None]:
    """Serves in a thread and an event loop of its own, so that it answers whatever the caller's loop is doing."""
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    served: Future[None] = Future()

    async def serve() -> None:
        async with serving(settings, listens):
            await ended.wait()

    def run() -> None:
        try:
            served.set_result(loop.run_until_complete(serve()))
        except BaseException as error:
            served.set_exception(error)
        finally:
            loop.close()

    thread = Thread(target=run, name="console", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(ended.set)
        thread.join()
        served.result()
