"""The external topics: their purpose, and their names on a broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.did_you_mean import did_you_mean
from schemas.events import CHATS, ORDERS, SCANS

INPUTS = (ORDERS, CHATS, SCANS)
#: By audience.
ALERTS = MappingProxyType({"merchant": "alerts.merchant", "platform": "alerts.platform"})
TABLES = ("help-rates", "category-baselines", "conversation-topics", "refund-reasons")
#: By input.
DEAD_LETTERS = MappingProxyType({topic: f"{topic}.dlq" for topic in INPUTS})
OUTPUTS = (*ALERTS.values(), *TABLES, *DEAD_LETTERS.values())
#: Dead letters of `parcelwatch ingest`: pushes, which are no records of an input yet.
INGEST_DEAD_LETTERS = "ingest.dlq"
_ALL = (*INPUTS, *OUTPUTS, INGEST_DEAD_LETTERS)

#: What a name of a topic may be made of, beside ASCII letters and digits.
_MARKS = "._-"
#: Most characters of a name that Kafka takes, and of a prefix.
LONGEST_NAME = 249
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
        if len(prefix) > LONGEST_PREFIX or not _of_legal_characters(prefix):
            raise ValueError(f"at most {LONGEST_PREFIX} letters, digits, dots, dashes or underscores")
        return cls(MappingProxyType({name: prefix + name for name in _ALL}))

    def named(self, given: Mapping[str, str]) -> TopicNames:
        """The same, but for those that have a name of their own, whatever the prefix.

        The dead letters of an input follow its name unless they are named, too. Raises `ValueError` with one line if
        Kafka would refuse a name, or would not tell two of them apart.
        """
        for name, topic in given.items():
            if name not in self.called:
                meant = did_you_mean(name, self.called)
                raise ValueError(f"{name}: no input or output{meant}; there are {', '.join(self.called)}")
            if (why := refused(topic)) is not None:
                raise ValueError(f"{name}: {why}")
        following = {DEAD_LETTERS[name]: f"{topic}.dlq" for name, topic in given.items() if name in DEAD_LETTERS}
        names = self.renamed({**following, **given})
        for name, topic in following.items():
            if name not in given and len(topic) > LONGEST_NAME:
                raise ValueError(f"{name}: {topic[:20]}... has more than {LONGEST_NAME} characters: name it, too")
        known: dict[str, str] = {}
        for name, topic in names.called.items():
            if (other := known.setdefault(indistinct(topic), name)) != name:
                raise ValueError(f"{name} and {other}: Kafka could not tell {topic} from {names[other]}")
        return names

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


def refused(topic: str) -> str | None:
    """Why Kafka takes no topic of this name, or None. Names that begin with two underscores are its own."""
    if not topic or len(topic) > LONGEST_NAME or not _of_legal_characters(topic) or topic in (".", ".."):
        return f"a topic's name is 1 to {LONGEST_NAME} letters, digits, dots, dashes or underscores"
    return "names of topics that begin with __ are Kafka's own" if topic.startswith("__") else None


def indistinct(topic: str) -> str:
    """A text that is equal for names that Kafka does not tell apart: its metrics write a dot as an underscore."""
    return topic.replace(".", "_")


def _of_legal_characters(text: str) -> bool:
    return all(c.isascii() and (c.isalnum() or c in _MARKS) for c in text)


#: Every topic is called as the program knows it.
PLAIN = TopicNames()
