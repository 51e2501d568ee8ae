"""What is said of an error that no command has named: its kind and its place, never its words.

A message may quote what was read. Where the system says why it refused a file or a connection, it is told.
"""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

#: The exit status of a fault in the program (`EX_SOFTWARE`), and of what the system refuses.
FAULT, REFUSED = 70, 2

_ROOT = Path(__file__).parents[2]


def place_of(error: BaseException | None) -> str:
    """Where an error came up: in the last of our own lines that it went through."""
    frames = extract_tb(error.__traceback__) if error is not None else []
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT / "streams")
           or Path(frame.filename).is_relative_to(_ROOT / "schemas")]  # fmt: skip
    if own:
        return f"{Path(own[-1].filename).relative_to(_ROOT)}:{own[-1].lineno}"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


def fault(error: BaseException | None) -> str:
    """One line for an error that should not have come up."""
    return f"a fault in the program: {type(error).__name__} at {place_of(error)}"


def told(error: BaseException) -> tuple[str, int]:
    """One line for whatever a command has let through, and the exit status."""
    if isinstance(error, OSError) and error.strerror:
        files = [str(file) for file in (error.filename, error.filename2) if isinstance(file, str | Path)]
        return f"{' and '.join(files) or 'the system'}: {error.strerror}", REFUSED
    if isinstance(error, MemoryError):
        return f"out of memory at {place_of(error)}", FAULT
    return fault(error), FAULT
