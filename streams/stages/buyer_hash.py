"""The state identifies buyers by a keyed hash only, and only if the operator sets a key; they can then be forgotten.

Without the key nobody can link a hash to a buyer, so the state may hold the hash; it must not hold the id.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

#: Minimum key length in bytes: a shorter key could be guessed, and with it every buyer.
LEAST = 16

#: Hashes a buyer's id.
BuyerHash = Callable[[str], bytes]


def buyer_hash(key: bytes) -> BuyerHash:
    """HMAC-SHA-256 of a buyer's UTF-8 id under a key. Raises `ValueError` (one line) if the key is too short."""
    if len(key) < LEAST:
        raise ValueError(f"the key of the buyers' hashes needs at least {LEAST} bytes")
    return lambda buyer_id: hmac.digest(key, buyer_id.encode("utf-8", "surrogatepass"), "sha256")
