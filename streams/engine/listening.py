"""Sockets that listen, and what they are called."""

from __future__ import annotations

import os
import socket

from streams.engine.errors import FatalError


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `FatalError` with one line."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server((host, address[1]), family=family)
    except OSError as error:
        # Of the system's own words: the library appends the address once more.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise FatalError(f"cannot listen on {host}:{port}: {why}") from error


def address_of(listens: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listens.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - shown, not listened on
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
