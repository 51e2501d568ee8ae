"""Keys go where every Java producer puts them."""

from __future__ import annotations

import os

import pytest
from aiokafka.partitioner import murmur2 as of_the_client
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.partitioner import murmur2, partition_for


@settings(max_examples=300, deadline=None, derandomize="CI" in os.environ)
@given(st.binary(max_size=40) | st.binary(min_size=1000, max_size=1100))
def test_the_hash_is_that_of_the_client(key: bytes) -> None:
    assert murmur2(key) == of_the_client(key) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("key", "signed"), [(b"21", -973932308), (b"foobar", -790332482), (b"abc", 479470107), (b"", 275646681)]
)
def test_the_hash_is_that_of_java(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF
    assert partition_for(key, 12) == (signed & 0x7FFFFFFF) % 12
