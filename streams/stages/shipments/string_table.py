"""Strings that come again and again, by number: carriers, facilities, shops, regions.

A row holds the number, the changelog each string once for each task. Numbers are given in the order of first use and
mean nothing outside of their task.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Strings that get a number. Past that, in a world with no end of facilities, rows hold the strings themselves.
_MOST = 1_000_000


class Names:
    """The numbers of one task's strings, from 1 on. `changed`: those that were given since it was cleared."""

    def __init__(self, most: int = _MOST) -> None:
        self.numbers: dict[str, int] = {}
        self.changed: list[int] = []
        self._texts: list[str] = [""]
        self._most = most

    def number(self, text: str) -> int:
        """Its number, a new one if need be."""
        number = self.numbers.get(text)
        if number is None:
            number = self.numbers[text] = len(self._texts)
            self._texts.append(text)
            self.changed.append(number)
        return number

    def short(self, text: str | None) -> int | str | None:
        """Its number where there is one or may be one, else the string itself."""
        if text is None:
            return None
        if len(self._texts) > self._most and text not in self.numbers:
            return text
        return self.number(text)

    def text(self, number: int) -> str:
        """The string of a number."""
        return self._texts[number]

    def long(self, short: int | str | None) -> str | None:
        """What `short` was made of."""
        return self._texts[short] if isinstance(short, int) else short

    def rebuild(self, texts: Iterable[tuple[int, str]]) -> None:
        """Takes over restored numbers."""
        self.numbers = {text: number for number, text in texts}
        self._texts = ["", *sorted(self.numbers, key=self.numbers.__getitem__)]
