"""Sends messages through the channels of a notifier's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from streams.engine.errors import FatalError
from streams.notify.apprise_channel import AppriseChannel
from streams.notify.episode import Message
from streams.notify.http_channels import post
from streams.notify.leading import Send
from streams.notify.outcome import Outcome
from streams.notify.settings import Settings


@asynccontextmanager
async def sender(settings: Settings) -> AsyncIterator[Send]:
    """What sends a message, as long as the block lasts. Raises `FatalError` for an address that cannot be used."""
    by_apprise: dict[str, AppriseChannel] = {}
    for name, channel in settings.channels.items():
        if channel.kind == "apprise":
            try:
                by_apprise[name] = AppriseChannel(channel)
            except ValueError as error:
                raise FatalError(f"channels.{name}.apprise: {error}") from None
    async with aiohttp.ClientSession(trust_env=True) as session:

        async def send(message: Message) -> Outcome:
            if message.channel in by_apprise:
                return await by_apprise[message.channel].send(message)
            return await post(session, settings.channels[message.channel], message)

        yield send
