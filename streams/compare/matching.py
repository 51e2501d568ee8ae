"""Matches the alerts of one policy with those of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.times import AFTER_ALL
from streams.compare.episodes import Episode


class Pair(NamedTuple):
    """The same episode under both policies; None if that policy raised no such alert."""

    a: Episode | None
    b: Episode | None

    @property
    def either(self) -> Episode:
        """The one under the first policy, else the other."""
        episode = self.a or self.b
        if episode is None:
            raise ValueError("a pair of nothing")
        return episode


def match(a: Sequence[Episode], b: Sequence[Episode]) -> list[Pair]:
    """Every episode of both, once, by type, subject and time.

    Episodes of one type and subject that are about the same are paired in order of time, those that stand before those
    that a late event disproved. Where what they are about is the time in which they are open, they are paired if they
    overlap, the earliest first.
    """
    groups: dict[tuple[str, str, str | None, tuple[str, ...] | None], tuple[list[Episode], list[Episode]]] = {}
    for side, episodes in enumerate((a, b)):
        for episode in episodes:
            shop = episode.shop_id if episode.about is None else None
            groups.setdefault((episode.type, episode.subject, shop, episode.about), ([], []))[side].append(episode)
    pairs: list[Pair] = []
    for (_, _, _, about), (of_a, of_b) in groups.items():
        pairs += _overlapping(of_a, of_b) if about is None else _in_order(of_a, of_b)
    return sorted(pairs, key=_place)


def _place(pair: Pair) -> tuple[str, int, str]:
    return pair.either.type, min(episode.raised for episode in pair if episode is not None), pair.either.subject


def _in_order(of_a: list[Episode], of_b: list[Episode]) -> Iterator[Pair]:
    for episodes in (of_a, of_b):
        episodes.sort(key=lambda episode: (episode.withdrawn, episode.raised))
    for place in range(max(len(of_a), len(of_b))):
        yield Pair(of_a[place] if place < len(of_a) else None, of_b[place] if place < len(of_b) else None)


def _overlapping(of_a: list[Episode], of_b: list[Episode]) -> Iterator[Pair]:
    """Neither list overlaps with itself."""
    left, right = (sorted(episodes, key=lambda episode: episode.raised) for episodes in (of_a, of_b))
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


def _end(episode: Episode) -> int:
    return episode.resolved if episode.resolved is not None else AFTER_ALL
