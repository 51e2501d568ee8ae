"""Alternative names of carriers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from streams import carriers

#: Names of one carrier that are kept: beyond, numbers under two of its names are not counted.
_MOST = 16


class Spellings:
    """Carrier names as received. `canonical`: treat all names of one carrier as one.

    `twice` counts tracking numbers seen under two names of one carrier, by the sorted names; it stays empty under
    `canonical`. `others` returns only names passed to `seen` before, the first so many.
    """

    def __init__(self, canonical: bool, twice: Counter[tuple[str, str]] | None = None) -> None:
        self._canonical = canonical
        self.twice: Counter[tuple[str, str]] = Counter() if twice is None else twice
        self._by_code: dict[str, list[str]] = {}

    def identity(self, carrier: str) -> str:
        """The name under which a carrier's parcels are kept."""
        return carriers.canonical(carrier) if self._canonical else carrier

    def seen(self, carrier: str) -> None:
        """Records a name."""
        code = carriers.code_of(carrier)
        if code is not None and not self._canonical:
            names = self._by_code.setdefault(code, [])
            # Each new parcel is looked for under all of them.
            if carrier not in names and len(names) < _MOST:
                names.append(carrier)

    def others(self, carrier: str) -> Iterator[str]:
        """Other names of the same carrier seen so far."""
        code = None if self._canonical else carriers.code_of(carrier)
        if code is not None:
            yield from (name for name in self._by_code.get(code, ()) if name != carrier)

    def note(self, one: str, other: str) -> None:
        """Counts a tracking number seen under both names."""
        self.twice[min(one, other), max(one, other)] += 1


def told(twice: Counter[tuple[str, str]]) -> str | None:
    """One line for the operator about numbers seen under two names; None if there are none."""
    if not twice:
        return None
    (one, other), _ = twice.most_common(1)[0]
    return (
        f"{twice.total():,} tracking numbers came under two names of one carrier, such as {one!r} and {other!r}: "
        "[carriers] canonical = true in the policy makes them one"
    )
