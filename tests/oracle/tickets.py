"""Tickets: a clock that stands still while it waits for the buyer, its alerts and its time-outs."""

from collections import defaultdict
from dataclasses import dataclass

from tests.oracle.policy import OraclePolicy
from tests.oracle.timeline import Event, OracleAlert, episode


@dataclass
class Ticket:
    """What is known of a ticket from the first event that names it until it is forgotten."""

    key: str
    ticket_id: str
    last: int
    opened: Event | None = None
    responded: Event | None = None
    paused: bool = False
    # (start, end) of each stretch in which the clock ran; the last may have no end.
    running: tuple[tuple[int, int | None], ...] = ()

    def read(self, event: Event) -> None:
        """Takes the ticket's next event; one that changes nothing does not keep it longer."""
        match event.type:
            case "ticket.opened" if self.opened is None:
                self.opened = event
                if not self.paused:
                    self._run(event.time)
            case "ticket.responded" if self.responded is None:
                self.responded = event
            case "ticket.paused" if not self.paused:
                self.paused = True
                if self.opened is not None:
                    start, _ = self.running[-1]
                    self.running = (*self.running[:-1], (start, event.time))
            case "ticket.resumed" if self.paused:
                self.paused = False
                if self.opened is not None:
                    self._run(event.time)
            case _:
                return
        self.last = event.time

    def _run(self, start: int) -> None:
        self.running = (*self.running, (start, None))

    def used_up(self, allowance: int) -> int | None:
        """When the clock has run for so long; never at an instant as of which it stands still."""
        for start, end in self.running:
            if end is None or start + allowance < end:
                return start + allowance
            allowance -= end - start
        return None

    def deadlines(self, policy: OraclePolicy) -> dict[str, int]:
        """When `ticket.due_soon` and `ticket.timed_out` fall due and the ticket is not answered by then."""
        if self.opened is None:
            return {}
        respond_by = self.opened.moment("respond_by")
        if respond_by is None:
            respond_by = self.opened.time + policy.respond_within[self.opened.value["kind"]]
        allowance = max(0, respond_by - self.opened.time)
        due = {
            "ticket.due_soon": self.used_up(allowance * 3 // 4),
            "ticket.timed_out": self.used_up(allowance),
        }
        return {
            type_: at
            for type_, at in due.items()
            if at is not None
            and (self.responded is None or self.responded.time > at)
            and at <= self.forgotten_at(policy)
        }

    def forgotten_at(self, policy: OraclePolicy) -> int:
        """The last instant at which the ticket is known."""
        return self.last + policy.keep_ticket


@dataclass(frozen=True)
class Timeout:
    """A ticket that timed out: an escalation at `time`, known until `forgotten_at`."""

    time: int
    opened: Event
    forgotten_at: int


class Tickets:
    """All tickets (each of its lives), their alerts and the time-outs before `until`."""

    def __init__(self, events: list[Event], policy: OraclePolicy, until: int) -> None:
        tickets: dict[tuple[str, str], list[Ticket]] = defaultdict(list)
        for event in events:
            if event.type.startswith("ticket."):
                name = event.key, str(event.value["ticket_id"])
                lives = tickets[name]
                if not lives or event.time > lives[-1].forgotten_at(policy):
                    lives.append(Ticket(*name, last=event.time))
                lives[-1].read(event)
        self.alerts: list[OracleAlert] = []
        self.timeouts: list[Timeout] = []
        self.all = [ticket for lives in tickets.values() for ticket in lives]
        for ticket in self.all:
            self._judge(ticket, policy, until)

    def _judge(self, ticket: Ticket, policy: OraclePolicy, until: int) -> None:
        for type_, due in ticket.deadlines(policy).items():
            if due >= until or ticket.opened is None:
                continue
            self.alerts += episode(
                topics=("merchant",),
                type_=type_,
                subject=ticket.ticket_id,
                raised_at=due,
                resolved=None if ticket.responded is None else (ticket.responded.time, "responded"),
                shop=ticket.opened.shop,
                order=ticket.opened.order,
            )
            if type_ == "ticket.timed_out":
                self.timeouts.append(Timeout(due, ticket.opened, ticket.forgotten_at(policy)))
