"""The console's words: in every language, for every field of the registry, and used."""

from __future__ import annotations

import re

import msgspec
import pytest

from streams.alerts.languages import untranslated
from streams.console.rendering import Page, words
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.evidence import RAISED_AT
from tests.unit.alerts.samples import an_alert
from tests.unit.console.served import WRITER
from tests.unit.deploy import ROOT

FOLDER = ROOT / "streams/console"


def test_every_text_is_there_in_every_language() -> None:
    assert untranslated([*words().labels.values(), *words().evidence.values()]) == []


def test_every_field_of_every_alert_has_a_name() -> None:
    fields = {field.name for type_ in ALERT_TYPES.values() for field in (*type_.evidence, RAISED_AT)}
    assert fields - words().evidence.keys() == set()


def test_every_label_is_used() -> None:
    sources = [*FOLDER.glob("templates/*.html"), *FOLDER.glob("*.py")]
    text = "\n".join(source.read_text() for source in sources)
    named = set(re.findall(r"'(\w+)'", text)) | set(re.findall(r'"(\w+)"', text))
    # Made of a part and a value.
    named |= {f"status_{one}" for one in ("open", "resolved", "all")} | {"by_severity", "by_time"}
    named |= {f"telling_{one}" for one in ("nothing", "busy", "fault")}
    assert words().labels.keys() - named == set()


@pytest.mark.parametrize("type_", ALERT_TYPES)
@pytest.mark.parametrize("tag", ["en", "zh-CN"])
def test_the_evidence_of_every_alert_can_be_shown(type_: str, tag: str) -> None:
    record = WRITER.records(an_alert(type_))[0]

    shown = Page(tag).evidence({"type": type_, "data": msgspec.json.decode(record.value)["data"]})
    assert shown
    assert not [value for _, _, value in shown if re.search(r"\d{4}-\d\d-\d\dT", value)]
