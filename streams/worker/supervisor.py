"""Tells systemd that the worker is ready, and that it lives: its notification protocol, if `NOTIFY_SOCKET` is set."""

from __future__ import annotations

import os
import socket
import time

#: Seconds between two signs of life.
_EVERY = 1.0


class Supervisor:
    """Whoever started the process; nothing happens if nobody wants to be told."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        #: A name that begins with @ is an abstract one, which begins with NUL.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        self._ready = False
        self._next = 0.0

    def alive(self, ready: bool) -> None:
        """Call it as long as the event loop turns. `ready` counts once: a start is over then. Never raises."""
        if self._socket is None:
            return
        if ready and not self._ready:
            self._ready = True
            self._tell(b"READY=1")
        if (now := time.monotonic()) >= self._next:
            self._next = now + _EVERY
            self._tell(b"WATCHDOG=1")

    def ends(self) -> None:
        """An orderly end has begun. Never raises."""
        if self._socket is not None:
            self._tell(b"STOPPING=1")
            self._socket.close()
            self._socket = None

    def _tell(self, state: bytes) -> None:
        if self._socket is not None:
            try:
                self._socket.sendto(state, self._address)
            except OSError:
                return
