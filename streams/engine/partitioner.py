"""The partitioner: keys go to the same partitions as with Kafka's Java client."""

from __future__ import annotations

from struct import Struct

#: The constants of MurmurHash2, and the seed that Kafka's Java client gives it.
_M, _SEED, _ALL = 0x5BD1E995, 0x9747B28C, 0xFFFFFFFF
#: Readers of so many words of four bytes.
_WORDS = [Struct(f"<{count}I").unpack_from for count in range(256)]


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions`: murmur2, as every Java producer does it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """MurmurHash2 of the key, unsigned. Takes half the time of the client's own, and every new key needs one."""
    size = len(key)
    words = size >> 2
    found = _SEED ^ size
    for word in _WORDS[words](key) if words < len(_WORDS) else Struct(f"<{words}I").unpack_from(key):
        word = word * _M & _ALL
        found = found * _M & _ALL ^ ((word ^ word >> 24) * _M & _ALL)
    if size & 3:
        found = (found ^ int.from_bytes(key[words << 2 :], "little")) * _M & _ALL
    found = (found ^ found >> 13) * _M & _ALL
    return found ^ found >> 15
