"""Stories in words: the sentences of `words.toml`, in a reader's language and time zone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import resources

import msgspec

from streams.alerts.facts import percent
from streams.alerts.languages import LANGUAGES, Tag, Text
from streams.alerts.templates import Template
from streams.alerts.wording import catalogue
from streams.explain.facts import At, Coded, Facts, Name, Share, Span, Value
from streams.rules.alert_types import family_of


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    labels: dict[str, Text]
    phrases: dict[str, Text]
    events: dict[str, Text]
    marks: dict[str, Text]
    states: dict[str, Text]
    checks: dict[str, dict[str, Text]]
    countings: dict[str, Text]
    shop: dict[str, Text]
    names: dict[str, dict[str, Text]]


@cache
def _words() -> _Words:
    return msgspec.toml.decode((resources.files("streams.explain") / "words.toml").read_bytes(), type=_Words)


class Words:
    """The words of one language of LANGUAGES."""

    def __init__(self, tag: Tag) -> None:
        self.tag = tag
        self._language = LANGUAGES[tag]
        self._unknown = self._pick(catalogue().names.unknown)

    def label(self, name: str) -> str:
        """A heading, or a word that stands by itself."""
        return self._pick(_words().labels[name])

    def phrase(self, name: str, facts: Facts) -> str:
        """A part of the page that is no event and no rule."""
        return self._fill(_words().phrases[name], facts)

    def event(self, type_: str, facts: Facts) -> str:
        """What happened."""
        return self._fill(_words().events[type_], facts)

    def mark(self, code: str, facts: Facts) -> str:
        """What has to be known about an event."""
        return self._fill(_words().marks[code], facts)

    def state(self, code: str, facts: Facts) -> str:
        """How a shipment stands."""
        return self._fill(_words().states[code], facts)

    def check(self, type_: str, outcome: str, facts: Facts) -> str:
        """What came of the threshold of a type of alert; types without sentences of their own have their family's."""
        checks = _words().checks
        return self._fill(checks[type_ if type_ in checks else family_of(type_)][outcome], facts)

    def counting(self, outcome: str, facts: Facts) -> str:
        """Whether an escalation counts."""
        return self._fill(_words().countings[outcome], facts)

    def shop(self, code: str, facts: Facts) -> str:
        """A shop's level and what it was judged on."""
        return self._fill(_words().shop[code], facts)

    def title(self, type_: str) -> str:
        """The name of a type of alert."""
        return self._pick(catalogue().alerts[type_].title)

    def name(self, name: Name, *, carrier: bool = True) -> str:
        """What something is called."""
        label = self.label(name.kind)
        return self.phrase("head", {"kind": label, "id": name.id, "carrier": name.carrier if carrier else None})

    def list(self, parts: Iterable[str]) -> str:
        """Several things in a row."""
        return self._language.list.join(parts)

    def clock(self, micros: int) -> str:
        """An instant in the reader's time zone, to the second; the rest is cut."""
        return self._language.local(micros)

    def resolution(self, code: str | None) -> str | None:
        """How an alert ended."""
        return self.coded(Coded("resolutions", code)) if code is not None else None

    def _pick(self, text: Text) -> str:
        return text[self.tag]

    def _fill(self, text: Text, facts: Facts) -> str:
        template = _template(self._pick(text))
        values = {name: self._text(name, facts.get(name)) for name in template.names}
        return template.render(values, self._unknown)

    def _text(self, name: str, value: Value) -> str | None:
        if isinstance(value, bool):
            return "" if value else None
        if name == "resolution" and isinstance(value, str):
            return self.resolution(value)
        match value:
            case At(micros):
                return self.clock(micros)
            case Span(micros):
                return self._language.duration(micros)
            case Coded():
                return self.coded(value)
            case Share(share):
                return percent(share)
            case list():
                named = [self.coded(Coded(name, one)) if name in ("causes",) else one for one in value]
                return self.list(named) or None
            case float():
                return f"{value:g}"
            case None:
                return None
        return str(value)

    def coded(self, value: Coded) -> str:
        """The name of a code; the code itself where it has none."""
        groups = _words().names
        if value.group in groups:
            text = groups[value.group].get(value.code)
        else:
            names = catalogue().names
            text = getattr(names, value.group).get(value.code)
        return self._pick(text) if text is not None else value.code


@lru_cache(maxsize=1024)
def _template(text: str) -> Template:
    return Template(text)
