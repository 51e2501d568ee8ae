"""Writes the message and advice of an alert for each audience, in every language."""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.alerts.facts import Facts, Vocabulary
from streams.alerts.languages import LANGUAGES, Text
from streams.alerts.templates import Template
from streams.alerts.wording import Catalogue, Sentences, catalogue
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import family_of

#: How many pieces of advice on causes are cached; the same causes recur often.
_MOST_PIECES = 4_096
#: Between two sentences, in the order of LANGUAGES.
_JOINTS = tuple(language.sentences for language in LANGUAGES.values())


class Wording(NamedTuple):
    """The message by language, and the pieces of advice: each its code and its text by language."""

    message: dict[str, str]
    advice: list[dict[str, str]]


class _Compiled(NamedTuple):
    """The templates of one situation and audience, each in the order of LANGUAGES."""

    what: tuple[Template, ...]
    action: tuple[Template, ...] | None
    advice: tuple[str, ...]
    advice_by: str | None


class Messages:
    """Writes alerts in words.

    Raises KeyError for an alert whose type or resolution is not in the catalogue: always a bug, never bad data.
    """

    def __init__(self, words: Catalogue | None = None) -> None:
        self._words = catalogue() if words is None else words
        self._vocabularies = tuple(Vocabulary(self._words.names, tag) for tag in LANGUAGES)
        self._compiled: dict[tuple[str, str | None, str], _Compiled] = {}
        self._by_cause: dict[tuple[str, ...], dict[str, str] | None] = {}
        self._advice: dict[tuple[str, str], tuple[Template, ...] | dict[str, str] | None] = {}

    def write(self, alert: Alert) -> list[Wording]:
        """One wording for each of the alert's audiences, in their order."""
        titles = _ordered(self._words.alerts[alert.type].title)
        facts = tuple(
            Facts(alert, vocabulary, title) for vocabulary, title in zip(self._vocabularies, titles, strict=True)
        )
        wordings: list[Wording] = []
        what: list[str] | None = None
        for audience in alert.audiences:
            parts = self._parts(alert, audience)
            if what is None:  # the same for every audience
                what = _render(parts.what, facts)
            said = what
            if parts.action is not None:
                action = _render(parts.action, facts)
                said = [a + joint + b for a, joint, b in zip(what, _JOINTS, action, strict=True)]
            message = dict(zip(LANGUAGES, said, strict=True))
            wordings.append(Wording(message, self._advise(alert, parts, audience, facts)))
        return wordings

    def _parts(self, alert: Alert, audience: str) -> _Compiled:
        key = (alert.type, alert.resolution, audience)
        parts = self._compiled.get(key)
        if parts is None:
            sentences = self._sentences(alert)
            action = sentences.action(audience)
            parts = self._compiled[key] = _Compiled(
                _templates(sentences.what),
                None if action is None else _templates(action),
                sentences.advice,
                sentences.advice_by,
            )
        return parts

    def _sentences(self, alert: Alert) -> Sentences:
        if alert.status == RAISED:
            return self._words.alerts[alert.type].raised
        return self._words.resolved[family_of(alert.type)][alert.resolution or ""]

    def _advise(self, alert: Alert, parts: _Compiled, audience: str, facts: tuple[Facts, ...]) -> list[dict[str, str]]:
        if parts.advice_by == "causes":
            advice = [self._about_cause(cause, audience, facts) for cause in alert.evidence.get("causes") or ()]
        elif parts.advice_by == "kind":
            kind = alert.evidence.get("kind")
            advice = [self._piece(advice_on_kind(kind), audience, facts)] if kind else []
        else:
            advice = [self._piece(code, audience, facts) for code in parts.advice]
        return [piece for piece in advice if piece is not None]

    def _about_cause(self, cause: dict[str, Any], audience: str, facts: tuple[Facts, ...]) -> dict[str, str] | None:
        """Advice on a cause; it mentions only the cause, so it is cached by the cause's values."""
        key = (audience, *map(str, cause.values()))
        try:
            return self._by_cause[key]
        except KeyError:
            about = tuple(Facts(known.alert, known.vocabulary, known.title, cause) for known in facts)
            piece = self._piece(cause["code"], audience, about)
        if len(self._by_cause) >= _MOST_PIECES:
            self._by_cause.clear()
        self._by_cause[key] = piece
        return piece

    def _piece(self, code: str, audience: str, facts: tuple[Facts, ...]) -> dict[str, str] | None:
        key = (code, audience)
        try:
            known = self._advice[key]
        except KeyError:
            known = self._advice[key] = self._compile_advice(code, audience)
        if known is None or isinstance(known, dict):
            return known
        return {"code": code, **dict(zip(LANGUAGES, _render(known, facts), strict=True))}

    def _compile_advice(self, code: str, audience: str) -> tuple[Template, ...] | dict[str, str] | None:
        """The templates, or the finished piece if it mentions no values; None if it is not for the audience."""
        text = self._words.advice[code].text(audience)
        if text is None:
            return None
        templates = _templates(text)
        if any(template.names for template in templates):
            return templates
        return {"code": code, **dict(zip(LANGUAGES, _ordered(text), strict=True))}


def advice_on_kind(kind: str) -> str:
    """The code of the advice for tickets of this kind."""
    return f"answer_{kind}"


def _ordered(text: Text) -> tuple[str, ...]:
    """In the order of LANGUAGES."""
    return tuple(text[tag] for tag in LANGUAGES)


def _templates(text: Text) -> tuple[Template, ...]:
    return tuple(Template(sentence) for sentence in _ordered(text))


def _render(templates: tuple[Template, ...], facts: tuple[Facts, ...]) -> list[str]:
    return [template.render(known, known.vocabulary.unknown) for template, known in zip(templates, facts, strict=True)]
