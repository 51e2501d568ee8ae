"""Files that are made from the code: written, or compared with what would be written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple


class MadeFiles(NamedTuple):
    """What `python -m MODULE [--check] [PLACE]` writes.

    `place`: the folder by default, or the file, where it is a single one. `files`: the content of every file by its
    path within the place, "" for the place itself. `ours`: a pattern of paths within the place; what matches it and is
    not made any more is removed.
    """

    module: str
    about: str
    place: Path
    files: Callable[[], Mapping[str, bytes]]
    ours: str | None = None

    def outdated(self, place: Path) -> list[str]:
        """The files that are missing, different, or not made any more."""
        wanted = self.files()
        different = {name for name, content in wanted.items() if _content(place / name) != content}
        return sorted(different | self._left_over(place, wanted))

    def write(self, place: Path) -> None:
        """Makes the place hold exactly the files of now."""
        wanted = self.files()
        for name in self._left_over(place, wanted):
            (place / name).unlink()
        for name, content in wanted.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)

    def main(self, arguments: list[str] | None = None) -> int:
        """The exit status: 1 where `--check`, which writes nothing, finds a difference."""
        parser = argparse.ArgumentParser(prog=f"python -m {self.module}", description=self.about)
        parser.add_argument("place", nargs="?", type=Path, default=self.place)
        parser.add_argument("--check", action="store_true", help="compare only")
        options = parser.parse_args(arguments)
        if not options.check:
            self.write(options.place)
            return 0
        wrong = self.outdated(options.place)
        for name in wrong:
            sys.stderr.write(f"{name or options.place}: not current; run python -m {self.module}\n")
        return 1 if wrong else 0

    def _left_over(self, place: Path, wanted: Mapping[str, bytes]) -> set[str]:
        there = place.glob(self.ours) if self.ours is not None else ()
        return {path.relative_to(place).as_posix() for path in there} - wanted.keys()


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
