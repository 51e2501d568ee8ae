"""The message catalogue as it stands in `catalogue/*.toml`: loaded once, and not changed after that."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

LANGUAGES = ("zh-CN", "en")

Severity = Literal["info", "warning", "critical"]
Audience = Literal["merchant", "platform"]


class Text(msgspec.Struct, frozen=True):
    """The same text in every language of LANGUAGES."""

    zh: str = msgspec.field(name="zh-CN")
    en: str

    def by_language(self) -> tuple[str, str]:
        """In the order of LANGUAGES."""
        return self.zh, self.en


class Sentences(msgspec.Struct, frozen=True):
    """What happened, and for each audience what to do now. `advice`, `advice_by`: see AlertWords."""

    zh: str = msgspec.field(name="zh-CN")
    en: str
    merchant: Text | None = None
    platform: Text | None = None
    advice: tuple[str, ...] = ()
    advice_by: Literal["causes", "kind"] | None = None

    def by_language(self) -> tuple[str, str]:
        """What happened, in the order of LANGUAGES."""
        return self.zh, self.en

    def action(self, audience: str) -> Text | None:
        """What to do now; None where the audience has nothing of its own to do."""
        return self.merchant if audience == "merchant" else self.platform


class AlertWords(msgspec.Struct, frozen=True):
    """One type of alert.

    The advice of `raised` is either the listed codes, or by `causes`: one for each cause in the evidence, in
    its order, or by `kind`: the one for the ticket's kind.
    """

    severity: Severity
    audiences: tuple[Audience, ...]
    title: Text
    raised: Sentences


class AdviceWords(msgspec.Struct, frozen=True):
    """One piece of advice, for each audience that can use it."""

    merchant: Text | None = None
    platform: Text | None = None

    def text(self, audience: str) -> Text | None:
        """None where this is nothing for the audience."""
        return self.merchant if audience == "merchant" else self.platform


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What codes are called. `regions` holds the English name of a region written in Chinese."""

    unknown: Text
    phrases: dict[str, Text]
    statuses: dict[str, Text]
    kinds: dict[str, Text]
    causes: dict[str, Text]
    refund_kinds: dict[str, Text]
    requests: dict[str, Text]
    grounds: dict[str, Text]
    rights: dict[str, Text]
    regions: dict[str, str]


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
    """The catalogue that ships with the product. Raises ValueError where two files say the same thing."""
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
    return whole


def _merge(target: dict[str, Any], more: dict[str, Any], name: str) -> None:
    twice = target.keys() & more.keys()
    if twice:
        raise ValueError(f"{name}: said already elsewhere: {', '.join(sorted(twice))}")
    target.update(more)
