"""Errors of the engine, named by what happens next."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from streams.engine.rights import Right

#: What decoding foreign bytes raises: beside what is told of their form, text that is no UTF-8, and nesting.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def why_unusable(error: OSError | ValueError) -> str:
    """What is wrong with a file, in words: an `OSError`'s own text has its number and path, too."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def is_panic(error: BaseException) -> bool:
    """Whether code in Rust has panicked: that is no `Exception`, and would end the process."""
    return type(error).__name__ == "PanicException"


class LogError(Exception):
    """Retryable: a request to the log failed. The task's state is dropped and restored."""


class FencedError(LogError):
    """Another worker has taken the task over: this writer is fenced."""


class DeniedError(LogError):
    """The log denies a right. A fresh look at the missing rights decides whether that is fatal.

    `rights`: the missing ones, as far as the error tells.
    """

    def __init__(self, message: str, rights: Sequence[Right] = ()) -> None:
        super().__init__(message)
        self.rights = tuple(rights)


class OutOfRangeError(LogError):
    """A position is no longer in its partition. `sources`: (topic, partition) of each."""

    def __init__(self, message: str, sources: Collection[tuple[str, int]]) -> None:
        super().__init__(message)
        self.sources = sources


class ClockError(LogError):
    """The commit depends on a clock that is minutes ahead of the log's."""


class LostMemberError(LogError):
    """The group member is unusable: close it and join again."""


class FatalError(Exception):
    """Ends the worker. The message is one line for the operator.

    `status` is the exit status: 2 if the set-up cannot work, 3 if the log has not answered for too long and a restart
    may help, 1 if the program is at fault.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class RefusedError(FatalError):
    """The log and this client do not accept each other: credentials, certificates or protocol.

    Fatal at the start. Later on it is waited for: credentials are changed on both sides, and not at the same moment.
    """
