"""Errors of the engine, named by what happens next."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from streams.engine.rights import Right


class LogError(Exception):
    """Retryable: the log did not do what was asked. The task's state is thrown away and restored."""


class FencedError(LogError):
    """Another worker has taken the task over; this one has lost the right to write for it."""


class DeniedError(LogError):
    """The log does not allow something. Whether that is the end is decided by what is missing now.

    `rights`: what is missing, as far as the error tells.
    """

    def __init__(self, message: str, rights: Sequence[Right] = ()) -> None:
        super().__init__(message)
        self.rights = tuple(rights)


class OutOfRangeError(LogError):
    """A position is none of its partition's any more. `sources` are (topic, partition) of those."""

    def __init__(self, message: str, sources: Collection[tuple[str, int]]) -> None:
        super().__init__(message)
        self.sources = sources


class ClockError(LogError):
    """What was to be written follows from a clock that is minutes ahead of the log's."""


class LostMemberError(LogError):
    """The member of a group is of no more use: close it and join again."""


class FatalError(Exception):
    """Nothing can go on. The message is one line for the operator.

    `status` is the exit status: 2 where the set-up cannot work, 3 where the log has not answered for too long and a new
    start may help, 1 where the program is at fault.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status
