"""The names that carriers come with, where one carrier has several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from streams import carriers


class Spellings:
    """Names of carriers as they come in. `canonical`: all names of one carrier are one.

    `twice` counts numbers that came under two names of one carrier, by the names in order; it stays empty where they
    are one. `seen` has to hear of a name before `others` knows it.
    """

    def __init__(self, canonical: bool, twice: Counter[tuple[str, str]] | None = None) -> None:
        self._canonical = canonical
        self.twice: Counter[tuple[str, str]] = Counter() if twice is None else twice
        self._by_code: dict[str, list[str]] = {}

    def identity(self, carrier: str) -> str:
        """The name by which a carrier's parcels are known."""
        return carriers.canonical(carrier) if self._canonical else carrier

    def seen(self, carrier: str) -> None:
        """Takes note of a name."""
        code = carriers.code_of(carrier)
        if code is not None and not self._canonical:
            names = self._by_code.setdefault(code, [])
            if carrier not in names:
                names.append(carrier)

    def others(self, carrier: str) -> Iterator[str]:
        """Other names of the same carrier that were seen."""
        code = None if self._canonical else carriers.code_of(carrier)
        if code is not None:
            yield from (name for name in self._by_code.get(code, ()) if name != carrier)

    def note(self, one: str, other: str) -> None:
        """Counts a number that came under both names."""
        self.twice[min(one, other), max(one, other)] += 1


def told(twice: Counter[tuple[str, str]]) -> str | None:
    """One line for a person about the numbers that came under two names; None where there are none."""
    if not twice:
        return None
    (one, other), _ = twice.most_common(1)[0]
    return (
        f"{twice.total():,} tracking numbers came under two names of one carrier, such as {one!r} and {other!r}: "
        "[carriers] canonical = true in the policy makes them one"
    )
