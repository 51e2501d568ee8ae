"""Connections to brokers: with today's password, given up before their session ends, and with a memory of refusals.

The client keeps its options for life, does not authenticate anew when a broker's `connections.max.reauth.ms` is over
(KIP-368), so that the broker closes the connection amid a request, and says of a refusal no more than that it could not
connect.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import aiokafka.client
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslAuthenticateRequest

from streams.engine.log.certificates import expiry, validity_of
from streams.engine.log.passwords import PasswordFile


class NoTokenError(KafkaError):  # type: ignore[misc]
    """The token provider returned no token."""


_REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    NoTokenError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)
#: Seconds for which a refusal counts that has not been met again: clients try again sooner, if they still want to.
_COUNTS = 30.0
#: The part of a session behind which its connection is replaced, at the earliest and at the latest.
_PART = (0.75, 0.9)


class _Refusal(NamedTuple):
    at: float
    why: str


#: By address. A process has one identity.
_refusals: dict[tuple[str, int], _Refusal] = {}


def refusal() -> str | None:
    """Why brokers and this process do not accept each other now, in one line; None if they do."""
    since = time.monotonic() - _COUNTS
    for address in [address for address, each in _refusals.items() if each.at < since]:
        del _refusals[address]
    return max(_refusals.values(), key=lambda each: each.at).why if _refusals else None


def unanswered(silence: str = "no broker answers") -> str:
    """What to say of brokers that do not answer: that they refuse this process, or that they are silent."""
    return refusal() or silence


class Connection(AIOKafkaConnection):  # type: ignore[misc]
    """A connection that ends in good time: once its session is nearly over, it takes no new requests."""

    _session = 0.0
    _retired = False

    def send(self, request: Any, expect_response: bool = True) -> Any:
        answer = super().send(request, expect_response)
        return self._noting(answer) if isinstance(request, SaslAuthenticateRequest) else answer

    async def _noting(self, answer: Any) -> Any:
        found = await answer
        # Of several answers only the last one tells.
        self._session = getattr(found, "session_lifetime_ms", 0) / 1000
        return found

    async def connect(self) -> Any:
        opened = await super().connect()
        if self._session > 0:
            begin, end = _PART
            seconds = self._session * (begin + (end - begin) * random.random())  # noqa: S311
            self._loop.call_later(seconds, self._retire)
        return opened

    def connected(self) -> bool:
        # The client makes another one, and forgets this one: it lives on in `_retiring` until all is answered.
        return not self._retired and bool(super().connected())

    def _retire(self) -> None:
        if not super().connected():
            return
        self._retired = True
        # What is under way is answered, even behind the end of the session.
        _retiring.add(self)
        self._end_if_answered()
        if self in _retiring:
            self._loop.call_later(self._request_timeout, self.close, CloseReason.CONNECTION_TIMEOUT)

    def _handle_frame(self, resp: bytes) -> None:
        super()._handle_frame(resp)
        self._end_if_answered()

    def _end_if_answered(self) -> None:
        if self._retired and not self._requests:
            self.close(CloseReason.IDLE_DROP)

    def close(self, reason: CloseReason | None = None, exc: BaseException | None = None) -> Any:
        _retiring.discard(self)
        return super().close(reason, exc)


_retiring: set[Connection] = set()


async def connect(host: str, port: int, **options: Any) -> Connection:
    """A new connection; it stands in for the client's own `create_conn`. Raises the client's errors, and `OSError`."""
    given = options.get("sasl_plain_password")
    password = given.current() if isinstance(given, PasswordFile) else given
    connection = Connection(host, port, **{**options, "sasl_plain_password": password})
    try:
        try:
            await connection.connect()
        except (ValueError, LookupError) as error:
            if given is None:
                raise
            # What the client makes of an answer by SCRAM that is none.
            raise SaslAuthenticationFailed("the broker does not prove that it knows the password") from error
    except BaseException as error:
        if (why := _refused(error)) is not None:
            _refusals[host, port] = _Refusal(time.monotonic(), _told(f"{host}:{port}", options, why))
        raise
    _refusals.pop((host, port), None)
    return connection


def refusal_at(host: str, port: int) -> str | None:
    """Why the broker at this address and this process did not accept each other when that was last tried."""
    found = _refusals.get((host, port))
    return None if found is None else found.why


def renew_connections() -> None:
    """From now on all clients of this process connect so."""
    aiokafka.client.create_conn = connect


def _refused(error: BaseException) -> BaseException | None:
    """What in an error shows that one side does not accept the other; None if nothing does."""
    return next((each for each in _causes(error) if isinstance(each, _REFUSALS)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _told(address: str, client: dict[str, Any], why: BaseException) -> str:
    """One line: who does not accept whom, and why. No secrets."""
    if isinstance(why, ssl.SSLCertVerificationError):
        said = f"the broker's certificate: {why.verify_message}"
    elif isinstance(why, ssl.SSLError):
        said = f"{_certificate(client)}: {(why.reason or str(why)).lower().replace('_', ' ')}"
    else:
        said = f"{_user(client)}: {why.args[0] if why.args else type(why).__name__}"
    return f"the broker at {address} and this client do not accept each other: {said}"


def _certificate(client: dict[str, Any]) -> str:
    own = validity_of(client).get("client")
    if own is None:
        return "no client certificate in a file"
    expires = "expired" if own.end < time.time() else "expires"
    return f"the client certificate {own.subject}, which {expires} at {expiry(own)}"


def _user(client: dict[str, Any]) -> str:
    mechanism = client.get("sasl_mechanism")
    user = client.get("sasl_plain_username")
    return f"user {user} by {mechanism}" if user else f"a token by {mechanism}"
