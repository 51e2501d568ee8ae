"""Numbers for recurring strings: carriers, facilities, shops, regions.

Rows hold the number; the changelog holds each string once per task. A number is derived from its string, so that rows
do not depend on which of the strings came first; where two strings have one number, the later one gets another. Numbers
are valid only within their task.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

#: Most strings that get a number. Beyond that, as with unbounded facility names, rows hold the strings themselves.
_MOST = 1_000_000
#: Most characters of a string that gets one where it need not: those that have one are kept for good.
_LONGEST = 256
#: Numbers below this are of older versions, which counted; one of those may be a carrier's and any other string's.
_COUNTED = 1 << 20
#: Carriers' numbers, three bytes of each key, are below this; those of all other strings are from here on.
_CARRIERS = 1 << 24
#: The last numbers of each. None begins with the byte 0xFF, which marks the pieces of a split row
#: (`streams.stages.split_rows`): numbers follow the letter in keys.
_LAST_CARRIER, _LAST = 0xFE_FFFF, 0xFEFF_FFFF


class Names:
    """The string numbers of one task, all above 0. `changed`: those assigned since it was last cleared."""

    def __init__(self, most: int = _MOST) -> None:
        #: Of all strings but carriers.
        self.numbers: dict[str, int] = {}
        self.changed: list[int] = []
        self._carriers: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._most = most

    def carrier(self, text: str) -> int:
        """The number of a carrier, below 2**24, assigned if new."""
        number = self._carriers.get(text)
        return self._assign(self._carriers, text, _COUNTED, _LAST_CARRIER) if number is None else number

    def number(self, text: str) -> int:
        """The number of any other string, below 2**32 - 1, assigned if new."""
        number = self.numbers.get(text)
        return self._assign(self.numbers, text, _CARRIERS, _LAST) if number is None else number

    def _assign(self, numbers: dict[str, int], text: str, first: int, last: int) -> int:
        number = next(number for number in _derived(text, first, last) if number not in self._texts)
        numbers[text] = number
        self._texts[number] = text
        self.changed.append(number)
        return number

    def short(self, text: str | None) -> int | str | None:
        """The number of a string, or the string itself if it is long, or once all numbers are taken."""
        if text is None:
            return None
        if (len(text) > _LONGEST or len(self.numbers) >= self._most) and text not in self.numbers:
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
        self._texts = dict(texts)
        self._carriers = {text: number for number, text in self._texts.items() if number < _CARRIERS}
        self.numbers = {text: number for number, text in self._texts.items() if not _COUNTED <= number < _CARRIERS}


def _derived(text: str, first: int, last: int) -> Iterator[int]:
    """Numbers from the first to the last, in the order in which the text prefers them."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) % (last - first + 1)
    while True:
        yield first + number
        number = (number + 1) % (last - first + 1)
