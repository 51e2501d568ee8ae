"""The help rate: at each boundary all is counted anew from the orders and escalations of the window."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from tests.oracle.escalations import KINDS, Escalation
from tests.oracle.orders import OrderLife
from tests.oracle.policy import HOUR, OraclePolicy
from tests.oracle.timeline import Event, OracleAlert, episode, shown

LEVELS = ("elevated", "campaign_blocked", "delisting_risk")
_COLUMNS = dict(zip(KINDS, ("disputes", "complaints", "interventions", "ticket_timeouts"), strict=True))


@dataclass
class Window:
    """What one shop has in one window as of one boundary."""

    orders: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    # What the rate counts.
    escalations: int = 0
    linked: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    item_orders: Counter[str] = field(default_factory=Counter)
    item_escalations: Counter[str] = field(default_factory=Counter)
    item_counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def evidence(self, item: str | None) -> tuple[int, ...]:
        """The orders and the escalations by kind, of the shop or of an item."""
        if item is None:
            return self.orders, *(self.counts[kind] for kind in KINDS)
        return self.item_orders[item], *(self.item_counts[item, kind] for kind in KINDS)

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.orders and not sum(self.counts.values()) and not self.lines

    @property
    def rate(self) -> float | None:
        """Escalations over orders, None without orders."""
        return self.escalations / self.orders if self.orders else None

    @property
    def main_category(self) -> str | None:
        """The category with the most lines, the smallest id among equals."""
        return min(self.lines, key=lambda category: (-self.lines[category], category), default=None)

    def published(self) -> dict[str, Any]:
        """The window's part of a record of `help-rates`."""
        return {
            "orders": self.orders,
            **{column: self.counts[kind] for kind, column in _COLUMNS.items()},
            "escalations": self.escalations,
            "rate": None if self.rate is None else round(self.rate, 6),
            "logistics_linked": self.linked,
            "window_closed": 0,
        }


@dataclass
class Judged:
    """A shop or item between boundaries: the levels that hold, and the open alert."""

    held: frozenset[str] = frozenset()
    level: str = "insufficient"
    raised_at: int = 0
    left: int | None = None
    counts: tuple[int, ...] | None = None


