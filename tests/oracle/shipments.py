"""Shipments: the uses of a tracking number, their silences and their alerts."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.oracle.exceptions import exceptions
from tests.oracle.feeds import Deadline, Feeds
from tests.oracle.orders import Orders
from tests.oracle.policy import OraclePolicy, Relief, Threshold
from tests.oracle.promises import delivery_late
from tests.oracle.suspicions import suspicions
from tests.oracle.timeline import Event, OracleAlert, episode
from tests.oracle.uses import TERMINAL, Use, destination, status_of

_ADDRESS = frozenset({"delivery_failed", "out_for_delivery", "held"})


@dataclass(frozen=True)
class Stall:
    """An open `shipment.stalled`: from `start` on, up to, not including, `end`.

    `moved`: a feed's silence moved its deadline.
    """

    orders: frozenset[str]
    start: int
    end: int
    facility: str | None
    moved: bool


class Shipments:
    """All uses of all tracking numbers, their alerts and stalls."""

    def __init__(self, events: list[Event], orders: Orders, feeds: Feeds, policy: OraclePolicy, until: int) -> None:
        self.policy = policy
        self.feeds = feeds
        self.orders = orders
        self.until = until
        self.alerts: list[OracleAlert] = []
        self.stalls: list[Stall] = []
        parcels: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in events:
            if event.type == "scan" or (event.type == "order.shipped" and orders.is_first(event)):
                parcels[event.value["carrier"], event.value["tracking_no"]].append(event)
        for parcel, updates in parcels.items():
            uses = self._uses(*parcel, updates)
            for before, use in zip([None, *uses[:-1]], uses, strict=True):
                self._judge_collection(use)
                self._judge_silences(use)
                self.alerts += delivery_late(use, feeds, policy, until)
                self.alerts += exceptions(use, policy, until)
                self.alerts += suspicions(use, before, orders, policy)

    def _uses(self, carrier: str, tracking_no: str, updates: list[Event]) -> list[Use]:
        uses: list[Use] = []
        for event in updates:
            known = [use for use in uses if event.time <= use.forgotten_at(self.policy)]
            # Once the last one is given up, an event is about none before it, though one that ended may be kept longer.
            current = uses[-1] if uses and uses[-1] in known else None
            ended = current.ended_at() if current is not None else None
            if event.type == "scan":
                begins = current is None
                belongs = ended is None or event.time == ended
            else:
                over = current is None or (ended is not None and event.time > ended + self.policy.late_registration)
                begins = over and not any(use.holds(event.order) for use in known)
                belongs = not over
            if begins:
                uses.append(Use(carrier, tracking_no))
                uses[-1].add(event)
            elif current is not None and belongs:
                current.add(event)
        return uses

    def _ends(self, use: Use, by: int) -> tuple[str | None, str | None]:
        """Where it comes from, and where it goes to, as of an instant."""
        shippings = use.shippings(by)
        origin: str | None = shippings[0].value.get("from_region") if shippings else None
        return origin, destination(use, self.orders, by)

    def _relief(self, use: Use, since: int) -> Relief | None:
        return self.policy.relief(since, self._ends(use, since))

    def _threshold(self, kind: str, use: Use, last_update: int) -> Threshold:
        tier = self.policy.tier(use.last_status(last_update), *self._ends(use, last_update))
        return self.policy.threshold(kind, use.carrier, tier, last_update)

    def _causes(self, use: Use, last_update: int) -> tuple[str, ...]:
        collected = use.collected_at()
        causes = {
            "not_handed_over": collected is None or collected > last_update,
            "recipient_or_address": use.last_status(last_update) in _ADDRESS,
            "remote_area": self.policy.is_remote(self._ends(use, last_update)[1]),
            "peak_season": self.policy.is_peak(last_update),
            "lost_suspected": True,
        }
        return tuple(code for code, holds in causes.items() if holds)

    def _judge_collection(self, use: Use) -> None:
        """`shipment.not_collected`: at most once per shipment."""
        shippings = use.shippings()
        if not shippings:
            return
        due = self._deadline("not_collected", use, shippings[0].time)
        collected = use.collected_at()
        resolved = self._given_up(max(use.instants))
        if collected is not None:
            status = status_of(use.scans(first=collected, last=collected))
            resolved = collected, status if status in TERMINAL else "collected"
        if due.is_missed(collected) and due.time < self.until and due.time <= use.forgotten_at(self.policy):
            told = use.account(due.time) | self._relieved(use, shippings[0].time)
            self._raise(use, "shipment.not_collected", ("merchant",), due.time, resolved, shippings[0].time, told)

    def _judge_silences(self, use: Use) -> None:
        """`shipment.slow` and `shipment.stalled`: once per silence."""
        times = list(use.instants)
        for time, following in zip(times, [*times[1:], None], strict=True):
            if use.last_status(time) in TERMINAL:
                return
            resolved = self._given_up(time)
            if following is not None:
                status = status_of(use.scans(first=following, last=following))
                resolved = following, status if status in TERMINAL else "resumed"
            registered = bool(use.shippings(time))
            told = use.account(time) | self._relieved(use, time)
            collected = use.collected_at()
            if registered and collected is not None and collected <= time:
                due = self._broken("slow", use, time, following)
                if due is not None:
                    self._raise(use, "shipment.slow", ("merchant",), due.time, resolved, time, told)
            due = self._broken("stalled", use, time, following)
            if due is not None:
                topics = ("merchant", "platform") if registered else ("platform",)
                self._raise(use, "shipment.stalled", topics, due.time, resolved, time, told, self._causes(use, time))
                end = time + self.policy.give_up if following is None else following
                held = frozenset(event.order for event in use.shippings(time) if event.order is not None)
                self.stalls.append(Stall(held, due.time, end, use.last_facility(time), due.moved))

    def _deadline(self, kind: str, use: Use, update: int) -> Deadline:
        """When the time after an update becomes longer than the threshold."""
        threshold, relief = self._threshold(kind, use, update), self._relief(use, update)
        due = update + threshold.length + (relief.later if relief is not None else 0)
        return self.feeds.moved(use.carrier, Deadline(due, threshold.strict))

    def _relieved(self, use: Use, since: int) -> dict[str, Any]:
        relief = self._relief(use, since)
        return {} if relief is None else {"relief": relief.name}

    def _broken(self, kind: str, use: Use, time: int, following: int | None) -> Deadline | None:
        """The deadline of the silence after `time`, if it is passed without the update that follows."""
        due = self._deadline(kind, use, time)
        if due.is_missed(following) and due.time < self.until and due.time <= time + self.policy.give_up:
            return due
        return None

    def _given_up(self, last_update: int) -> tuple[int, str] | None:
        at = last_update + self.policy.give_up
        return (at, "given_up") if at < self.until else None

    def _raise(
        self,
        use: Use,
        type_: str,
        topics: tuple[str, ...],
        due: int,
        resolved: tuple[int, str] | None,
        last_update: int,
        told: dict[str, Any],
        causes: tuple[str, ...] = (),
    ) -> None:
        shippings = use.shippings(last_update)
        self.alerts += episode(
            topics=topics,
            type_=type_,
            subject=use.tracking_no,
            raised_at=due,
            resolved=resolved,
            shop=shippings[0].shop if shippings else None,
            order=shippings[0].order if shippings else None,
            carrier=use.carrier,
            causes=causes,
            evidence=told,
        )
