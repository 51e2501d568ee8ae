"""Whether a push is from whom it says: each platform's own signature, else a token that the sender knows.

A check gives the part of the body that the sender vouches for, which alone is read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from binascii import a2b_qp
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote_to_bytes

#: Fields of a form that are looked at.
_FIELDS = 32

#: From what is signed and a secret to the signature, as it is sent.
Sign = Callable[[bytes, bytes], bytes]


class Sender(Protocol):
    """How one platform sends."""

    @property
    def shortest(self) -> int:
        """Fewest bytes of a secret."""

    def vouched(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> bytes | None:
        """What of the body is from the one who knows one of the secrets; None: nothing."""

    def content(self, body: bytes) -> bytes:
        """What of the body holds the events, whoever sent it."""

    def is_test(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether it is a call without a signature by which the platform tries the address, and holds nothing."""

    def shop(self, headers: Mapping[str, str]) -> str | None:
        """The shop that a push is of, where the body of no push names it."""


@dataclass(frozen=True, slots=True)
class SignedField:
    """A form: one of its fields holds the events, another the signature of the first."""

    field: str
    signature: str
    sign: Sign
    shortest: int = 1

    def vouched(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> bytes | None:
        del headers
        fields = _form(body)
        content = fields.get(self.field)
        # Some encode the signature once more than the form does.
        given = unquote_to_bytes(fields.get(self.signature, b""))
        if content is None or not _any_same(given, [self.sign(content, secret) for secret in secrets]):
            return None
        return content

    def content(self, body: bytes) -> bytes:
        return _form(body).get(self.field, body)

    def is_test(self, headers: Mapping[str, str], body: bytes) -> bool:
        del headers, body
        return False

    def shop(self, headers: Mapping[str, str]) -> str | None:
        del headers
        return None


@dataclass(frozen=True, slots=True)
class SignedBody:
    """The whole body, with its signature in a header, and perhaps the shop's address in another.

    `test`: how the body of a test call begins.
    """

    header: str
    sign: Sign
    shop_header: str | None = None
    test: bytes | None = None
    shortest: int = 1

    def vouched(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> bytes | None:
        given = headers.get(self.header, "").strip().encode("utf-8", "surrogateescape")
        return body if _any_same(given, [self.sign(body, secret) for secret in secrets]) else None

    def content(self, body: bytes) -> bytes:
        return body

    def is_test(self, headers: Mapping[str, str], body: bytes) -> bool:
        return self.test is not None and self.header not in headers and body.startswith(self.test) and len(body) < 64

    def shop(self, headers: Mapping[str, str]) -> str | None:
        address = headers.get(self.shop_header, "") if self.shop_header is not None else ""
        return address.strip().rpartition("//")[2].rstrip("/") or None


@dataclass(frozen=True, slots=True)
class Token:
    """`Authorization: Bearer TOKEN`; or the token as the password of Basic, for who can give an address alone."""

    shortest: int = 16

    def vouched(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> bytes | None:
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        token = given.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() == "basic":
            try:
                token = base64.b64decode(token, validate=True).partition(b":")[2]
            except ValueError:
                return None
        elif scheme.lower() != "bearer":
            return None
        return body if _any_same(token, secrets) else None

    def content(self, body: bytes) -> bytes:
        return body

    def is_test(self, headers: Mapping[str, str], body: bytes) -> bool:
        del headers, body
        return False

    def shop(self, headers: Mapping[str, str]) -> str | None:
        del headers
        return None


def sender_of(format_name: str) -> Sender:
    """How the platform of that format sends."""
    return _SENDERS.get(format_name, _TOKEN)


def _any_same(given: bytes, right: Sequence[bytes]) -> bool:
    # Every one is compared, so that the time tells nothing of which.
    return sum(hmac.compare_digest(given, each) for each in right) > 0


def _form(body: bytes) -> dict[str, bytes]:
    """The first value of each field, as the bytes that were encoded."""
    pairs = [pair.partition(b"=") for pair in body.split(b"&", _FIELDS)[:_FIELDS]]
    return {name.decode("latin-1"): _decoded(value) for name, _, value in reversed(pairs)}


def _decoded(value: bytes) -> bytes:
    """What is percent-encoded, by the decoder of quoted-printable, which is in C: a push is mostly of such bytes."""
    if b"\n" in value or b"\r" in value:
        return unquote_to_bytes(value.replace(b"+", b" "))
    return a2b_qp(value.replace(b"+", b" ").replace(b"=", b"=3D").replace(b"%", b"="))


def _md5_upper(content: bytes, secret: bytes) -> bytes:
    return hashlib.md5(content + secret, usedforsecurity=False).hexdigest().upper().encode()


def _md5_base64(content: bytes, secret: bytes) -> bytes:
    return base64.b64encode(hashlib.md5(content + secret, usedforsecurity=False).hexdigest().encode())


def _hmac_base64(content: bytes, secret: bytes) -> bytes:
    return base64.b64encode(hmac.digest(secret, content, "sha256"))


def _sha256_slash(content: bytes, secret: bytes) -> bytes:
    return hashlib.sha256(content + b"/" + secret).hexdigest().encode()


_TOKEN = Token()
_SENDERS: dict[str, Sender] = {
    "kuaidi100": SignedField("param", "sign", _md5_upper),
    "kdniao": SignedField("RequestData", "DataSign", _md5_base64),
    "aftership": SignedBody("aftership-hmac-sha256", _hmac_base64),
    "shopify": SignedBody("X-Shopify-Hmac-Sha256", _hmac_base64, "X-Shopify-Shop-Domain"),
    # When a webhook is saved, its address must answer 200 to a form without a signature.
    "woocommerce": SignedBody("X-WC-Webhook-Signature", _hmac_base64, "X-WC-Webhook-Source", b"webhook_id="),
    "17track": SignedBody("sign", _sha256_slash),
}
