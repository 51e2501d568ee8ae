"""docs/rules.md explains every setting, with the numbers of the default policy, and its example adds up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import msgspec
import pytest

from streams.policy import load
from streams.policy.command import told
from streams.policy.sections import PAGE, SECTIONS, link_to, section_of
from streams.policy.settings import Setting, settings
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.help_rate import levels

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / PAGE).read_text()
SETTINGS: dict[str, Setting] = {one.name: one for one in settings(load.DEFAULT)[1]}
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
#: A list of phrases and the like is too long for a page.
LONG = 12


def sections() -> dict[str, str]:
    """What stands below each heading, up to the next one."""
    parts = _HEADING.split(TEXT)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> Iterator[list[str]]:
    """The cells of the rows of all tables."""
    for line in re.findall(r"^\|(.*)\|$", text, re.MULTILINE):
        yield [cell.strip() for cell in line.split("|")]


def as_said(setting: Setting) -> str:
    if isinstance(setting.value, list) and len(setting.value) > LONG:
        return "list"
    if isinstance(setting.value, list) and not any(isinstance(one, list) for one in setting.value):
        return ", ".join(setting.value)
    return told(setting.value)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_of_the_default_policy_is_in_a_table_of_its_section_with_its_value(name: str) -> None:
    found = [row[1] for row in rows(sections()[section_of(name)]) if row[0] == f"`{name}`"]
    assert found == [as_said(SETTINGS[name])]


def test_the_tables_have_no_setting_that_there_is_not() -> None:
    known = [row[0].strip("`") for text in sections().values() for row in table_of_settings(text)]
    assert sorted(known) == sorted(SETTINGS)


def table_of_settings(text: str) -> list[list[str]]:
    found = list(rows(text))
    starts = [number for number, row in enumerate(found) if row[:2] == ["setting", "default"]]
    return [row for start in starts for row in found[start + 2 :]]


def test_every_number_in_a_sentence_is_that_of_the_setting_it_names() -> None:
    quoted = re.findall(r"([\d.:]*\d)(?:th)?(?:\s[^\s(]+){0,2}\s\(`([a-z_]+\.[^`]+)`\)", TEXT)
    assert len(quoted) > 30
    for number, name in quoted:
        assert number == told(SETTINGS[name].value), name


def test_every_setting_that_a_sentence_names_is_one() -> None:
    tables = {name.partition(".")[0] for name in SETTINGS if "." in name}
    for name in re.findall(r"`([a-z_]+\.[^`\s]+)`", TEXT):
        if name.partition(".")[0] in tables and name not in SETTINGS and name not in ALERT_TYPES:
            assert any(known.startswith((f"{name}.", f"{name}[")) for known in SETTINGS), name


def test_every_heading_that_settings_are_sent_to_is_one_on_the_page() -> None:
    assert set(SECTIONS.values()) <= sections().keys()


@pytest.mark.parametrize("profile", ["default", "tmall-2026", "taobao-experience-2026", "distinct-orders"])
def test_every_setting_of_every_profile_has_a_section(profile: str) -> None:
    for one in settings(profile)[1]:
        assert section_of(one.name) in sections()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_link_of_every_setting_leads_to_the_heading_of_its_section(name: str) -> None:
    page, _, fragment = link_to(name).partition("#")
    # As forges make them: small letters, digits and dashes of a heading, one for each space.
    fragments = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-"): heading for heading in sections()}
    assert (page, fragments[fragment]) == (PAGE, section_of(name))


def test_the_page_names_every_alert_and_the_section_of_its_rule() -> None:
    overview = [row for row in rows(TEXT.partition("\n## ")[0]) if row[1].startswith("`")]
    named = [name for row in overview for name in re.findall(r"`([^`]+)`", row[1])]
    assert sorted(named) == sorted(ALERT_TYPES)
    for row in overview:
        headings = [heading for heading in sections() if f"[{heading}]" in row[2]]
        text = "".join(part for heading in headings for part in below(heading))
        for name in re.findall(r"`([^`]+)`", row[1]):
            assert f"`{name}`" in text, name


def below(heading: str) -> Iterator[str]:
    """What stands below a heading and those within it."""
    level = next(line for line in TEXT.splitlines() if line.endswith(f"# {heading}")).partition(" ")[0]
    after = TEXT.partition(f"\n{level} {heading}\n")[2]
    yield re.split(rf"^#{{2,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def test_the_worked_example_of_the_help_rate_adds_up() -> None:
    rules = load.default().help_rate
    table = [row for row in rows(sections()["A worked example"]) if row[1].isdigit()]
    rates = {}
    for shop, orders, *kinds, escalations, rate in table:
        assert sum(map(int, kinds)) == int(escalations)
        assert int(escalations) / int(orders) == pytest.approx(float(rate))
        rates[shop] = (int(orders), int(escalations), int(escalations) / int(orders))
    baseline = fmean(rate for _, _, rate in rates.values())
    assert baseline == pytest.approx(0.05)

    def state(flags: int, orders: int, escalations: int) -> levels.Judgement:
        return levels.judge(flags, orders, escalations, escalations / orders, baseline, rules)

    states = {shop: state(0, orders, escalations).state for shop, (orders, escalations, _) in rates.items()}
    assert states == {"A": "ok", "B": "ok", "C": "ok", "D": "ok", "E": "campaign_blocked"}
    assert levels.escalations_left("campaign_blocked", 200, 22, baseline, rules) == 9
    blocked = state(0, 200, 22)
    assert state(blocked.flags, 200, 14).state == "campaign_blocked"
    assert state(blocked.flags, 200, 13).state == "elevated"
    assert msgspec.structs.asdict(rules)["min_orders"] <= min(orders for orders, _, _ in rates.values())
