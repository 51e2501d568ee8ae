"""Checks the tables of a notifier's file, and makes settings of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, get_args

from schemas.did_you_mean import did_you_mean
from schemas.times import DAY, HOUR, SECOND
from streams.alerts.languages import LANGUAGES
from streams.notify.alert import SEVERITIES
from streams.notify.queue import MOST as MOST_A_MINUTE
from streams.notify.settings import Channel, Kind, QuietHours, Route, Shop
from streams.notify.table_reader import Mistakes, TableReader, minutes
from streams.notify.texts import NAMES, mistake
from streams.rules.alert import MERCHANT, PLATFORM
from streams.rules.alert_types import ALERT_TYPES

_KINDS: tuple[Kind, ...] = get_args(Kind)
#: Bots take a limited number of messages a minute: beyond it they refuse, or are silent for ten minutes.
_PER_MINUTE: Mapping[Kind, int] = {"dingtalk": 20, "wecom": 20, "feishu": 100, "slack": 60}
_SIGNED: frozenset[Kind] = frozenset({"webhook", "dingtalk", "feishu"})

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def read_channels(content: Any, environment: Mapping[str, str] | None, mistakes: Mistakes) -> dict[str, Channel]:
    """All channels by name."""
    if not isinstance(content, dict) or not content:
        mistakes.add("channels", 'there is none: [channels.NAME] with a line like webhook = "https://..."')
        return {}
    channels = {}
    for name, table in content.items():
        place = f"channels.{name}"
        if not _NAME.fullmatch(name):
            mistakes.add(place, "a channel's name is 1 to 64 letters, digits, dots, dashes or underscores")
        channels[name] = _channel(name, TableReader(table, place, mistakes), environment)
    for name, channel in channels.items():
        if channel.fallback is not None and (channel.fallback not in channels or channel.fallback == name):
            mistakes.add(f"channels.{name}.fallback", f"there is no other channel {channel.fallback}")
    return channels


def _channel(name: str, table: TableReader, environment: Mapping[str, str] | None) -> Channel:
    kinds = [kind for kind in _KINDS if kind in table]
    if len(kinds) != 1:
        table.wrong("url" if not kinds else kinds[1], f"needs exactly one of {', '.join(_KINDS)}")
    kind: Kind = kinds[0] if kinds else "webhook"
    url = _resolved(table, kind, environment) or ""
    if kind != "apprise" and url and not url.startswith(("https://", "http://")):
        table.wrong(kind, "is an address that begins with https://")
    secret = table.text("secret")
    if secret is not None:
        if kind not in _SIGNED:
            table.wrong("secret", f"is not for {kind}")
        elif not _REFERENCE.fullmatch(secret):
            table.wrong("secret", "is not written down here: name the environment variable that holds it, ${NAME}")
        else:
            secret = _resolved(table, "secret", environment)
    rate = table.any("per_minute", _PER_MINUTE.get(kind))
    if rate is not None and not (type(rate) is int and 1 <= rate <= MOST_A_MINUTE):
        table.wrong("per_minute", f"is a number from 1 to {MOST_A_MINUTE}")
        rate = None
    channel = Channel(
        name=name,
        kind=kind,
        url=url,
        secret=secret,
        per_minute=rate,
        timeout=table.span("timeout", 10 * SECOND, SECOND),
        patience=table.span("patience", HOUR),
        fallback=table.text("fallback"),
    )
    for each in kinds:
        table.any(each)
    table.end()
    return channel


def _resolved(table: TableReader, name: str, environment: Mapping[str, str] | None) -> str | None:
    """The text, with the environment's values in the place of `${NAME}`."""
    text = table.text(name)
    if text is None:
        return None
    if environment is None:
        return _REFERENCE.sub("", text)
    lacking = sorted({one for one in _REFERENCE.findall(text) if not environment.get(one)})
    for one in lacking:
        table.wrong(name, f"the environment variable {one} is not set")
    if "${" in _REFERENCE.sub("", text):
        table.wrong(name, "has a ${ that names no environment variable")
    return None if lacking else _REFERENCE.sub(lambda found: environment[found[1]], text)


def read_routes(content: Any, channels: Collection[str], mistakes: Mistakes) -> list[Route]:
    """The routes, in their order."""
    if not isinstance(content, list) or not content:
        mistakes.add("routes", "there is none: [[routes]] with at least its channels")
        return []
    routes: list[Route] = []
    closed: str | None = None
    for number, table in enumerate(content, 1):
        place = f"routes[{number}]"
        route = _route(number, TableReader(table, place, mistakes), channels)
        if closed is not None:
            mistakes.add(place, f"no alert comes here: {closed} takes all that is left, without continue = true")
        if route.name in {each.name for each in routes}:
            mistakes.add(f"{place}.name", f"{route.name} is the name of an earlier route")
        if route.takes_all and not route.goes_on:
            closed = place
        routes.append(route)
    return routes


