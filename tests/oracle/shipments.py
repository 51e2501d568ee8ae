"""Shipments: the uses of a tracking number, their silences and their alerts."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.oracle.feeds import Deadline, Feeds
from tests.oracle.orders import OrderLife, Orders
from tests.oracle.policy import OraclePolicy, Threshold
from tests.oracle.timeline import Event, OracleAlert, episode

TERMINAL = frozenset({"delivered", "returned", "destroyed"})
_ADDRESS = frozenset({"delivery_failed", "out_for_delivery", "held"})


def _status(scans: list[Event]) -> str | None:
    """The state after scans at one instant: a terminal one if any, the greatest name among equals."""
    statuses = {scan.value["status"] for scan in scans}
    return max(statuses & TERMINAL or statuses, default=None)


@dataclass
class Use:
    """One shipment: its updates by instant, from the first event that names it."""

    carrier: str
    tracking_no: str
    instants: dict[int, list[Event]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes an update; they come in the order of the list."""
        self.instants.setdefault(event.time, []).append(event)

    def shippings(self, by: int | None = None) -> list[Event]:
        """The `order.shipped` events, up to and including an instant."""
        return [
            event
            for time, events in self.instants.items()
            for event in events
            if event.type == "order.shipped" and (by is None or time <= by)
        ]

    def scans(self, *, first: int | None = None, last: int | None = None) -> list[Event]:
        """The scans from one instant to another, both included."""
        return [
            event
            for time, events in self.instants.items()
            for event in events
            if event.type == "scan" and (first is None or first <= time) and (last is None or time <= last)
        ]

    def last_status(self, by: int) -> str | None:
        """The status of the last scan as of an instant."""
        scans = self.scans(last=by)
        return _status([scan for scan in scans if scan.time == scans[-1].time])

    def last_facility(self, by: int) -> str | None:
        """The facility of the last scan as of an instant; of the same scan told twice, what the first tells."""
        scans = self.scans(last=by)
        if not scans:
            return None
        status = self.last_status(by)
        last = next(scan for scan in scans if scan.time == scans[-1].time and scan.value["status"] == status)
        facility: str | None = last.value.get("facility")
        return facility

    def ended_at(self) -> int | None:
        """The instant of the terminal scan."""
        return next((scan.time for scan in self.scans() if scan.value["status"] in TERMINAL), None)

    def collected_at(self) -> int | None:
        """The instant of the first scan other than `info_received`."""
        return next((scan.time for scan in self.scans() if scan.value["status"] != "info_received"), None)

    def holds(self, order: str | None) -> bool:
        """Whether an order is in this parcel."""
        return any(event.order == order for event in self.shippings())

    def forgotten_at(self, policy: OraclePolicy) -> int:
        """The last instant at which the shipment is known."""
        ended = self.ended_at()
        return max(self.instants) + policy.give_up if ended is None else ended + policy.keep_shipment


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
        self.uses = [use for parcel, updates in parcels.items() for use in self._uses(*parcel, updates)]
        for use in self.uses:
            self._judge_collection(use)
            self._judge_silences(use)

    def _uses(self, carrier: str, tracking_no: str, updates: list[Event]) -> list[Use]:
        uses: list[Use] = []
        for event in updates:
            known = [use for use in uses if event.time <= use.forgotten_at(self.policy)]
            ended = known[-1].ended_at() if known else None
            if event.type == "scan":
                begins = not known
                belongs = ended is None or event.time == ended
            else:
                begins = not known or (ended is not None and not any(use.holds(event.order) for use in known))
                belongs = ended is None
            if begins:
                uses.append(Use(carrier, tracking_no))
                uses[-1].add(event)
            elif belongs:
                known[-1].add(event)
        return uses

    def _life(self, shipping: Event) -> OrderLife:
        return self.orders.life_of[shipping]

    def _destination(self, use: Use, by: int) -> str | None:
        shippings = use.shippings(by)
        if not shippings:
            return None
        region: str | None = shippings[0].value.get("to_region")
        placed = self._life(shippings[0]).fact("order.placed")
        if region is None and placed is not None and placed.time <= by:
            region = placed.value.get("ship_to_region")
        return region

    def _threshold(self, kind: str, use: Use, last_update: int) -> Threshold:
        shippings = use.shippings(last_update)
        origin = shippings[0].value.get("from_region") if shippings else None
        tier = self.policy.tier(use.last_status(last_update), origin, self._destination(use, last_update))
        return self.policy.threshold(kind, use.carrier, tier, last_update)

    def _causes(self, use: Use, last_update: int) -> tuple[str, ...]:
        collected = use.collected_at()
        causes = {
            "not_handed_over": collected is None or collected > last_update,
            "recipient_or_address": use.last_status(last_update) in _ADDRESS,
            "remote_area": self.policy.is_remote(self._destination(use, last_update)),
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
            status = _status(use.scans(first=collected, last=collected))
            resolved = collected, status if status in TERMINAL else "collected"
        if due.is_missed(collected) and due.time < self.until and due.time <= use.forgotten_at(self.policy):
            self._raise(use, "shipment.not_collected", ("merchant",), due.time, resolved, shippings[0].time)

    def _judge_silences(self, use: Use) -> None:
        """`shipment.slow` and `shipment.stalled`: once per silence."""
        times = list(use.instants)
        for time, following in zip(times, [*times[1:], None], strict=True):
            if use.last_status(time) in TERMINAL:
                return
            resolved = self._given_up(time)
            if following is not None:
                status = _status(use.scans(first=following, last=following))
                resolved = following, status if status in TERMINAL else "resumed"
            registered = bool(use.shippings(time))
            collected = use.collected_at()
            if registered and collected is not None and collected <= time:
                due = self._broken("slow", use, time, following)
                if due is not None:
                    self._raise(use, "shipment.slow", ("merchant",), due.time, resolved, time)
            due = self._broken("stalled", use, time, following)
            if due is not None:
                topics = ("merchant", "platform") if registered else ("platform",)
                self._raise(use, "shipment.stalled", topics, due.time, resolved, time, self._causes(use, time))
                end = time + self.policy.give_up if following is None else following
                held = frozenset(event.order for event in use.shippings(time) if event.order is not None)
                self.stalls.append(Stall(held, due.time, end, use.last_facility(time), due.moved))

    def _deadline(self, kind: str, use: Use, update: int) -> Deadline:
        """When the time after an update becomes longer than the threshold."""
        threshold = self._threshold(kind, use, update)
        return self.feeds.moved(use.carrier, Deadline(update + threshold.length, threshold.strict))

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
        )
