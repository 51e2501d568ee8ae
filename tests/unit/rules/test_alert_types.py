"""The registry of alerts is whole, and whoever tells types of alert apart knows them all."""

from __future__ import annotations

from importlib import import_module
from typing import get_args

import pytest

from streams.alerts.wording import catalogue
from streams.compare.episodes import Episodes
from streams.demo.selection import WEIGHTS
from streams.explain.story import STORIES
from streams.explain.wording import Words
from streams.rules.alert_types import ALERT_TYPES, EPISODE, SPAN, AlertType, Severity, Subject, types_about
from streams.rules.evidence import Field
from streams.rules.reconcile import LATE_EVENT
from tests.unit.alerts.samples import EVIDENCE, an_alert

TYPES = list(ALERT_TYPES.values())


@pytest.mark.parametrize("type_", TYPES, ids=lambda one: one.name)
def test_an_entry_says_everything(type_: AlertType) -> None:
    assert type_.meaning.endswith(".")
    assert type_.raised
    assert type_.audiences
    assert type_.about in get_args(Subject)
    assert type_.severity in get_args(Severity)
    names = [field.name for field in type_.evidence]
    assert names
    assert len(set(names)) == len(names)
    if type_.identity not in (SPAN, EPISODE):
        assert set(type_.identity) <= set(names)


def fields(of: tuple[Field, ...]) -> list[Field]:
    """The fields with those within them."""
    return [one for field in of for one in (field, *(inner for part in field.parts.values() for inner in fields(part)))]


@pytest.mark.parametrize("type_", TYPES, ids=lambda one: one.name)
def test_a_type_is_decided_in_the_module_that_names_it(type_: AlertType) -> None:
    module = import_module(f"streams.rules.{type_.rule.replace('/', '.')}")
    names = [value for value in vars(module).values() if isinstance(value, str)]
    assert type_.name in (names if type_.family != "help_rate" else map(module.alert_of, module.LEVELS))


@pytest.mark.parametrize("type_", TYPES, ids=lambda one: one.name)
def test_codes_are_listed_where_there_are_codes_and_numbers_have_units(type_: AlertType) -> None:
    for field in fields(type_.evidence):
        assert bool(field.codes) == (field.kind in ("code", "codes", "causes")), field.name
        assert bool(field.parts) == (field.kind in ("object", "causes")), field.name
        assert (field.unit is not None) == field.name.endswith(("_hours", "_days", "hours")), field.name
        if field.kind == "causes":
            assert set(field.parts) == set(field.codes)


def test_what_overtakes_another_is_about_the_same_and_no_less_severe() -> None:
    severities = get_args(Severity)
    for type_ in TYPES:
        for name in type_.supersedes:
            other = ALERT_TYPES[name]
            assert other.about == type_.about
            assert severities.index(other.severity) <= severities.index(type_.severity)
            assert type_.name in other.superseded_by
            # Whoever overtakes the other one overtakes what that overtakes.
            assert set(other.supersedes) <= set(type_.supersedes)


def test_every_type_belongs_to_a_story_or_is_told_around_it() -> None:
    told = [name for types in STORIES.values() for name in types]
    assert sorted([*told, *types_about("carrier", "facility")]) == sorted(ALERT_TYPES)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_explain_has_words_for_every_type_resolution_and_check(language: str) -> None:
    words = Words(language)
    for name, type_ in ALERT_TYPES.items():
        assert words.title(name)
        assert words.label(type_.about)
        for resolution in type_.resolutions:
            assert words.resolution(resolution) not in (None, resolution) or language == "en"
        if type_.about in ("shipment", "order", "ticket", "conversation"):
            for outcome in ("raised", "withdrawn", "stands", "unsent"):
                assert words.check(name, outcome, {})


def test_messages_have_a_name_for_every_code_in_the_evidence() -> None:
    names = catalogue().names
    groups = {
        "last_status": [names.statuses], "status": [names.statuses], "causes": [names.causes],
        "kind": [names.kinds, names.refund_kinds], "request": [names.requests], "ground": [names.grounds],
        "rights": [names.rights],
    }  # fmt: skip
    for type_ in TYPES:
        for field in fields(type_.evidence):
            if field.codes:
                assert any(set(field.codes) <= group.keys() for group in groups[field.name]), field.name


def test_a_comparison_tells_alerts_of_every_type_apart() -> None:
    for name, type_ in ALERT_TYPES.items():
        one, other = an_alert(name), an_alert(name, episode="another")
        if isinstance(type_.identity, tuple) and type_.identity:
            other.evidence[type_.identity[-1]] = "2020-01-01T00:00:00Z"
        found = Episodes()
        found.take([one, other])
        first, second = found.all()
        # An order has one ship-by time, and so one alert of its kind.
        assert (first.about == second.about) == (type_.identity in (SPAN, ()))


def test_the_samples_of_the_tests_have_every_type() -> None:
    assert EVIDENCE.keys() == ALERT_TYPES.keys()
    for name, type_ in ALERT_TYPES.items():
        assert EVIDENCE[name].keys() == {field.name for field in type_.evidence if not field.optional}, name


def test_every_severity_has_a_weight_in_the_demonstration() -> None:
    assert WEIGHTS.keys() == set(get_args(Severity))


def test_only_what_is_worked_out_from_a_history_can_be_disproved() -> None:
    stand = {name for name, type_ in ALERT_TYPES.items() if LATE_EVENT not in type_.resolutions}
    assert stand == types_about("shop", "item", "carrier", "facility")
