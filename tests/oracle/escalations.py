"""Escalations: which events are one, which count, for what, and what takes them back."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tests.oracle.orders import OrderLife, Orders
from tests.oracle.policy import OraclePolicy
from tests.oracle.shipments import Stall
from tests.oracle.tickets import Tickets, Timeout
from tests.oracle.timeline import Event

KINDS = ("dispute", "complaint", "intervention", "ticket_timeout")
_OPENING = {
    "dispute.opened": ("dispute", "dispute_id"),
    "complaint.filed": ("complaint", "complaint_id"),
    "intervention.requested": ("intervention", "intervention_id"),
}


@dataclass(eq=False)
class Escalation:
    """One escalation by its id; what does not count (an intervention within a span) is known all the same."""

    kind: str
    #: The event, or the one that opened the ticket.
    event: Event
    time: int
    shop: str
    order: str | None
    item: str | None
    counts: bool
    logistics_linked: bool
    # How long its id is known: with the order's life, else up to an instant.
    life: OrderLife | None
    known_until: int
    voided_at: int | None = None

    def counts_as_of(self, boundary: int) -> bool:
        """Whether it counts as of a boundary, if its time lies in the window."""
        return self.counts and (self.voided_at is None or self.voided_at >= boundary)


class Escalations:
    """Every escalation of the list, each once."""

    def __init__(
        self,
        events: list[Event],
        orders: Orders,
        stalls: list[Stall],
        tickets: Tickets,
        policy: OraclePolicy,
        asks: Callable[[str], bool],
    ) -> None:
        self.policy = policy
        self.orders = orders
        self.stalls = stalls
        self.asks = asks
        self.all: list[Escalation] = []
        self._known: dict[tuple[str, str, str], list[Escalation]] = defaultdict(list)
        self._waiting: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._counted_at: dict[tuple[str, str], int] = {}
        self._message_at: dict[tuple[str, str, str], int] = {}
        # A deadline is judged after the events at its instant, so time-outs come behind those.
        timeline: list[tuple[int, int, Event | Timeout]] = [(event.time, 0, event) for event in events]
        timeline += [(timeout.time, 1, timeout) for timeout in tickets.timeouts]
        for _, _, entry in sorted(timeline, key=lambda item: item[:2]):
            self._read(entry)

    def _read(self, entry: Event | Timeout) -> None:
        if isinstance(entry, Timeout):
            self._escalate("ticket_timeout", entry.opened.value["ticket_id"], entry.opened, timeout=entry)
        elif entry.type in _OPENING:
            kind, name = _OPENING[entry.type]
            self._escalate(kind, entry.value[name], entry)
        elif entry.type == "escalation.voided":
            self._void(entry)
        elif entry.type == "chat.message" and self._is_new_message(entry):
            value = entry.value
            if value["sender"] == "buyer" and self.asks(value["text"]):
                self._escalate("intervention", f"{value['conversation_id']}:{value['event_id']}", entry)

    def _is_new_message(self, event: Event) -> bool:
        name = event.key, event.value["conversation_id"], event.value["event_id"]
        known = self._message_at.get(name)
        if known is not None and event.time - known < self.policy.message_memory:
            return False
        self._message_at[name] = event.time
        return True

    def _find(self, name: tuple[str, str, str], time: int, life: OrderLife | None) -> Escalation | None:
        """The escalation that an id means at an instant, unless it is unknown or forgotten."""
        for escalation in self._known[name]:
            if escalation.life is not None:
                if escalation.life is life:
                    return escalation
            elif time <= escalation.known_until:
                return escalation
        return None

    def _escalate(self, kind: str, id_: str, event: Event, timeout: Timeout | None = None) -> None:
        time = event.time if timeout is None else timeout.time
        name = event.key, kind, id_
        life = None if timeout is not None else self.orders.life_of.get(event)
        if self._find(name, time, life) is not None:
            return
        escalation = Escalation(
            kind=kind,
            event=event,
            time=time,
            shop=event.shop,
            order=event.order,
            item=self._item(event, time),
            counts=self._spans(event) if kind == "intervention" else True,
            logistics_linked=self._is_linked(event.order, time),
            life=life,
            known_until=time + self.policy.keep_escalation if timeout is None else timeout.forgotten_at,
        )
        waiting = [at for at in self._waiting[name] if time - at <= self.policy.keep_voiding]
        if waiting:
            escalation.voided_at = min(waiting)
        self._known[name].append(escalation)
        self.all.append(escalation)

    def _spans(self, event: Event) -> bool:
        """Whether an intervention counts; one that does begins a span in its conversation."""
        conversation = event.value.get("conversation_id")
        if conversation is None:
            return True
        counted = self._counted_at.get((event.key, conversation))
        if counted is not None and event.time - counted < self.policy.intervention_span:
            return False
        self._counted_at[event.key, conversation] = event.time
        return True

    def _void(self, event: Event) -> None:
        name = event.key, event.value["escalation"], event.value["escalation_id"]
        escalation = self._find(name, event.time, self.orders.life_of.get(event))
        if escalation is None:
            self._waiting[name].append(event.time)
        elif escalation.voided_at is None:
            escalation.voided_at = event.time
            if escalation.kind != "ticket_timeout":
                escalation.known_until = event.time + self.policy.keep_escalation

    def _item(self, event: Event, time: int) -> str | None:
        named: str | None = event.value.get("item_id")
        if named is not None or event.order is None:
            return named
        life = self.orders.known_at(event.order, time)
        return None if life is None else life.only_item(time)

    def _is_linked(self, order: str | None, time: int) -> bool:
        if order is None:
            return False
        life = self.orders.known_at(order, time)
        if life is not None and life.is_late_at(time, self.policy):
            return True
        return any(order in stall.orders and stall.start <= time < stall.end for stall in self.stalls)
