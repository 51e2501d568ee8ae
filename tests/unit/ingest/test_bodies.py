"""Gzip, within bounds."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from streams.ingest.answers import Outcome
from streams.ingest.bodies import Refused, unpacked


def refusal(raw: bytes, most: int) -> Outcome:
    with pytest.raises(Refused) as refused:
        unpacked(raw, most)
    return refused.value.outcome


@pytest.mark.parametrize("length", [99, 100])
def test_what_fits_is_unpacked_member_by_member(length: int) -> None:
    raw = gzip.compress(b"a" * (length - 1)) + gzip.compress(b"b")
    assert unpacked(raw, 100) == b"a" * (length - 1) + b"b"


def test_what_does_not_fit_is_refused() -> None:
    assert refusal(gzip.compress(b"a" * 101), 100) is Outcome.TOO_LARGE
    assert refusal(gzip.compress(b"a" * 60) * 2, 100) is Outcome.TOO_LARGE


def test_a_bomb_takes_no_more_memory_than_the_bound() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    assert refusal(bomb, 1 << 20) is Outcome.TOO_LARGE
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("raw", [b"no gzip", gzip.compress(b"cut off")[:-4], zlib.compress(b"not gzip")])
def test_what_is_no_gzip_is_refused(raw: bytes) -> None:
    assert refusal(raw, 100) is Outcome.BAD_BODY
