"""Stage 6: baselines by category, levels by shop, the tables of both.

Takes the figures of its own shops and, from every partition, what changed in the categories' sums; both by boundary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from schemas.times import DAY, render
from streams.policy.model import Policy
from streams.rules.alert import RAISED, RESOLVED, Alert
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.cases.case import COMPLAINT, DISPUTE, INTERVENTION, ORDER, TICKET_TIMEOUT
from streams.rules.help_rate import levels
from streams.rules.help_rate.levels import DELISTING_RISK, INSUFFICIENT, ITEM_DELISTING_RISK, LEVELS, Judgement
from streams.rules.help_rate.parcels_at_risk import PARCELS_AT_RISK
from streams.rules.windows import WINDOWS
from streams.stages.help_rate.shipment_alerts import ShipmentAlerts
from streams.stages.help_rate.shop_windows import CLOSED, LINKED, NO_ITEM_COUNTS, SCALE, CategoryChange, Closed, Figures
from streams.stages.tables import TableRecord

HELP_RATES = "help-rates"
CATEGORY_BASELINES = "category-baselines"
_DELISTING_FLAG = 1 << LEVELS.index(DELISTING_RISK)


class Category(msgspec.Struct, array_like=True, gc=True):
    """A category's sum as of the last judged boundary."""

    members: int = 0
    shops: int = 0
    total: int = 0
    published: tuple[int, float | None] | None = None

    def baseline(self, least: int) -> float | None:
        """The mean of the shops' rates; null with too few of them."""
        if self.shops < least:
            return None
        return self.total / SCALE / self.shops


class Shop(msgspec.Struct, array_like=True, gc=True):
    """A shop as of the last judged boundary. `opened`: when its open alert was raised, in microseconds."""

    figures: Figures
    state: str = INSUFFICIENT
    flags: int = 0
    opened: int = 0
    #: Items at risk: when their alert was raised.
    items: dict[str, int] = msgspec.field(default_factory=dict)
    published: list[Any] | None = None


