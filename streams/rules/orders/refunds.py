"""Refund requests: what the buyer asks for and why, and whether it was rejected or settled."""

from __future__ import annotations

import re

import msgspec

from streams.rules.facts import Fact

REFUND_ONLY, RETURN_REFUND, EXCHANGE, RESHIP = "refund_only", "return_refund", "exchange", "reship"
#: Stands for any reason that is not a code.
OTHER = "other"

_CODE = re.compile(r"[a-z0-9_-]{1,64}")


class Requested(Fact, array_like=True, kw_only=True, gc=False):
    """A refund request. `reason`: a code, never the original text."""

    kind: str
    reason: str
    item_id: str | None = None


class Refund(msgspec.Struct, array_like=True):
    """What is known of one request."""

    requested: Requested | None = None
    rejected: Fact | None = None
    settled: Fact | None = None


def reason_code(text: str) -> str:
    """The reason as counted: itself if it is a code (1 to 64 characters of a-z, 0-9, `_`, `-`), else `other`."""
    return text if _CODE.fullmatch(text) else OTHER
