"""A language is data: what each text has to bring, and what follows from the table alone."""

from __future__ import annotations

import pytest

from schemas.times import DAY, HOUR, MINUTE, parse
from streams.alerts import languages
from streams.alerts.languages import LANGUAGES, Language, untranslated
from streams.alerts.messages import Messages
from streams.alerts.wording import catalogue
from streams.demo import closing, console
from tests.unit.alerts.samples import EVIDENCE, an_alert

T0 = parse("2026-11-03T00:15:00Z")


def test_every_text_of_the_catalogue_is_in_every_language() -> None:
    catalogue.cache_clear()
    catalogue()


def test_a_text_without_a_language_or_with_a_foreign_one_is_told() -> None:
    whole = dict.fromkeys(LANGUAGES, "x")
    assert untranslated([whole, {"en": "x"}, {**whole, "xx": "x"}]) == [{"en": "x"}, {**whole, "xx": "x"}]


def test_what_surrounds_the_alerts_is_in_every_language() -> None:
    assert console._WORDS.keys() == closing._SAYS.keys() == LANGUAGES.keys()
    for tables in (console._WORDS, closing._SAYS):
        assert len({frozenset(words) for words in tables.values()}) == 1


@pytest.mark.parametrize("type_", sorted(EVIDENCE))
def test_an_alert_speaks_every_language(type_: str) -> None:
    for wording in Messages().write(an_alert(type_)):
        assert wording.message.keys() == LANGUAGES.keys()


def test_a_language_writes_by_its_own_table() -> None:
    units = languages._Units(minutes=("{n} Minute", "{n} Minuten"), hours=("{n} Stunde", "{n} Stunden"),
                             days=("{n} Tag", "{n} Tage"))  # fmt: skip
    german = Language(
        locale="de", hours_ahead=1, clock="{time} MEZ", span="{days} und {hours}", together="{order} (+{others})",
        list=", ", all=" und ", sentences=" ", regions="by_name", units=units,
    )  # fmt: skip
    assert german.minute(T0) == "2026-11-03 01:15 MEZ"
    assert german.local(T0 + 1_999_999) == "2026-11-03 01:15:01"
    assert german.duration(7 * DAY + HOUR) == "7 Tage und 1 Stunde"
    assert german.duration(MINUTE) == "1 Minute"
