"""A request's body, within bounds of size and time, and unpacked."""

from __future__ import annotations

import asyncio
import zlib

from aiohttp import web
from aiohttp.client_exceptions import ClientError

from streams.ingest.answers import Outcome

#: How zlib is told to read gzip.
_GZIP = 31
_MAGIC = b"\x1f\x8b"


class Refused(Exception):
    """A body that is not taken; `outcome` says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


async def body_of(request: web.Request, most: int, seconds: float) -> bytes:
    """The body, unpacked where it is gzipped: at most `most` bytes, before and after. Raises `Refused`."""
    if (request.content_length or 0) > most:
        raise Refused(Outcome.TOO_LARGE)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Refused(Outcome.BAD_BODY)
    try:
        if request.content.is_eof():
            # All of it has come with the head, as most of them do.
            raw = await request.read()
        else:
            async with asyncio.timeout(seconds):
                raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(Outcome.TOO_LARGE) from None
    except TimeoutError:
        raise Refused(Outcome.TOO_SLOW) from None
    except (ClientError, web.HTTPException, ValueError):
        raise Refused(Outcome.BAD_BODY) from None
    return unpacked(raw, most) if encoding == "gzip" or raw.startswith(_MAGIC) else raw


def unpacked(raw: bytes, most: int) -> bytes:
    """What gzipped bytes hold, of which no more than `most` are ever in memory. Raises `Refused`."""
    parts: list[bytes] = []
    room = most
    while raw:
        unpacking = zlib.decompressobj(_GZIP)
        try:
            part = unpacking.decompress(raw, room + 1)
        except zlib.error:
            raise Refused(Outcome.BAD_BODY) from None
        room -= len(part)
        if room < 0:
            raise Refused(Outcome.TOO_LARGE)
        if not unpacking.eof:
            raise Refused(Outcome.BAD_BODY)
        parts.append(part)
        # Another member may follow.
        raw = unpacking.unused_data
    return b"".join(parts)
