"""How the workers' group is, as `parcelwatch status` tells it: asked for while somebody looks, and a little longer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from streams.engine.errors import FatalError, LogError
from streams.status.facts import Facts
from streams.status.judgement import Finding, judge
from streams.status.report import document

#: Looks at the group; may raise `LogError` and `FatalError`.
Look = Callable[[], Awaitable[Facts]]
#: Seconds between two looks, and for which it goes on after the last page.
_EVERY, _LONGER = 5.0, 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: the document of `status --format json` and what was found wrong, or why there is none."""

    told: dict[str, Any] | None
    findings: tuple[Finding, ...] = ()
    error: str = ""


class GroupWatch:
    """`changed` is called after each look."""

    def __init__(self, look: Look, changed: Callable[[], None]) -> None:
        self._look = look
        self._changed = changed
        self._wanted = 0.0
        self._asked = asyncio.Event()
        self._first = asyncio.Event()
        self._seen = Seen(None)

    async def seen(self) -> Seen:
        """The latest look; the first is waited for."""
        if time.monotonic() > self._wanted:
            self._first.clear()
        self._wanted = time.monotonic() + _LONGER
        self._asked.set()
        await self._first.wait()
        return self._seen

    async def run(self) -> None:
        """Looks for as long as it is wanted, until it is cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            while time.monotonic() < self._wanted:
                try:
                    facts = await self._look()
                    findings = judge(facts)
                    self._seen = Seen(document(facts, findings), tuple(findings))
                except (LogError, FatalError) as error:
                    self._seen = Seen(None, error=str(error))
                self._first.set()
                self._changed()
                await asyncio.sleep(_EVERY)