class HelpRates:
    """Judges every shop at every boundary at which a figure may have changed.

    At the boundaries between, the figures are the same, and so is what they lead to: a level that is reached
    or held by the same figures again is the same level.
    """

    def __init__(
        self,
        lives: Iterable[OrderLife],
        escalations: Iterable[Escalation],
        policy: OraclePolicy,
        until: int,
        *,
        every_boundary: bool = False,
    ) -> None:
        self.policy = policy
        self.until = until
        self.placed: list[Event] = []
        # What makes an order count, and what was placed.
        self.orders: list[tuple[Event, Event | None]] = []
        for life in lives:
            placed, counted = life.fact("order.placed"), life.fact(policy.over)
            self.placed += [placed] if placed is not None else []
            self.orders += [(counted, placed)] if counted is not None else []
        self.placed.sort(key=lambda event: event.time)
        self.orders.sort(key=_counted_at)
        self.escalations = sorted(escalations, key=lambda escalation: escalation.time)
        self.alerts: list[OracleAlert] = []
        self.help_rates: dict[str, dict[str, Any]] = {}
        self.baselines: dict[str, dict[str, Any]] = {}
        self._judged: dict[tuple[str, str | None], Judged] = defaultdict(Judged)
        boundaries = self._changes()
        if every_boundary and boundaries:
            boundaries = list(range(boundaries[0], until, HOUR))
        for boundary in boundaries:
            self._judge(boundary)
        for (shop, item), judged in self._judged.items():
            if judged.level not in ("insufficient", "ok"):
                self._tell(shop, item, judged, None)

    def _changes(self) -> list[int]:
        """The boundaries at which something enters a window, leaves one or is taken back."""
        times = {event.time for event in self.placed} | {event.time for event, _ in self.orders}
        times |= {escalation.time for escalation in self.escalations}
        times |= {e.voided_at for e in self.escalations if e.voided_at is not None}
        next_hours = {time // HOUR * HOUR + HOUR for time in times}
        shifts = (0, *self.policy.windows.values())
        return sorted({hour + shift for hour in next_hours for shift in shifts if hour + shift < self.until})

    def _windows(self, boundary: int, length: int) -> dict[str, Window]:
        """Each shop's window: what has boundary - length <= time < boundary."""
        shops: dict[str, Window] = defaultdict(Window)
        first = bisect_left(self.placed, boundary - length, key=lambda event: event.time)
        for placed in self.placed[first:]:
            if placed.time >= boundary:
                break
            shops[placed.shop].lines.update(item["category_id"] for item in placed.value["items"])
        first = bisect_left(self.orders, boundary - length, key=_counted_at)
        for event, as_placed in self.orders[first:]:
            if event.time >= boundary:
                break
            window = shops[event.shop]
            window.orders += 1
            if as_placed is not None and as_placed.time <= event.time:
                window.item_orders.update({item["item_id"] for item in as_placed.value["items"]})
        escalated: dict[str, list[Escalation]] = defaultdict(list)
        first = bisect_left(self.escalations, boundary - length, key=lambda escalation: escalation.time)
        for escalation in self.escalations[first:]:
            if escalation.time >= boundary:
                break
            if escalation.counts_as_of(boundary):
                window = shops[escalation.shop]
                window.counts[escalation.kind] += 1
                window.item_counts[str(escalation.item), escalation.kind] += 1
                window.linked += escalation.logistics_linked
                if escalation.kind in self.policy.counted:
                    escalated[escalation.shop].append(escalation)
        for shop, known in escalated.items():
            shops[shop].escalations = self._count(known)
            for item in {escalation.item for escalation in known} - {None}:
                shops[shop].item_escalations[str(item)] = self._count([e for e in known if e.item == item])
        return shops

    def _count(self, escalations: list[Escalation]) -> int:
        """The escalations of a rate, or the orders that they name."""
        if self.policy.distinct_orders:
            return len({escalation.order for escalation in escalations} - {None})
        return len(escalations)

    def _judge(self, boundary: int) -> None:
        windows = {name: self._windows(boundary, length) for name, length in self.policy.windows.items()}
        judged = windows[self.policy.judged_window]
        rates: dict[str, list[float]] = defaultdict(list)
        for window in judged.values():
            category, rate = window.main_category, window.rate
            if category is not None and rate is not None and window.orders >= self.policy.min_orders:
                rates[category].append(rate)
        baselines = {
            category: fsum(shops) / len(shops) if len(shops) >= self.policy.min_shops else None
            for category, shops in rates.items()
        }
        for shop, item in {*self._judged, *((shop, None) for shop in judged), *_items(judged)}:
            window = judged.get(shop, Window())
            baseline = baselines.get(window.main_category or "")
            if item is None:
                self._move(boundary, shop, None, window, window.escalations, baseline)
            else:
                self._move(boundary, shop, item, window, window.item_escalations[item], baseline)
        self._publish_rates(boundary, windows, baselines)
        self._publish_baselines(boundary, rates, baselines)

    def _reaches(self, level: str, orders: int, escalations: int, baseline: float, share: float = 1.0) -> bool:
        """Whether a rate is above the level's threshold, or above a share of it."""
        factor: float = getattr(self.policy, level)
        return escalations / orders - share * factor * baseline > self.policy.tolerance

    def _levels(self, held: frozenset[str], orders: int, escalations: int, baseline: float) -> frozenset[str]:
        reached = set()
        for level in LEVELS:
            enough = level != "delisting_risk" or escalations >= self.policy.delisting_escalations
            if (enough and self._reaches(level, orders, escalations, baseline)) or (
                level in held and self._reaches(level, orders, escalations, baseline, self.policy.hold)
            ):
                reached.add(level)
        return frozenset(reached)

    def _left(self, level: str, orders: int, escalations: int, baseline: float) -> int | None:
        """How many more escalations reach the level after `level`; None at the highest."""
        following = {"elevated": "campaign_blocked", "campaign_blocked": "delisting_risk"}.get(level)
        more = 1
        while following and following not in self._levels(frozenset(), orders, escalations + more, baseline):
            more += 1
        return more if following else None

    def _move(
        self,
        boundary: int,
        shop: str,
        item: str | None,
        window: Window,
        escalations: int,
        baseline: float | None,
    ) -> None:
        """Judges a shop, or one of its items (for the highest level alone)."""
        counts = window.evidence(item)
        orders = counts[0]
        judged = self._judged[shop, item]
        held: frozenset[str] = frozenset()
        level, left = "insufficient", None
        if orders >= self.policy.min_orders and baseline is not None:
            held = self._levels(judged.held, orders, escalations, baseline)
            if item is not None:
                held &= {"delisting_risk"}
            level = next((name for name in reversed(LEVELS) if name in held), "ok")
            left = self._left(level, orders, escalations, baseline)
        if level != judged.level:
            if judged.level in LEVELS:
                resolution = "insufficient" if level == "insufficient" else "recovered"
                if level in LEVELS and LEVELS.index(level) > LEVELS.index(judged.level):
                    resolution = "escalated"
                self._tell(shop, item, judged, (boundary, resolution))
            judged.level, judged.raised_at, judged.left = level, boundary, left
            judged.counts = counts
        judged.held = held
        if level == "insufficient":
            del self._judged[shop, item]  # it forgets

    def _tell(self, shop: str, item: str | None, judged: Judged, resolved: tuple[int, str] | None) -> None:
        self.alerts += episode(
            topics=("merchant",) if judged.level == "elevated" else ("merchant", "platform"),
            type_=f"help_rate.{judged.level}" if item is None else "item.delisting_risk",
            subject=shop if item is None else item,
            raised_at=judged.raised_at,
            resolved=resolved,
            shop=shop,
            left=judged.left,
            counts=judged.counts,
        )

    def _publish_rates(
        self, boundary: int, windows: dict[str, dict[str, Window]], baselines: dict[str, float | None]
    ) -> None:
        judged = windows[self.policy.judged_window]
        for shop in {*judged, *self.help_rates}:
            window = judged.get(shop, Window())
            if window.empty:
                self.help_rates.pop(shop, None)
                continue
            baseline = baselines.get(window.main_category or "")
            record = {
                "shop_id": shop,
                "main_category": window.main_category,
                "state": self._judged[shop, None].level,
                **{name: shops.get(shop, Window()).published() for name, shops in windows.items()},
            }
            last = self.help_rates.get(shop, {})
            if record != {name: last.get(name) for name in record}:
                rounded = None if baseline is None else round(baseline, 6)
                self.help_rates[shop] = {**record, "as_of": shown(boundary), "baseline": rounded}

    def _publish_baselines(
        self, boundary: int, rates: dict[str, list[float]], baselines: dict[str, float | None]
    ) -> None:
        for category in {*rates, *self.baselines}:
            if category not in rates:
                del self.baselines[category]
                continue
            mean = baselines[category]
            record = {
                "category_id": category,
                "shops": len(rates[category]),
                "rate": None if mean is None else round(mean, 6),
            }
            last = self.baselines.get(category, {})
            if record != {name: last.get(name) for name in record}:
                self.baselines[category] = {**record, "as_of": shown(boundary)}


def _counted_at(order: tuple[Event, Event | None]) -> int:
    return order[0].time


def _items(shops: dict[str, Window]) -> set[tuple[str, str | None]]:
    return {(shop, item) for shop, window in shops.items() for item in window.item_orders}
