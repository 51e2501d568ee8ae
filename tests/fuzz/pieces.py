"""An input of several parts: the fuzzer changes bytes, and a door may need a choice and two texts."""

from __future__ import annotations

#: Between the parts of an input. No format has it.
CUT = b"\n%%\n"


def choice(data: bytes, among: int) -> tuple[int, bytes]:
    """Which of so many, by the first byte, and the rest."""
    return (data[0] % among if data else 0), data[1:]


def parts(data: bytes, most: int) -> list[bytes]:
    """So many parts; those that are lacking are empty."""
    found = data.split(CUT, most - 1)
    return found + [b""] * (most - len(found))


def headers_in(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """A record's headers: name=value&name=value."""
    pairs = (one.partition(b"=") for one in data.split(b"&"))
    return tuple((name.decode("latin-1"), value) for name, _, value in pairs)


def joined(*some: bytes) -> bytes:
    """The input that `parts` cuts into these."""
    return CUT.join(some)
