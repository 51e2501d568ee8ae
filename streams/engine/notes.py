"""What workers tell of themselves, for `parcelwatch status`: texts beside offsets that the group keeps.

A worker commits, for each of its tasks, the changelog offset up to which it has the task's state, with a note as the
offset's metadata. That takes no topic and no right that a worker does not have, and the group refuses it from a
worker that is no member any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from streams.engine.errors import UNDECODABLE

#: What Kafka takes as metadata (`offset.metadata.max.bytes`, 4096), with some room.
MOST = 4_000
#: The longest reason that is told, in characters.
_REASON = 300
#: Version of the notes. Notes of another version are ignored.
_VERSION = 1


class InputNote(NamedTuple):
    """One input of a task: its watermark and lateness (microseconds; 0 for an edge), and what holds it back."""

    watermark: int
    lateness: int
    holder: str


class WorkerNote(msgspec.Struct, omit_defaults=True):
    """One worker: how it was started, why it is not ready, its standbys with the offsets left, and some metrics."""

    about: dict[str, str]
    wrong: dict[str, str] = msgspec.field(default_factory=dict)
    standbys: dict[str, int] = msgspec.field(default_factory=dict)
    measured: dict[str, float] = msgspec.field(default_factory=dict)


class TaskNote(msgspec.Struct, omit_defaults=True):
    """One task. `at`: microseconds, by the worker's clock; `member`: its id in the group.

    `left`: changelog offsets left to restore, -1 if that has not begun; None once the task runs. `worker` is in one
    note of a worker only, that of its first task.
    """

    at: int
    member: str
    left: int | None = None
    inputs: dict[str, InputNote] = msgspec.field(default_factory=dict)
    worker: WorkerNote | None = None
    version: int = _VERSION


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TaskNote).decode


def write(note: TaskNote) -> str:
    """The note as a text of at most `MOST` bytes; what does not fit is left out, the least important first."""
    if note.worker is not None:
        note.worker.wrong = {kind: why[:_REASON] for kind, why in note.worker.wrong.items()}
    text = _encode(note)
    if len(text) > MOST and note.worker is not None:
        note.worker.standbys = {}
        text = _encode(note)
    if len(text) > MOST:
        text = _encode(TaskNote(note.at, note.member, note.left))
    return text.decode()


def read(text: str) -> TaskNote | None:
    """The note in a metadata text; None if there is none, or one of another version."""
    try:
        note = _decode(text)
    except UNDECODABLE:
        return None
    return note if note.version == _VERSION else None


def positive(numbers: Mapping[str, float]) -> dict[str, float]:
    """Those that say something: a note is short."""
    return {name: number for name, number in numbers.items() if number}
