"""The notifier's state in memory, and what of it has changed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streams.notify.alert import EpisodeKey
from streams.notify.episode import Episode, Message, Position, Row, Told, Trouble, read_row, row_key


class State:
    """Everything that is kept, made of the `rows` of a former process.

    `messages` and `trouble` by channel; `told` by channel, audience and subject. A message that was under way when the
    former process ended is uncertain: whether it arrived, nobody knows.
    """

    def __init__(self, rows: Mapping[bytes, bytes] | None = None) -> None:
        self.episodes: dict[EpisodeKey, Episode] = {}
        self.told: dict[tuple[str, ...], Told] = {}
        self.messages: dict[str, Message] = {}
        self.trouble: dict[str, Trouble] = {}
        self.positions: dict[tuple[str, int], int] = {}
        self._subjects: dict[tuple[str, str], list[EpisodeKey]] = {}
        self._changed: dict[bytes, Row | None] = {}
        for key, value in (rows or {}).items():
            self._restore(*read_row(key, value))

    def know(self, episode: Episode) -> None:
        """Adds an episode."""
        self.episodes[episode.key] = episode
        self._subjects.setdefault(_subject(episode.key), []).append(episode.key)

    def others(self, episode: Episode) -> list[Episode]:
        """The other episodes of the same subject, for the same audience."""
        return [self.episodes[key] for key in self._subjects[_subject(episode.key)] if key != episode.key]

    def put(self, row: Row, *names: str) -> None:
        """Marks a row as changed."""
        self._changed[row_key(type(row), *names)] = row

    def put_episode(self, episode: Episode) -> None:
        """Marks an episode as changed."""
        self.put(episode, *episode.key)

    def drop(self, kind: type[Row], *names: str) -> None:
        """Marks a row as gone."""
        self._changed[row_key(kind, *names)] = None

    def move(self, topic: str, partition: int, position: int) -> None:
        """A partition has been read up to there."""
        self.positions[topic, partition] = position
        self.put(Position(position), topic, str(partition))

    @property
    def changed(self) -> bool:
        """Whether there is anything that `changes` would return."""
        return bool(self._changed)

    def changes(self) -> dict[bytes, bytes | None]:
        """The rows that have changed since the last call."""
        changed, self._changed = self._changed, {}
        return {key: None if row is None else msgspec.json.encode(row) for key, row in changed.items()}

    def forget(self, now: int, cooldown: int) -> None:
        """Drops what has been over for long enough. `cooldown`: the longest of all routes."""
        for episode in [one for one in self.episodes.values() if one.forgotten <= now]:
            del self.episodes[episode.key]
            keys = self._subjects[_subject(episode.key)]
            keys.remove(episode.key)
            if not keys:
                del self._subjects[_subject(episode.key)]
            self.drop(Episode, *episode.key)
        for names in [names for names, told in self.told.items() if told.at + cooldown <= now]:
            del self.told[names]
            self.drop(Told, *names)

    def _restore(self, names: tuple[str, ...], row: Row) -> None:
        if isinstance(row, Episode):
            self.know(row)
        elif isinstance(row, Message):
            row.uncertain = True
            self.messages[row.channel] = row
        elif isinstance(row, Told):
            self.told[names] = row
        elif isinstance(row, Trouble):
            self.trouble[names[0]] = row
        else:
            self.positions[names[0], int(names[1])] = row.next


def _subject(key: EpisodeKey) -> tuple[str, str]:
    return key.audience, key.subject
