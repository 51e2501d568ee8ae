"""What was found wrong, in words: the sentences of `words.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import msgspec

from schemas.times import SECOND
from streams.alerts.languages import FALLBACK, LANGUAGES, Tag, Text
from streams.status.judgement import Finding, Lasting, Left

#: How many names of a list are told.
_TOLD = 5


def what(finding: Finding, tag: Tag = FALLBACK) -> str:
    """What is not as it should be."""
    return _filled(finding, "what", tag)


def remedy(finding: Finding, tag: Tag = FALLBACK) -> str:
    """What to do about it."""
    return _filled(finding, "do", tag)


def duration(micros: int, tag: Tag = FALLBACK) -> str:
    """For people: "8 s", "3 min", "5 h", "12 days"."""
    seconds = max(micros, 0) // SECOND
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return words()["units"][unit][tag].format(n=seconds // size)
    return words()["units"]["seconds"][tag].format(n=seconds)


@cache
def words() -> dict[str, dict[str, Text]]:
    """All sentences, by code; how lists and durations are written, under `units`."""
    raw = (resources.files("streams.status") / "words.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, dict[str, Text]])


def _filled(finding: Finding, part: str, tag: Tag) -> str:
    facts = {name: _written(value, tag) for name, value in finding.facts.items()}
    return words()[finding.code][part][tag].format(**facts)


def _written(value: object, tag: Tag) -> object:
    """A number stays one: how it is written is the sentence's."""
    if isinstance(value, Lasting):
        return duration(value.micros, tag)
    if isinstance(value, Left):
        known = value.offsets is not None and value.offsets >= 0
        return words()["units"]["left" if known else "begins"][tag].format(task=value.task, left=value.offsets)
    if isinstance(value, list | tuple):
        return _listed([str(_written(one, tag)) for one in value], tag)
    return value


def _listed(names: Sequence[str], tag: Tag) -> str:
    """A few of them, and how many more."""
    told = LANGUAGES[tag].list.join(names[:_TOLD])
    if len(names) <= _TOLD:
        return told
    return words()["units"]["more"][tag].format(names=told, all=len(names), more=len(names) - _TOLD)