def _route(number: int, table: TableReader, channels: Collection[str]) -> Route:
    named = table.texts("channels")
    if not named:
        table.wrong("channels", "names no channel")
    for name in named:
        if name not in channels:
            near = get_close_matches(name, channels, 1, 0.6)
            table.wrong("channels", f"there is no channel {name}" + (f"; did you mean {near[0]}?" if near else ""))
    route = Route(
        name=table.text("name") or f"route {number}",
        channels=named,
        audience=table.one_of("audience", (MERCHANT, PLATFORM)),
        shops=table.texts("shops"),
        types=_types(table),
        severities=table.some_of("severities", SEVERITIES),
        goes_on=table.flag("continue", False),
        resolved=table.flag("resolved", True),
        quiet=table.flag("quiet", True),
        cooldown=table.span("cooldown", 0),
        digest=_digest(table),
        language=table.one_of("language", LANGUAGES),
    )
    table.end()
    return route


def _types(table: TableReader) -> tuple[str, ...]:
    """Patterns of names of alerts, of which each fits one that there is."""
    patterns = table.texts("types")
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in ALERT_TYPES):
            table.wrong("types", f"there is no alert {pattern}{did_you_mean(pattern, ALERT_TYPES)}")
    return patterns


def _digest(table: TableReader) -> tuple[int, ...]:
    value = table.any("digest")
    if value is None:
        return ()
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+)h", value)) is not None:
        hours = int(found[1])
        if 1 <= hours <= 24 and 24 % hours == 0:
            return tuple(range(0, 1440, hours * 60))
        table.wrong("digest", f'divides the day: "1h", "2h", "3h", "4h", "6h", "8h", "12h" or "24h", not "{value}"')
        return ()
    times = [minutes(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []
    known = [time for time in times if time is not None]
    if not known or len(known) != len(value):
        table.wrong("digest", 'is a span that divides the day ("6h"), or times of day (["09:00", "18:00"])')
    return tuple(sorted(set(known)))


def read_settings(content: dict[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """What there is beside channels and routes, as arguments of `Settings`."""
    table = TableReader(content, "", mistakes)
    for name in ("channels", "routes"):
        table.any(name)
    settings = {
        "zone": table.zone("zone") or "UTC",
        "language": table.one_of("language", LANGUAGES, "en"),
        "wait": table.span("wait", 10 * SECOND),
        "remember": table.span("remember", 30 * DAY, DAY),
        "quiet": _quiet(table.any("quiet_hours"), "quiet_hours", mistakes),
        "shops": _shops(table.any("shops", {}), mistakes),
        "texts": _texts(table.any("texts", {}), mistakes),
    }
    table.end()
    return settings


def _quiet(content: Any, place: str, mistakes: Mistakes) -> QuietHours | None:
    if content is None:
        return None
    table = TableReader(content, place, mistakes)
    begin, end = table.clock("from"), table.clock("to")
    passing = table.some_of("except", SEVERITIES)
    table.end()
    if begin is None or end is None:
        return None
    if begin == end:
        mistakes.add(place, "from and to are the same time: it would always be quiet, or never")
    return QuietHours(begin=begin, end=end, passing=passing)


def _shops(content: Any, mistakes: Mistakes) -> dict[str, Shop]:
    if not isinstance(content, dict):
        mistakes.add("shops", "must be a table")
        return {}
    shops = {}
    for name, one in content.items():
        table = TableReader(one, f"shops.{name}", mistakes)
        quiet = table.any("quiet_hours")
        shops[name] = Shop(
            zone=table.zone("zone"),
            language=table.one_of("language", LANGUAGES),
            quiet=None if quiet is False else _quiet(quiet, f"shops.{name}.quiet_hours", mistakes),
            awake=quiet is False,
        )
        table.end()
    return shops


def _texts(content: Any, mistakes: Mistakes) -> dict[str, dict[str, str]]:
    if not isinstance(content, dict):
        mistakes.add("texts", "must be a table")
        return {}
    texts: dict[str, dict[str, str]] = {}
    for language, one in content.items():
        table = TableReader(one, f"texts.{language}", mistakes)
        if language not in LANGUAGES:
            mistakes.add(table.place, f"there is no language {language}; there are {', '.join(LANGUAGES)}")
            continue
        texts[language] = {}
        for name in NAMES:
            if (text := table.text(name)) is not None:
                texts[language][name] = text
                if (why := mistake(language, name, text)) is not None:
                    table.wrong(name, f"is no template that can be used: {why}")
        table.end()
    return texts
