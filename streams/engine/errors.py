"""Errors of the engine, named by what happens next."""

from __future__ import annotations


class LogError(Exception):
    """Retryable: the log did not do what was asked. The task's state is thrown away and restored."""


class FencedError(LogError):
    """Another worker has taken the task over; this one has lost the right to write for it."""


class LostMemberError(LogError):
    """The member of a group is of no more use: close it and join again."""


class FatalError(Exception):
    """Nothing can go on. The message is one line for the operator.

    `status` is the exit status: 2 where the set-up cannot work, 1 where the program is at fault.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status
