"""Every finding has its sentences in each language, and they hold the same facts."""

from __future__ import annotations

import ast
import string
from importlib import resources

import pytest

from schemas.times import SECOND
from streams.alerts.languages import LANGUAGES, untranslated
from streams.status.judgement import Finding, Lasting, Left
from streams.status.wording import duration, remedy, what, words

UNITS = "units"


def codes_of_the_judgement() -> set[str]:
    """The codes that judgement.py can give: all its texts that name sentences."""
    tree = ast.parse((resources.files("streams.status") / "judgement.py").read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in words()}


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_sentence_can_be_said_and_none_is_lacking() -> None:
    assert codes_of_the_judgement() == words().keys() - {UNITS}


def test_every_text_has_each_language_and_nothing_else() -> None:
    assert untranslated(text for part in words().values() for text in part.values()) == []
    assert all(part.keys() == {"what", "do"} for code, part in words().items() if code != UNITS)


@pytest.mark.parametrize("code", sorted(words().keys() - {UNITS}))
def test_a_finding_tells_the_same_facts_in_each_language(code: str) -> None:
    for text in words()[code].values():
        assert len({frozenset(holes(text[tag])) for tag in LANGUAGES}) == 1


def test_a_finding_is_told_in_the_readers_language() -> None:
    found = Finding(True, "silent", {"worker": "one", "host": "10.0.0.1", "ago": Lasting(125 * SECOND)})
    assert what(found) == "worker one at 10.0.0.1 has been silent for 2 min"
    assert what(found, "zh-CN") == "10.0.0.1 上的 worker one 已有 2 分钟没有上报"
    assert remedy(found, "zh-CN").startswith("看它是否还活着")


def test_a_long_list_is_cut_and_says_how_long_it_is() -> None:
    found = Finding(True, "restoring", {"tasks": [Left(f"orders-{n}", n - 1) for n in range(7)]})
    assert what(found) == (
        "being restored: orders-0 (begins), orders-1 (0 offsets left), orders-2 (1 offsets left), "
        "orders-3 (2 offsets left), orders-4 (3 offsets left) and 2 more"
    )
    assert what(found, "zh-CN").endswith(" 等 7 个")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (172_800, "2 days")],
)
def test_a_duration_is_told_in_the_largest_unit_of_which_it_has_two(seconds: int, said: str) -> None:
    assert duration(seconds * SECOND) == said
