"""How a process is told to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def when_told_to_end(call: Callable[[], object]) -> None:
    """Has SIGINT and SIGTERM call it in the running event loop, in place of ending the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, call)
