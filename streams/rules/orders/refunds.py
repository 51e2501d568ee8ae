"""Refund requests: what the buyer asks for and why, and whether it was rejected or settled."""

from __future__ import annotations

import re

import msgspec

from streams.rules.facts import Fact

REFUND_ONLY, RETURN_REFUND, EXCHANGE, RESHIP = "refund_only", "return_refund", "exchange", "reship"
#: What a reason that is no code counts as.
OTHER = "other"

_CODE = re.compile(r"[a-z0-9_-]{1,64}")


class Requested(Fact, array_like=True, kw_only=True, gc=False):
    """`reason`: a code, never the text that came in."""

    kind: str
    reason: str
    item_id: str | None = None


class Refund(msgspec.Struct, array_like=True):
    """What is known of one request."""

    requested: Requested | None = None
    rejected: Fact | None = None
    settled: Fact | None = None


def reason_code(text: str) -> str:
    """The reason as it is counted: a code of a-z, 0-9, `_` and `-`, at most 64 characters, else `other`."""
    return text if _CODE.fullmatch(text) else OTHER
