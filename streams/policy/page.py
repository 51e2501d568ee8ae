"""Writes `docs/settings.md`, the page of all settings of a policy, from their model and the default profile.

    python -m streams.policy.page [--check] [FILE]

`--check` writes nothing, and exits with status 1 if the file is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from schemas.made_files import MadeFiles
from streams.policy.load import DEFAULT
from streams.policy.problems import allowed
from streams.policy.sections import anchor, section_of
from streams.policy.settings import Setting, settings, told

FILE = Path(__file__).parents[2] / "docs/settings.md"

_HEAD = """\
# Settings

<!-- Made from streams/policy by `make reference`. -->

Every setting of a [policy](policy.md) with its default, by the section of [rules.md](rules.md) that explains it. A row
of a list has its name in brackets. `parcelwatch policy show` prints the same for any policy, with what set each value.
"""
_COLUMNS = "| setting | default | allowed |\n|---|---|---|"


def page() -> str:
    """The content of the file."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    _, found = settings(DEFAULT)
    by_section: dict[str, list[Setting]] = {}
    for one in found:
        by_section.setdefault(section_of(one.name), []).append(one)
    yield _HEAD
    for heading, of_section in by_section.items():
        yield f"## {heading}\n\nExplained in [Rules: {heading}](rules.md#{anchor(heading)}).\n\n{_COLUMNS}"
        yield from map(_row, of_section)
        yield ""


def _row(one: Setting) -> str:
    return f"| `{one.name}` | {_escaped(told(one.value))} | {_escaped(allowed(one.name))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("{", "&#123;").replace("<", "&lt;")


def files() -> dict[str, bytes]:
    """The file itself."""
    return {"": page().encode()}


main = MadeFiles("streams.policy.page", (__doc__ or "").split("\n")[0], FILE, files).main


if __name__ == "__main__":
    sys.exit(main())
