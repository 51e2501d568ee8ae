"""A password in a file, read again for each connection: it is changed while a process runs."""

from __future__ import annotations

from pathlib import Path

import structlog

from streams.engine.errors import why_unusable

log = structlog.get_logger(__name__)


class PasswordFile:
    """The first line of a file. Its representation does not show it."""

    def __init__(self, file: str) -> None:
        """Raises `OSError` where the file cannot be read, and `ValueError` where there is no password in it."""
        self._file = Path(file)
        self._last = self._read()
        self._unreadable = False

    def current(self) -> str:
        """The password now; the last one while the file cannot be read, which is logged once."""
        try:
            self._last, self._unreadable = self._read(), False
        except (OSError, ValueError) as error:
            if not self._unreadable:
                log.warning("the password file cannot be used, what it held before is", error=why_unusable(error),
                            file=str(self._file))  # fmt: skip
            self._unreadable = True
        return self._last

    def _read(self) -> str:
        found = self._file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        if not found:
            raise ValueError("there is no password in it")
        return found
