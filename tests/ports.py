"""Ports for servers of the loopback interface that are started later, or go away and come back.

None is of those that the kernel gives to clients for their own end of a connection (32768 and above on Linux): between
the choice and the start, or while a server is down, one of the many connections that are made meanwhile would take it.
A client that tries a server which is down might even be connected to itself.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

#: Processes of one run take theirs from shares of their own, in turn: what was given comes again as late as may be.
_FIRST, _EACH, _SHARES = 12_000, 2_500, 8


def free_ports(count: int) -> list[int]:
    """So many, on which nothing listens now."""
    return [next(_ports) for _ in range(count)]


def free_port() -> int:
    """One of them."""
    return next(_ports)


def _free() -> Iterator[int]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    share = range(_FIRST, _FIRST + _EACH * _SHARES)
    if worker:
        share = share[_EACH * (int(worker) % _SHARES) :][:_EACH]
    # Runs side by side do not begin with the same one.
    begin = os.getpid() * 7 % len(share)
    while True:
        for port in (*share[begin:], *share[:begin]):
            if _is_free(port):
                yield port


def _is_free(port: int) -> bool:
    with socket.socket() as one, suppress(OSError):
        one.bind(("127.0.0.1", port))
        return True
    return False


_ports = _free()
