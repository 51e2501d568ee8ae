"""The external topics: their purpose, and their names on a broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.events import CHATS, ORDERS, SCANS

INPUTS = (ORDERS, CHATS, SCANS)
#: By audience.
ALERTS = MappingProxyType({"merchant": "alerts.merchant", "platform": "alerts.platform"})
TABLES = ("help-rates", "category-baselines", "conversation-topics", "refund-reasons")
#: By input.
DEAD_LETTERS = MappingProxyType({topic: f"{topic}.dlq" for topic in INPUTS})
OUTPUTS = (*ALERTS.values(), *TABLES, *DEAD_LETTERS.values())
_ALL = (*INPUTS, *OUTPUTS)

#: What a name of a topic may be made of, beside ASCII letters and digits; and how long a prefix may be.
_MARKS = "._-"
LONGEST_PREFIX = 100


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The topics' names on the broker, by the names used in the program (`INPUTS`, `OUTPUTS`).

    Everything that reads or writes a topic looks its name up here. Internal topics are named by the application id.
    """

    called: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({name: name for name in _ALL}))

    @classmethod
    def prefixed(cls, prefix: str) -> TopicNames:
        """All of them behind a prefix, which may be empty. Raises `ValueError` with one line."""
        if len(prefix) > LONGEST_PREFIX or not all(c.isascii() and (c.isalnum() or c in _MARKS) for c in prefix):
            raise ValueError(f"at most {LONGEST_PREFIX} letters, digits, dots, dashes or underscores")
        return cls(MappingProxyType({name: prefix + name for name in _ALL}))

    def renamed(self, called: Mapping[str, str]) -> TopicNames:
        """The same, but for those that are called otherwise."""
        return TopicNames(MappingProxyType({**self.called, **called}))

    def muted(self, app_id: str) -> TopicNames:
        """The same inputs; the outputs go into topics of the application's own, which nobody but `grow` reads."""
        return self.renamed({name: f"{app_id}-muted-{name}" for name in OUTPUTS})

    def __getitem__(self, name: str) -> str:
        return self.called[name]

    def all(self, names: Iterable[str]) -> tuple[str, ...]:
        """What they are called, in their order."""
        return tuple(self.called[name] for name in names)

    def dead_letters(self, name: str) -> str:
        """Where the dead letters of an input go."""
        return self.called[DEAD_LETTERS[name]]


#: Every topic is called as the program knows it.
PLAIN = TopicNames()
