"""The message catalogue of `catalogue/*.toml`: loaded once, immutable."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from streams.alerts.languages import Text, untranslated


class Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened, and what each audience should do now. `advice`, `advice_by`: see AlertWords."""

    what: Text
    merchant: Text | None = None
    platform: Text | None = None
    advice: tuple[str, ...] = ()
    advice_by: Literal["causes", "kind"] | None = None

    def action(self, audience: str) -> Text | None:
        """What to do now; None if there is nothing for this audience to do."""
        return self.merchant if audience == "merchant" else self.platform


class AlertWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One alert type: its title, and its text when raised.

    The advice of `raised` is either the listed codes, or by `causes`: one for each cause in the evidence, in
    its order, or by `kind`: the one for the ticket's kind.
    """

    title: Text
    raised: Sentences


class AdviceWords(msgspec.Struct, frozen=True):
    """One piece of advice, for each audience to which it applies."""

    merchant: Text | None = None
    platform: Text | None = None

    def text(self, audience: str) -> Text | None:
        """The text, or None if it does not apply to the audience."""
        return self.merchant if audience == "merchant" else self.platform


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of codes. `regions`: by language, a region's name by its spelling in events."""

    unknown: Text
    phrases: dict[str, Text]
    statuses: dict[str, Text]
    kinds: dict[str, Text]
    causes: dict[str, Text]
    refund_kinds: dict[str, Text]
    requests: dict[str, Text]
    grounds: dict[str, Text]
    rights: dict[str, Text]
    regions: dict[str, dict[str, str]]


class Catalogue(msgspec.Struct, frozen=True):
    """All words. `resolved` is by the first part of an alert's type, then by resolution."""

    alerts: dict[str, AlertWords]
    resolved: dict[str, dict[str, Sentences]]
    advice: dict[str, AdviceWords]
    names: Names


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    alerts: dict[str, AlertWords] = {}
    resolved: dict[str, dict[str, Sentences]] = {}
    advice: dict[str, AdviceWords] = {}


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships with the product.

    Raises ValueError if two files define the same entry, or a text lacks a language.
    """
    folder = resources.files("streams.alerts") / "catalogue"
    names = msgspec.toml.decode((folder / "names.toml").read_bytes(), type=Names)
    whole = Catalogue({}, {}, {}, names)
    for name in sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")):
        if name == "names.toml":
            continue
        part = msgspec.toml.decode((folder / name).read_bytes(), type=_Part)
        for target, more in (
            (whole.alerts, part.alerts),
            (whole.resolved, part.resolved),
            (whole.advice, part.advice),
        ):
            _merge(target, more, name)
    lacking = untranslated(_texts(whole))
    if lacking:
        raise ValueError(f"not in every language: {lacking[0]}")
    return whole


def _texts(whole: Catalogue) -> Iterator[Text]:
    """Every text of the catalogue."""
    sentences = [words.raised for words in whole.alerts.values()]
    sentences += [one for found in whole.resolved.values() for one in found.values()]
    yield from (words.title for words in whole.alerts.values())
    yield from (one.what for one in sentences)
    names = whole.names
    yield names.unknown
    for group in (
        names.phrases, names.statuses, names.kinds, names.causes, names.refund_kinds, names.requests, names.grounds,
        names.rights,
    ):  # fmt: skip
        yield from group.values()
    actions = [(one.merchant, one.platform) for one in sentences]
    actions += [(one.merchant, one.platform) for one in whole.advice.values()]
    yield from (text for pair in actions for text in pair if text is not None)


def _merge(target: dict[str, Any], more: dict[str, Any], name: str) -> None:
    twice = target.keys() & more.keys()
    if twice:
        raise ValueError(f"{name}: said already elsewhere: {', '.join(sorted(twice))}")
    target.update(more)
