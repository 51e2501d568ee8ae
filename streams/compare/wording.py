"""A comparison in words: those of `words.toml`, in a reader's language."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

from streams.alerts.languages import Tag, Text


@cache
def texts() -> dict[str, Text]:
    """All texts, by name."""
    return msgspec.toml.decode((resources.files("streams.compare") / "words.toml").read_bytes(), type=dict[str, Text])


class Words:
    """The words of one language."""

    def __init__(self, tag: Tag) -> None:
        self.tag = tag

    def __call__(self, name: str, **values: object) -> str:
        """A text with its values, whole numbers in groups of three digits."""
        shown = {key: f"{value:,}" if isinstance(value, int) else value for key, value in values.items()}
        return texts()[name][self.tag].format(**shown)

    def of(self, text: Text) -> str:
        """A text of another catalogue."""
        return text[self.tag]
