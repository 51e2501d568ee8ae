"""The notifier's state, as rows of its compacted topic."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streams.notify.alert import Alert, EpisodeKey

Status = Literal["raised", "resolved"]
#: No time to speak of: until something else happens.
PARKED = 1 << 62
#: It is part of a message that the channel is being told.
UNDER_WAY = PARKED + 1


class Notice(msgspec.Struct):
    """One channel's share of an episode.

    `due`: from when on it may be told, in microseconds. `order`: of arrival. `told`: the channel has taken what was
    raised. `over`: nothing more will be said.
    """

    route: str
    due: int
    order: int
    told: bool = False
    over: bool = False


class Episode(msgspec.Struct):
    """An alert, its end, and who was told. `forgotten`: from when on nothing of it is known, in microseconds."""

    raised: Alert
    resolved: Alert | None
    notices: dict[str, Notice]
    forgotten: int = PARKED

    @property
    def key(self) -> EpisodeKey:
        return self.raised.key

    def pending(self, channel: str) -> Status | None:
        """What the channel is still to be told."""
        notice = self.notices[channel]
        if notice.over:
            return None
        if not notice.told:
            return "raised"
        return "resolved" if self.resolved is not None else None


class Message(msgspec.Struct):
    """What a channel is being told. It is written before it is sent: after a crash it is known what was under way.

    `id` tells a repeat: that of the alert, or of all alerts of a digest. `uncertain`: an attempt may have got through.
    """

    id: str
    channel: str
    title: str
    title_of_repeat: str
    text: str
    items: list[tuple[EpisodeKey, Status]]
    alerts: list[Alert]
    digest: bool
    uncertain: bool = False
    attempts: int = 0


class Told(msgspec.Struct):
    """When a channel was last told of a subject, and how severe it was: the cooldown begins there."""

    at: int
    severity: int


class Trouble(msgspec.Struct):
    """A channel that fails. `since`: the first failure of this outage; `again`: when it is tried next."""

    since: int
    failures: int
    again: int
    dead: bool = False


class Position(msgspec.Struct):
    """How far a partition has been read."""

    next: int


Row = Episode | Message | Told | Trouble | Position
_KINDS: dict[str, type[Any]] = {"e": Episode, "m": Message, "t": Told, "c": Trouble, "p": Position}
_LETTERS = {kind: letter for letter, kind in _KINDS.items()}


def row_key(kind: type[Any], *names: str) -> bytes:
    """The key of a row in the topic."""
    return msgspec.json.encode([_LETTERS[kind], *names])


def read_row(key: bytes, value: bytes) -> tuple[tuple[str, ...], Row]:
    """The names in a row's key, and the row. Raises `ValueError` where it is none of this version."""
    try:
        letter, *names = msgspec.json.decode(key, type=list[str])
        row: Row = msgspec.json.decode(value, type=_KINDS[letter])
    except (msgspec.MsgspecError, KeyError) as error:
        raise ValueError("a row that this version cannot read") from error
    return tuple(names), row
