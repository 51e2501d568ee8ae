"""How many pushes are worked on at once, and how many may wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Full(Exception):
    """No room: come back later."""


class Gate:
    """Lets `at_once` in, and `waiting` more wait in the order in which they came."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._most = waiting

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Waits for room, for the length of the block. Raises `Full`."""
        if self._room.locked():
            if self._waiting >= self._most:
                raise Full
            self._waiting += 1
            try:
                await self._room.acquire()
            finally:
                self._waiting -= 1
        else:
            await self._room.acquire()
        try:
            yield
        finally:
            self._room.release()
