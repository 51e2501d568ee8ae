"""Channels by Apprise: e-mail, and some hundred services. It is not asynchronous, and runs in a thread."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from streams.notify.episode import Message
from streams.notify.http_channels import title_of
from streams.notify.outcome import Outcome
from streams.notify.settings import Channel


class AppriseChannel:
    """One address of Apprise. Raises `ValueError` if Apprise does not understand it."""

    def __init__(self, channel: Channel) -> None:
        import apprise

        # It logs addresses, and with them passwords.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self._text = apprise.NotifyFormat.TEXT
        self._apprise: Any = apprise.Apprise()
        if not self._apprise.add(channel.url):
            raise ValueError("Apprise does not know such an address")

    async def send(self, message: Message) -> Outcome:
        """Sends a message. What Apprise says no to is tried again: it does not tell why."""
        try:
            taken = await asyncio.to_thread(
                self._apprise.notify, body=message.text, title=title_of(message), body_format=self._text
            )
        except Exception as error:  # whatever a service is implemented with
            return Outcome("uncertain", type(error).__name__)
        return Outcome("accepted") if taken else Outcome("refused", "Apprise reports a failure")
