"""An address that leads to another one, which may change: what a name does for brokers that move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext


class Forwarder:
    """Passes connections to `address` on to `target`, both "HOST:PORT"; what is open stays where it leads."""

    address: str

    def __init__(self, target: str) -> None:
        self.target = target
        #: How many connections have come so far.
        self.taken = 0
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Ends the connections that there are; new ones are taken."""
        for each in self._open:
            each.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection to its end."""
        self.taken += 1
        host, _, port = self.target.rpartition(":")
        try:
            there, back = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        both = {writer, back}
        self._open |= both
        try:
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        finally:
            self._open -= both


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def forwarding(target: str, tls: SSLContext | None = None, port: int = 0) -> AsyncIterator[Forwarder]:
    """A forwarder that listens in the block, by TLS where there is a context for it; port 0 takes a free one."""
    found = Forwarder(target)
    server = await asyncio.start_server(found.connected, "127.0.0.1", port, ssl=tls)
    try:
        found.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield found
    finally:
        server.close()
