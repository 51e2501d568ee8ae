"""Probes which protocol a broker's port speaks: a client of the wrong protocol only meets silence."""

from __future__ import annotations

import asyncio
import ssl
import struct
from contextlib import suppress
from typing import Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

#: Seconds for one answer.
_PATIENCE = 3.0
_API_VERSIONS, _METADATA = 18, 3
#: The error text of a port that speaks no TLS at all.
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"}
#: Largest plausible response, in bytes: in another protocol the length field decodes to a huge number.
_LARGEST = 1 << 20


async def spoken_at(host: str, port: int) -> Protocol | None:
    """The security protocol to configure in a client; None if no Kafka broker answers."""
    if (bare := await _greeted(host, port, None)) is not None:
        return "SASL_PLAINTEXT" if bare else "PLAINTEXT"
    # No verification: the probe sends no secrets.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if (bare := await _greeted(host, port, context)) is not None:
        return "SASL_SSL" if bare else "SSL"
    return None


async def _greeted(host: str, port: int, context: ssl.SSLContext | None) -> bool | None:
    """Whether it demands authentication first; None if it does not speak this protocol."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            if not await _answers(reader, writer, _API_VERSIONS, b""):
                return None
            return not await _answers(reader, writer, _METADATA, struct.pack(">i", 0))
    except ssl.SSLError as error:
        # It speaks TLS but rejects the handshake: it may demand a certificate.
        return None if error.reason in _NO_TLS else False
    except (OSError, TimeoutError, EOFError):
        return None
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await writer.wait_closed()


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: int, body: bytes) -> bool:
    """Whether a request is answered: without authentication a SASL port answers only the first."""
    request = struct.pack(">hhih", key, 0, 7, -1) + body
    writer.write(struct.pack(">i", len(request)) + request)
    try:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        if not 4 <= size <= _LARGEST:
            return False
        answer = await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return answer[:4] == struct.pack(">i", 7)
