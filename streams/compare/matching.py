"""Which alert under one policy is which under the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.compare.cases import Case

_FOR_EVER = 1 << 62


class Pair(NamedTuple):
    """The same thing under both policies; None where that policy raised nothing about it."""

    a: Case | None
    b: Case | None

    @property
    def either(self) -> Case:
        """The one under the first policy, else the other."""
        case = self.a or self.b
        if case is None:
            raise ValueError("a pair of nothing")
        return case


def match(a: Sequence[Case], b: Sequence[Case]) -> list[Pair]:
    """Every case of both, once, by type, subject and time.

    Cases of one type and subject that are about the same are paired in order of time, those that stand before those
    that a late event disproved. Where what they are about is the time in which they are open, they are paired if they
    overlap, the earliest first.
    """
    groups: dict[tuple[str, str, str | None, tuple[str, ...] | None], tuple[list[Case], list[Case]]] = {}
    for side, cases in enumerate((a, b)):
        for case in cases:
            shop = case.shop_id if case.about is None else None
            groups.setdefault((case.type, case.subject, shop, case.about), ([], []))[side].append(case)
    pairs: list[Pair] = []
    for (_, _, _, about), (of_a, of_b) in groups.items():
        pairs += _overlapping(of_a, of_b) if about is None else _in_order(of_a, of_b)
    return sorted(pairs, key=_place)


def _place(pair: Pair) -> tuple[str, int, str]:
    return pair.either.type, min(case.raised for case in pair if case is not None), pair.either.subject


def _in_order(of_a: list[Case], of_b: list[Case]) -> Iterator[Pair]:
    for cases in (of_a, of_b):
        cases.sort(key=lambda case: (case.withdrawn, case.raised))
    for place in range(max(len(of_a), len(of_b))):
        yield Pair(of_a[place] if place < len(of_a) else None, of_b[place] if place < len(of_b) else None)


def _overlapping(of_a: list[Case], of_b: list[Case]) -> Iterator[Pair]:
    """Neither list overlaps with itself."""
    left, right = (sorted(cases, key=lambda case: case.raised) for cases in (of_a, of_b))
    i = j = 0
    while i < len(left) and j < len(right):
        a, b = left[i], right[j]
        if _end(a) <= b.raised:
            yield Pair(a, None)
            i += 1
        elif _end(b) <= a.raised:
            yield Pair(None, b)
            j += 1
        else:
            yield Pair(a, b)
            i += 1
            j += 1
    yield from (Pair(a, None) for a in left[i:])
    yield from (Pair(None, b) for b in right[j:])


def _end(case: Case) -> int:
    return case.resolved if case.resolved is not None else _FOR_EVER
