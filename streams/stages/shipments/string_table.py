"""Numbers for recurring strings: carriers, facilities, shops, regions.

Rows hold the number; the changelog holds each string once per task. Numbers follow the order of first use and are
valid only within their task.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Most strings that get a number. Beyond that, as with unbounded facility names, rows hold the strings themselves.
_MOST = 1_000_000


class Names:
    """The string numbers of one task, from 1. `changed`: those assigned since it was last cleared."""

    def __init__(self, most: int = _MOST) -> None:
        self.numbers: dict[str, int] = {}
        self.changed: list[int] = []
        self._texts: list[str] = [""]
        self._most = most

    def number(self, text: str) -> int:
        """The number of a string, assigned if new."""
        number = self.numbers.get(text)
        if number is None:
            number = self.numbers[text] = len(self._texts)
            self._texts.append(text)
            self.changed.append(number)
        return number

    def short(self, text: str | None) -> int | str | None:
        """The number of a string, or the string itself once all numbers are taken."""
        if text is None:
            return None
        if len(self._texts) > self._most and text not in self.numbers:
            return text
        return self.number(text)

    def text(self, number: int) -> str:
        """The string of a number."""
        return self._texts[number]

    def long(self, short: int | str | None) -> str | None:
        """The inverse of `short`."""
        return self._texts[short] if isinstance(short, int) else short

    def rebuild(self, texts: Iterable[tuple[int, str]]) -> None:
        """Restores the numbers."""
        self.numbers = {text: number for number, text in texts}
        self._texts = ["", *sorted(self.numbers, key=self.numbers.__getitem__)]
