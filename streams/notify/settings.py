"""What a notifier is told by its file, checked: `streams.notify.load` reads it. Spans are microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from schemas.times import DAY, HOUR, SECOND
from streams.notify.alert import Alert

Kind = Literal["apprise", "webhook", "dingtalk", "feishu", "wecom", "slack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where messages go. `patience`: how long it may fail before it is dead, and its messages go to `fallback`."""

    name: str
    kind: Kind
    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    per_minute: int | None = None
    timeout: int = 10 * SECOND
    patience: int = HOUR
    fallback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From `begin` to `end`, minutes of the shop's day; alerts of the severities in `passing` do not wait."""

    begin: int
    end: int
    passing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which alerts go to which channels. An empty condition holds for every alert; patterns are shell patterns.

    `goes_on`: later routes are asked, too. `resolved`: whether it is told that an alert was resolved. `digest`: the
    times of a shop's day, in minutes, at which what has come is told in one message; empty: each alert at once.
    """

    name: str
    channels: tuple[str, ...]
    audience: str | None = None
    shops: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    severities: frozenset[str] = frozenset()
    goes_on: bool = False
    resolved: bool = True
    quiet: bool = True
    cooldown: int = 0
    digest: tuple[int, ...] = ()
    language: str | None = None

    def refusal(self, alert: Alert) -> str | None:
        """The condition that the alert does not meet; None: it takes this route."""
        if self.audience is not None and alert.key.audience != self.audience:
            return f"audience is {alert.key.audience}"
        if self.shops and not any(fnmatchcase(alert.shop or "", pattern) for pattern in self.shops):
            return f"shop is {alert.shop or 'not known'}"
        if self.types and not any(fnmatchcase(alert.key.type, pattern) for pattern in self.types):
            return f"type is {alert.key.type}"
        if self.severities and alert.severity not in self.severities:
            return f"severity is {alert.severity}"
        return None

    @property
    def takes_all(self) -> bool:
        """Whether it has no condition."""
        return self.audience is None and not (self.shops or self.types or self.severities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What is special about a shop; None is as for all."""

    zone: str | None = None
    language: str | None = None
    quiet: QuietHours | None = None
    #: Whether it has no quiet hours, whatever the others have.
    awake: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file. `wait`: for how long a message is held back in case an alert that says more follows.

    `remember`: for how long repeats of what is over are known. `texts`: templates by language and name.
    """

    channels: Mapping[str, Channel]
    routes: tuple[Route, ...]
    zone: str = "UTC"
    language: str = "en"
    wait: int = 10 * SECOND
    remember: int = 30 * DAY
    quiet: QuietHours | None = None
    shops: Mapping[str, Shop] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def zone_of(self, shop: str | None) -> str:
        return self._shop(shop).zone or self.zone

    def quiet_of(self, shop: str | None) -> QuietHours | None:
        own = self._shop(shop)
        return None if own.awake else own.quiet or self.quiet

    def language_of(self, shop: str | None, route: Route) -> str:
        return route.language or self._shop(shop).language or self.language

    def routes_of(self, alert: Alert) -> list[Route]:
        """The routes that an alert takes, in their order."""
        taken = []
        for route in self.routes:
            if route.refusal(alert) is None:
                taken.append(route)
                if not route.goes_on:
                    break
        return taken

    def _shop(self, shop: str | None) -> Shop:
        return self.shops.get(shop or "", _ORDINARY)


_ORDINARY = Shop()
