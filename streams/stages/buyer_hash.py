"""Buyers are known by a keyed hash alone, and only where the operator gives a key: then they can be forgotten.

Without the key nobody can tell whether a hash is that of a buyer, so it may lie in the state; the id may not.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

#: Bytes of a key at least: a shorter one could be guessed, and with it every buyer.
LEAST = 16

#: The hash of a buyer's id.
BuyerHash = Callable[[str], bytes]


def buyer_hash(key: bytes) -> BuyerHash:
    """HMAC-SHA-256 of a buyer's id in UTF-8 under a key. Raises `ValueError` (one line) where it is too short."""
    if len(key) < LEAST:
        raise ValueError(f"the key of the buyers' hashes needs at least {LEAST} bytes")
    return lambda buyer_id: hmac.digest(key, buyer_id.encode("utf-8", "surrogatepass"), "sha256")