class Judge:
    """The state of stage 6 of one partition. `publishes` says for which categories it puts out the baseline.

    `shipment_alerts`: what is known at a boundary of the open alerts about the shops' parcels.
    """

    def __init__(
        self,
        policy: Policy,
        shipment_alerts: ShipmentAlerts | None = None,
        publishes: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.policy = policy
        self._shipment_alerts = shipment_alerts if shipment_alerts is not None else ShipmentAlerts(policy)
        self._numerator = levels.numerator(policy.help_rate)
        self.categories: dict[str, Category] = {}
        self.shops: dict[str, Shop] = {}
        self.alerts: list[Alert] = []
        self.records: list[TableRecord] = []
        self.changed_shops: set[str] = set()
        self.changed_categories: set[str] = set()
        self._publishes = publishes
        self._members: dict[str, set[str]] = {}
        self._baselines: dict[str, float | None] = {}
        #: The number of shops by level.
        self.by_level: Counter[str] = Counter()

    def rebuild(self, categories: dict[str, Category], shops: dict[str, Shop]) -> None:
        """Takes over a restored state."""
        self.categories, self.shops = categories, shops
        self.by_level = Counter(shop.state for shop in shops.values())
        for shop_id, shop in shops.items():
            if shop.figures.category is not None:
                self._members.setdefault(shop.figures.category, set()).add(shop_id)
        least = self.policy.help_rate.min_shops
        self._baselines = {name: category.baseline(least) for name, category in categories.items()}

    def judge(self, closed: Closed, changes: list[CategoryChange]) -> None:
        """Judges one boundary: `closed` of its own shops, `changes` from all partitions."""
        moved = self._add_up(changes)
        touched: dict[str, None] = {}
        for figures in closed.figures:
            touched[figures.shop_id] = None
            shop = self.shops.get(figures.shop_id)
            if shop is None:
                shop = self.shops[figures.shop_id] = Shop(figures)
                self.by_level[shop.state] += 1
            elif shop.figures.category is not None:
                self._members[shop.figures.category].discard(figures.shop_id)
            shop.figures = figures
            if figures.category is not None:
                self._members.setdefault(figures.category, set()).add(figures.shop_id)
        own = len(touched)
        least = self.policy.help_rate.min_orders
        for category in (name for name, new_baseline in moved.items() if new_baseline):
            for shop_id in sorted(self._members.get(category, ())):
                shop = self.shops[shop_id]
                # A baseline means nothing to a shop with too few orders, which has no level either.
                if shop.figures.month[ORDER] >= least:
                    touched[shop_id] = None
        as_of = render(closed.boundary)
        for number, shop_id in enumerate(touched):
            self._judge_shop(closed.boundary, as_of, self.shops[shop_id], changed=number < own)
        for category in moved:
            self._publish_baseline(closed.boundary, category)

    def _add_up(self, changes: list[CategoryChange]) -> dict[str, bool]:
        """The categories whose sum has changed, in that order; whether their baselines have."""
        moved: dict[str, bool] = {}
        for change in changes:
            category = self.categories.setdefault(change.category, Category())
            category.members += change.members
            category.shops += change.shops
            category.total += int(change.total, 16)
            moved[change.category] = False
        for name in moved:
            baseline = self.categories[name].baseline(self.policy.help_rate.min_shops)
            moved[name] = baseline != self._baselines.get(name)
            self._baselines[name] = baseline
        self.changed_categories.update(moved)
        return moved

    def _judge_shop(self, boundary: int, as_of: str, shop: Shop, *, changed: bool) -> None:
        """`changed`: its own figures have; else its category's baseline alone may have."""
        rules = self.policy.help_rate
        figures = shop.figures
        baseline = self._baselines.get(figures.category) if figures.category is not None else None
        orders, escalations = figures.month[ORDER], levels.escalations(figures.month, self._numerator)
        rate = escalations / orders if orders else None
        judged = levels.judge(shop.flags, orders, escalations, rate, baseline, rules)
        if not changed and judged == (shop.state, shop.flags):
            # A new baseline alone is published nowhere.
            self._judge_items(boundary, shop, baseline)
            return
        if judged.state != shop.state:
            self._change_level(boundary, shop, judged, baseline)
            self.by_level[shop.state] -= 1
            self.by_level[judged.state] += 1
        shop.flags, shop.state = judged.flags, judged.state
        self._judge_items(boundary, shop, baseline)
        if figures.empty:
            self._drop(shop)
        else:
            self._publish_shop(as_of, shop, baseline)
        if changed or judged.flags or shop.items:
            self.changed_shops.add(figures.shop_id)

    def _change_level(self, boundary: int, shop: Shop, judged: Judgement, baseline: float | None) -> None:
        before, after = shop.state, judged.state
        shop_id = shop.figures.shop_id
        self.changed_shops.add(shop_id)
        if before in LEVELS:
            if after == INSUFFICIENT:
                resolution = INSUFFICIENT
            elif after in LEVELS and LEVELS.index(after) > LEVELS.index(before):
                resolution = "escalated"
            else:
                resolution = "recovered"
            evidence = {**self._evidence(boundary, shop, before, baseline), "raised_at": render(shop.opened)}
            self._alert(levels.alert_of(before), shop_id, shop, boundary, shop.opened, resolution, evidence)
        if after in LEVELS:
            shop.opened = boundary
            evidence = self._evidence(boundary, shop, after, baseline)
            self._alert(levels.alert_of(after), shop_id, shop, boundary, boundary, None, evidence)

    def _judge_items(self, boundary: int, shop: Shop, baseline: float | None) -> None:
        rules = self.policy.help_rate
        figures = shop.figures
        if not shop.items and not figures.items:
            return
        for item in sorted({*shop.items, *figures.items}):
            counts = figures.items.get(item, NO_ITEM_COUNTS)
            orders, escalations = counts[ORDER], levels.escalations(counts, self._numerator)
            was_at_risk = item in shop.items
            if not was_at_risk and escalations < rules.delisting_min_escalations:
                # Most items: whatever their rate is, they cannot be at risk.
                continue
            rate = escalations / orders if orders else None
            flags = _DELISTING_FLAG if was_at_risk else 0
            judged = levels.judge(flags, orders, escalations, rate, baseline, rules)
            at_risk = bool(judged.flags & _DELISTING_FLAG)
            if at_risk == was_at_risk:
                continue
            evidence = {
                "item_id": item,
                "window_days": WINDOWS[1] // DAY,
                **self._counted(counts),
                "baseline": _rounded(baseline),
                "category_id": figures.category,
                "threshold": rules.delisting_risk,
                "escalations_left": None,
            }
            if at_risk:
                shop.items[item] = boundary
                self._alert(ITEM_DELISTING_RISK, item, shop, boundary, boundary, None, evidence)
            else:
                raised = shop.items.pop(item)
                resolution = INSUFFICIENT if judged.state == INSUFFICIENT else "recovered"
                evidence["raised_at"] = render(raised)
                self._alert(ITEM_DELISTING_RISK, item, shop, boundary, raised, resolution, evidence)
            self.changed_shops.add(figures.shop_id)

    def _alert(
        self,
        kind: str,
        subject: str,
        shop: Shop,
        time: int,
        raised: int,
        resolution: str | None,
        evidence: dict[str, Any],
    ) -> None:
        shop_id = shop.figures.shop_id
        audiences = ALERT_TYPES[kind].audiences
        status = RAISED if resolution is None else RESOLVED
        episode = f"{shop_id}/{render(raised)}"
        self.alerts.append(
            Alert(kind, subject, status, time, audiences, shop_id, None, None, episode, resolution, evidence)
        )

    def _evidence(self, boundary: int, shop: Shop, state: str, baseline: float | None) -> dict[str, Any]:
        """What `state` was judged on, and the parcels that are to be looked at."""
        rules = self.policy.help_rate
        figures = shop.figures
        month = figures.month
        escalations = levels.escalations(month, self._numerator)
        found = {
            "window_days": WINDOWS[1] // DAY,
            **self._counted(month),
            "baseline": _rounded(baseline),
            "category_id": figures.category,
            "threshold": levels.multiples(rules)[LEVELS.index(state)],
            "escalations_left": levels.escalations_left(state, month[ORDER], escalations, baseline, rules),
        }
        if self._shipment_alerts.is_kept:
            found[PARCELS_AT_RISK] = self._shipment_alerts.parcels_at_risk(figures.shop_id, boundary)
        return found

    def _counted(self, counts: Sequence[int]) -> dict[str, Any]:
        """The orders and escalations of a shop or an item, and the rate of that."""
        return {
            "orders": counts[ORDER],
            "disputes": counts[DISPUTE],
            "complaints": counts[COMPLAINT],
            "interventions": counts[INTERVENTION],
            "ticket_timeouts": counts[TICKET_TIMEOUT],
            "escalations": levels.escalations(counts, self._numerator),
            "rate": _rounded(levels.rate(counts, self._numerator)),
        }

    def _publish_shop(self, as_of: str, shop: Shop, baseline: float | None) -> None:
        figures = shop.figures
        content: list[Any] = [figures.category, shop.state, figures.week, figures.month]
        # A new baseline alone, with the same state, is no change.
        if content == shop.published:
            return
        shop.published = content
        value = {
            "shop_id": figures.shop_id,
            "as_of": as_of,
            "main_category": figures.category,
            "state": shop.state,
            "baseline": _rounded(baseline),
            "7d": self._window(figures.week),
            "30d": self._window(figures.month),
        }
        self.records.append(TableRecord(HELP_RATES, figures.shop_id, value))

    def _window(self, counts: list[int]) -> dict[str, Any]:
        return {**self._counted(counts), "logistics_linked": counts[LINKED], "window_closed": counts[CLOSED]}

    def _drop(self, shop: Shop) -> None:
        shop_id = shop.figures.shop_id
        if shop.published is not None:
            self.records.append(TableRecord(HELP_RATES, shop_id, None))
        del self.shops[shop_id]
        self.by_level[shop.state] -= 1

    def _publish_baseline(self, boundary: int, name: str) -> None:
        category = self.categories[name]
        baseline = category.baseline(self.policy.help_rate.min_shops)
        if not category.members:
            del self.categories[name], self._baselines[name]
            if category.published is not None and self._publishes(name):
                self.records.append(TableRecord(CATEGORY_BASELINES, name, None))
            return
        content = (category.shops, _rounded(baseline))
        if content == category.published:
            return
        category.published = content
        if self._publishes(name):
            value = {"category_id": name, "as_of": render(boundary), "shops": content[0], "rate": content[1]}
            self.records.append(TableRecord(CATEGORY_BASELINES, name, value))


def _rounded(rate: float | None) -> float | None:
    """Published to 6 digits; judged unrounded."""
    return round(rate, 6) if rate is not None else None
