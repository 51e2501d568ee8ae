"""Describes an unexpected error by its kind and place, never by its message.

The message may quote data that was read. If the operating system refused a file or connection, its reason is included.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from traceback import extract_tb

#: The exit status of a fault in the program (`EX_SOFTWARE`), and of what the system refuses.
FAULT, REFUSED = 70, 2

_ROOT = Path(__file__).parents[2]


def place_of(error: BaseException | None) -> str:
    """Where an error occurred: the innermost line of our own code in its traceback."""
    frames = extract_tb(error.__traceback__) if error is not None else []
    return innermost([(frame.filename, frame.lineno) for frame in frames])


def innermost(stack: Sequence[tuple[str, int | None]]) -> str:
    """Of the files and lines of a stack, the innermost last: the last one in our own code, or the last one of all."""
    for name, line in reversed(stack):
        file = Path(name)
        if file.is_relative_to(_ROOT / "streams") or file.is_relative_to(_ROOT / "schemas"):
            return f"{file.relative_to(_ROOT)}:{line}"
    return f"{Path(stack[-1][0]).name}:{stack[-1][1]}" if stack else "an unknown place"


def fault(error: BaseException | None) -> str:
    """One line for an unexpected error."""
    return f"a fault in the program: {type(error).__name__} at {place_of(error)}"


def told(error: BaseException) -> tuple[str, int]:
    """One line for an error that a command did not handle, and the exit status."""
    if isinstance(error, OSError) and error.strerror:
        files = [str(file) for file in (error.filename, error.filename2) if isinstance(file, str | Path)]
        return f"{' and '.join(files) or 'the system'}: {error.strerror}", REFUSED
    if isinstance(error, MemoryError):
        return f"out of memory at {place_of(error)}", FAULT
    return fault(error), FAULT
