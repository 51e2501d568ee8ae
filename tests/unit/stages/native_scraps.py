"""Values and lines, made odd."""

from __future__ import annotations

from random import Random

#: What is put into a value, or in place of a part of it.
SCRAPS = [
    b'"', b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"\\u0000", b"\\u00e9", b"{", b"}", b"[", b"]", b",", b":", b"null",
    b"true", b"1e999", b"NaN", b"-", b"0", b"00", b".5", b" ", b"\n", b"\x00", b"\x1f", b"\xff", b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80", "é".encode(), b'"type":"scan",', b'"carrier":"SF",', b'"extra":[[[[]]]],',
    b"T", b"Z", b"z", b"+24:00",
    b"-00:00", b":60", b"02-30", b"9999", b"0001", b"scan", b"order.paid", b"delivered", b"\xef\xbb\xbf",
]  # fmt: skip


def mutated(value: bytes, random: Random) -> bytes:
    """The value with one to four changes."""
    changed = bytearray(value)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        place = random.randrange(len(changed) + 1)
        length = random.choice((0, 0, 1, 1, 2, 5, 20))
        mutation = random.random()
        if mutation < 0.5:
            changed[place : place + length] = random.choice(SCRAPS)
        elif mutation < 0.7:
            del changed[place : place + length]
        elif mutation < 0.85:
            changed[place:place] = changed[place : place + 40]
        elif place < len(changed):
            changed[place] ^= 1 << random.randrange(8)
    return bytes(changed)
