"""What is due comes out, once its moment has passed, wherever its moment has gone meanwhile."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.due_keys import BUCKET, DueKeys

SOME = settings(max_examples=200, deadline=None, derandomize="CI" in os.environ)
MOMENTS = st.integers(0, 8 * BUCKET) | st.integers(0, 8).map(lambda hour: hour * BUCKET)
KEYS = st.sampled_from([b"a", b"b", b"c", b"d" * 300])


class Clocked:
    """Keys with their moments, and the index over them."""

    def __init__(self) -> None:
        self.moments: dict[bytes, int] = {}
        self.index = DueKeys(self.moments.get)

    def due(self, key: bytes, moment: int) -> None:
        """As its user does: what may wait longer keeps its moment."""
        known = self.moments.get(key)
        if known is None or moment < known:
            self.moments[key] = moment
            self.index.put(moment, key)

    def passed(self, before: int, again: int | None = None) -> list[bytes]:
        """What is due before that moment; each is put in again so much later, or is due no more."""
        found = []
        for key in self.index.pop(before):
            if key is None:
                continue
            found.append(key)
            moment = self.moments.pop(key)
            assert moment < before
            if again is not None and moment + again >= before:
                self.due(key, moment + again)
        return sorted(found)


@SOME
@given(
    steps=st.lists(st.tuples(KEYS, MOMENTS) | st.tuples(st.none(), MOMENTS), max_size=40),
    again=st.sampled_from([None, 1, BUCKET // 2, 3 * BUCKET]),
)
def test_what_is_due_comes_out_once_its_moment_has_passed(
    steps: list[tuple[bytes | None, int]], again: int | None
) -> None:
    clocked, now = Clocked(), 0
    for key, moment in steps:
        if key is not None:
            clocked.due(key, max(moment, now))
            continue
        now = max(now, moment)
        expected = sorted(key for key, at in clocked.moments.items() if at < now)
        assert clocked.passed(now, again) == expected
        assert all(at >= now for at in clocked.moments.values())


def test_a_moment_is_passed_by_what_is_greater() -> None:
    clocked = Clocked()
    clocked.due(b"a", BUCKET)
    assert clocked.passed(BUCKET - 1) == []
    assert clocked.passed(BUCKET) == []
    assert clocked.passed(BUCKET + 1) == [b"a"]


def test_it_may_be_left_in_the_midst_and_begun_again() -> None:
    clocked = Clocked()
    keys = [b"%d" % number for number in range(10)]
    for number, key in enumerate(keys):
        clocked.due(key, number * BUCKET // 4)
    found = []
    for _ in keys:
        key = next(iter(clocked.index.pop(BUCKET * 9)))
        assert key is not None
        found.append(key)
        del clocked.moments[key]
    assert sorted(found) == keys
    assert list(clocked.index.pop(BUCKET * 9)) == []


def test_what_was_due_before_the_hour_that_time_is_in_comes_at_once() -> None:
    clocked = Clocked()
    clocked.due(b"a", 5 * BUCKET)
    assert clocked.passed(5 * BUCKET + 1) == [b"a"]
    clocked.due(b"b", 2 * BUCKET)
    assert clocked.passed(5 * BUCKET + 1) == [b"b"]


def test_what_is_looked_at_in_vain_is_told_now_and_then() -> None:
    clocked = Clocked()
    for number in range(20_000):
        key = b"%d" % number
        clocked.due(key, BUCKET + 5)
    assert list(clocked.index.pop(BUCKET + 5)) == [None] * 4
