"""What has been said to whom, and what is to be said next: a function of the alerts, the clock and the outcomes.

It reads no clock and sends nothing. What it changes in its `State` has to be written before a message is sent, so that
another process can go on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from schemas.times import DAY, MINUTE
from streams.notify.alert import SEVERITIES, Alert, EpisodeKey
from streams.notify.episode import (
    PARKED,
    UNDER_WAY,
    Episode,
    Message,
    Notice,
    Status,
    Told,
    Trouble,
)
from streams.notify.holding import DROP, PARK, held_until, overtaken
from streams.notify.local_times import next_of
from streams.notify.queue import Queues
from streams.notify.settings import Route, Settings
from streams.notify.state import State
from streams.notify.texts import Texts

#: An alert that nobody resolves is forgotten after this.
_NEVER_RESOLVED = 400 * DAY


class Given(NamedTuple):
    """An alert that a channel could not be told of: a dead letter."""

    channel: str
    alert: Alert
    reason: str
    uncertain: bool


class Book:
    """Decides for one notifier. Times are microseconds.

    `counts`: what was not said, by reason: `repeats`, `unrouted`, `unsaid` (it was over before), `folded` (another
    alert said more). `given_up`: what its caller has to write to the dead letters, and take out.
    """

    def __init__(self, settings: Settings, state: State) -> None:
        self._settings = settings
        self._texts = Texts(settings)
        self._routes = {route.name: route for route in settings.routes}
        self._queues = Queues()
        self._state = state
        self.counts: Counter[str] = Counter()
        self.given_up: list[Given] = []
        self._order = 0
        for episode in self._state.episodes.values():
            for channel, notice in episode.notices.items():
                self._order = max(self._order, notice.order)
                if episode.pending(channel) and notice.due < PARKED:
                    self._queues.put(channel, notice.due, notice.order, episode.key)

    # -- what happens

    def take(self, alert: Alert, now: int) -> None:
        """An alert has been read. One that is known already changes nothing."""
        if alert.raised:
            self._raise(alert, now)
        else:
            self._resolve(alert, now)

    def begin(self, now: int, free: Iterable[str]) -> list[Message]:
        """What to send now, one message for each free channel at the most. The outcome of each has to be told."""
        found = []
        for channel in free:
            trouble = self._state.trouble.get(channel)
            if trouble is not None and trouble.dead and now < trouble.again:
                self._abandon(channel, now)
            elif trouble is None or now >= trouble.again:
                message = self._state.messages.get(channel) or self._next(channel, now)
                if message is not None:
                    message.attempts += 1
                    self._state.put(message, message.channel)
                    self._queues.sent(channel, now)
                    found.append(message)
        return found

    def accepted(self, channel: str, now: int) -> None:
        """The channel has taken its message."""
        message = self._state.messages.pop(channel)
        self._state.drop(Message, channel)
        if self._state.trouble.pop(channel, None) is not None:
            self._state.drop(Trouble, channel)
        for key, status in message.items:
            episode = self._state.episodes.get(key)
            if episode is None:
                continue
            notice = episode.notices[channel]
            notice.told, notice.due = True, PARKED
            notice.over = notice.over or status == "resolved"
            if status == "raised":
                self._keep_told(channel, episode, now)
                self._follow(episode, channel, now)
                self._stir(episode, now)
            self._settle(episode, now)

    def refused(self, channel: str, now: int, after: int, *, limited: bool = False, uncertain: bool = False) -> None:
        """The channel has not taken its message, or (`uncertain`) may have; it is tried again `after` that span.

        `limited`: it only asked for patience, which is no failure.
        """
        message = self._state.messages[channel]
        message.uncertain = message.uncertain or uncertain
        trouble = self._state.trouble.get(channel) or Trouble(now, 0, now)
        trouble.again = now + after
        if not limited:
            trouble.since = trouble.since if trouble.failures else now
            trouble.failures += 1
            trouble.dead = now - trouble.since >= self._settings.channels[channel].patience
        self._state.trouble[channel] = trouble
        self._state.put(trouble, channel)
        if trouble.dead:
            self._give_up(self._dissolved(message, now), channel, "dead_channel", now, message.uncertain)
        elif message.uncertain:
            self._state.put(message, channel)
        else:
            for episode, _ in self._dissolved(message, now):
                self._schedule(episode, channel, now)

    def rejected(self, channel: str, now: int) -> None:
        """The channel will never take this message, and may well take others."""
        message = self._state.messages[channel]
        self._give_up(self._dissolved(message, now), channel, "rejected", now, message.uncertain)

    # -- what is known

    def due(self, now: int, free: Collection[str]) -> int | None:
        """When there is something to do for a free channel at the earliest; None: not before another alert."""
        times = []
        for channel in free:
            trouble = self._state.trouble.get(channel)
            at = now if channel in self._state.messages else self._queues.due(channel, self._pending)
            if at is not None:
                held = trouble.again if trouble is not None and not trouble.dead else 0
                times.append(max(at, held, self._free_at(channel, now)))
        return min(times, default=None)

    def waiting(self) -> Counter[str]:
        """By channel, how much it is still to be told."""
        return Counter(
            channel
            for episode in self._state.episodes.values()
            for channel in episode.notices
            if episode.pending(channel)
        )

    def failures(self, channel: str) -> int:
        """How often in a row the channel has failed."""
        return self._state.trouble[channel].failures if channel in self._state.trouble else 0

    @property
    def dead(self) -> frozenset[str]:
        """The channels that have failed for longer than their patience."""
        return frozenset(channel for channel, trouble in self._state.trouble.items() if trouble.dead)

    # -- alerts

    def _raise(self, alert: Alert, now: int) -> None:
        if alert.key in self._state.episodes:
            self.counts["repeats"] += 1
            return
        routes = self._settings.routes_of(alert)
        if not routes:
            self.counts["unrouted"] += 1
            return
        episode = Episode(alert, None, {})
        for route in routes:
            for channel in route.channels:
                if channel not in episode.notices:
                    self._order += 1
                    episode.notices[channel] = Notice(route.name, PARKED, self._order)
        self._state.know(episode)
        for channel, notice in episode.notices.items():
            self._schedule(episode, channel, self._first_due(self._routes[notice.route], alert, now))

    def _resolve(self, alert: Alert, now: int) -> None:
        episode = self._state.episodes.get(alert.key)
        if episode is None or episode.resolved is not None:
            self.counts["repeats" if episode is not None else "unrouted"] += 1
            return
        episode.resolved = alert
        for channel, notice in episode.notices.items():
            if notice.told:
                self._follow(episode, channel, now)
            elif notice.due != UNDER_WAY and not notice.over:
                notice.over = True
                self.counts["unsaid"] += 1
        self._stir(episode, now + self._settings.wait)
        self._settle(episode, now)

    def _follow(self, episode: Episode, channel: str, now: int) -> None:
        """Plans what is said of the end of what the channel was told."""
        notice = episode.notices[channel]
        if episode.resolved is None or notice.over:
            return
        route = self._route(notice)
        if not route.resolved:
            notice.over = True
            return
        self._order += 1
        notice.order = self._order
        self._schedule(episode, channel, self._first_due(route, episode.raised, now))

    def _stir(self, episode: Episode, at: int) -> None:
        """Has another look at the other alerts of a subject, which may have waited for this one."""
        for other in self._state.others(episode):
            for channel, notice in other.notices.items():
                if notice.due == PARKED and other.pending(channel):
                    self._schedule(other, channel, at)

    # -- messages

    def _next(self, channel: str, now: int) -> Message | None:
        if now < self._free_at(channel, now):
            return None
        while (key := self._queues.pop(channel, now, self._pending)) is not None:
            episode = self._state.episodes[key]
            if not self._may_be_told(episode, channel, now):
                continue
            together = [episode, *self._of_digest(episode, channel, now)]
            # What is told in the same digest may have folded the end of what was wrong before.
            items = [(one, status) for one in together if (status := one.pending(channel)) is not None]
            route = self._route(episode.notices[channel])
            message = self._texts.message(channel, items, self._settings.language_of(episode.raised.shop, route),
                                          digest=bool(route.digest))  # fmt: skip
            for one, _ in items:
                one.notices[channel].due = UNDER_WAY
                self._state.put_episode(one)
            self._state.messages[channel] = message
            return message
        return None

    def _of_digest(self, first: Episode, channel: str, now: int) -> list[Episode]:
        """What belongs into one digest with this one."""
        name, shop = first.notices[channel].route, first.raised.shop
        if not self._route(first.notices[channel]).digest:
            return []

        def belongs(key: EpisodeKey) -> bool:
            other = self._state.episodes[key]
            return key != first.key and other.notices[channel].route == name and other.raised.shop == shop

        keys = self._queues.pop_all(channel, now, self._pending, belongs)
        return [self._state.episodes[key] for key in keys if self._may_be_told(self._state.episodes[key], channel, now)]

    def _may_be_told(self, episode: Episode, channel: str, now: int) -> bool:
        """Whether nothing holds it back; if anything does, it is put off, or dropped."""
        notice = episode.notices[channel]
        held = overtaken(episode, channel, self._state.others(episode)) or held_until(
            episode, channel, self._route(notice), self._last_told(channel, episode), self._settings, now
        )
        if held is None:
            self._fold_former_ends(episode, channel, now)
            return True
        if held == DROP:
            self._fold(episode, channel, now)
        else:
            self._schedule(episode, channel, PARKED if held == PARK else held)
        return False

    def _fold_former_ends(self, episode: Episode, channel: str, now: int) -> None:
        """Whoever is told that something is wrong again need not hear afterwards that it was well for a while."""
        for other in self._state.others(episode):
            if other.key.type == episode.key.type and channel in other.notices and not episode.notices[channel].told:
                former = other.notices[channel]
                if other.pending(channel) == "resolved" and former.order < episode.notices[channel].order:
                    self._fold(other, channel, now)

    def _fold(self, episode: Episode, channel: str, now: int) -> None:
        episode.notices[channel].over = True
        self.counts["folded"] += 1
        self._settle(episode, now)

    def _dissolved(self, message: Message, now: int) -> list[tuple[Episode, Status]]:
        """Takes a message back: what it was to tell is no longer under way. What is over meanwhile is not told."""
        del self._state.messages[message.channel]
        self._state.drop(Message, message.channel)
        left = []
        for key, status in message.items:
            episode = self._state.episodes.get(key)
            if episode is None:
                continue
            if status == "raised" and episode.resolved is not None and not message.uncertain:
                episode.notices[message.channel].over = True
                self.counts["unsaid"] += 1
                self._settle(episode, now)
            else:
                left.append((episode, status))
        return left

    def _abandon(self, channel: str, now: int) -> None:
        """Gives up what is due at a dead channel, without another try."""
        message = self._state.messages.get(channel) or self._next(channel, now)
        while message is not None:
            self._give_up(self._dissolved(message, now), channel, "dead_channel", now, message.uncertain)
            message = self._next(channel, now)

    def _give_up(
        self, items: Collection[tuple[Episode, Status]], channel: str, reason: str, now: int, uncertain: bool
    ) -> None:
        configured = self._settings.channels.get(channel)
        fallback = configured.fallback if configured is not None else None
        for episode, status in items:
            notice = episode.notices[channel]
            notice.over = True
            if fallback is not None and episode.resolved is None and fallback not in episode.notices:
                self._order += 1
                episode.notices[fallback] = Notice(notice.route, PARKED, self._order)
                self._schedule(episode, fallback, now)
            alert = episode.resolved if status == "resolved" and episode.resolved is not None else episode.raised
            self.given_up.append(Given(channel, alert, reason, uncertain))
            self._settle(episode, now)
            self._stir(episode, now)

    def drop_unknown_channels(self, now: int) -> None:
        """Gives up what was meant for channels that are no longer there."""
        known = self._settings.channels
        for channel in {*self._state.messages, *self._queues.channels()} - known.keys():
            self._abandon(channel, now)
            left = [(one, one.pending(channel)) for one in self._state.episodes.values() if channel in one.notices]
            self._give_up([(one, status) for one, status in left if status], channel, "channel_removed", now, False)
        for channel in self._state.trouble.keys() - known.keys():
            del self._state.trouble[channel]
            self._state.drop(Trouble, channel)

    # -- what is kept

    def _schedule(self, episode: Episode, channel: str, due: int) -> None:
        notice = episode.notices[channel]
        notice.due = due
        if due < PARKED:
            self._queues.put(channel, due, notice.order, episode.key)
        self._state.put_episode(episode)

    def _settle(self, episode: Episode, now: int) -> None:
        """Forgets the texts of what nobody has to be told of any more, and in the end all of it."""
        if not any(map(episode.pending, episode.notices)):
            over = all(notice.over for notice in episode.notices.values())
            episode.raised = episode.raised.without_texts()
            episode.resolved = episode.resolved.without_texts() if episode.resolved is not None else None
            episode.forgotten = now + (self._settings.remember if over else _NEVER_RESOLVED)
        else:
            episode.forgotten = PARKED
        self._state.put_episode(episode)

    def _last_told(self, channel: str, episode: Episode) -> Told | None:
        return self._state.told.get(_told(channel, episode.key))

    def _keep_told(self, channel: str, episode: Episode, now: int) -> None:
        if not any(route.cooldown for route in self._settings.routes):
            return
        names = _told(channel, episode.key)
        self._state.told[names] = Told(now, SEVERITIES.index(episode.raised.severity))
        self._state.put(self._state.told[names], *names)

    # -- times

    def _first_due(self, route: Route, alert: Alert, now: int) -> int:
        due = now + self._settings.wait
        return next_of(due, route.digest, self._settings.zone_of(alert.shop)) if route.digest else due

    def _free_at(self, channel: str, now: int) -> int:
        configured = self._settings.channels.get(channel)
        return self._queues.free_at(channel, configured.per_minute if configured is not None else None, MINUTE, now)

    def _pending(self, channel: str, key: EpisodeKey, order: int, due: int) -> bool:
        """Whether what was queued so is still to be told at that time."""
        episode = self._state.episodes.get(key)
        if episode is None or not episode.pending(channel):
            return False
        notice = episode.notices[channel]
        return notice.due == due and notice.order == order

    def _route(self, notice: Notice) -> Route:
        return self._routes.get(notice.route) or Route(name=notice.route, channels=())


def _told(channel: str, key: EpisodeKey) -> tuple[str, ...]:
    return channel, key.audience, key.subject
