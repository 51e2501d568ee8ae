"""Finds what a name stands for in an input, and what to watch to tell its story."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import msgspec

from schemas import events, json_text
from schemas.decode import Invalid, decode
from schemas.events import record_key
from streams.carriers import canonical, same
from streams.explain.facts import Name
from streams.policy.model import Policy
from streams.replay.reading import Line

SHIPMENT, ORDER, TICKET, CONVERSATION, SHOP = "shipment", "order", "ticket", "conversation", "shop"
KINDS = (SHIPMENT, ORDER, TICKET, CONVERSATION, SHOP)
Parcel = tuple[str, str]

_IDS = ("tracking_no", "order_id", "ticket_id", "conversation_id", "shop_id")


class Unreadable(msgspec.Struct, frozen=True):
    """A line that names the subject and is a dead letter. `line`: 1-based, in its file, or else an offset.

    `file`: that of the line, where there are several inputs.
    """

    topic: str
    line: int
    error_code: str
    error_detail: str
    partition: int | None = None
    file: str | None = None

    @property
    def where(self) -> str:
        """For an error's line."""
        return (
            f"{self.file or self.topic}, line {self.line}"
            if self.partition is None
            else f"{self.topic}-{self.partition}, offset {self.line}"
        )

    def told(self) -> dict[str, object]:
        """As JSON has it."""
        error = {"error_code": self.error_code, "error_detail": self.error_detail}
        return {"topic": self.topic, **place(self.line, self.partition, self.file), **error}


def place(line: int, partition: int | None, file: str | None) -> dict[str, int | str]:
    """Where a line or a record is, as JSON has it; the file only where there are several inputs."""
    if partition is not None:
        return {"partition": partition, "offset": line}
    return {"line": line} if file is None else {"file": file, "line": line}


class Scope(msgspec.Struct):
    """What the subject names, and what that is joined to.

    `parcels`: (carrier, tracking number). `keys`: record keys of `orders` and `chats`.
    """

    subject: str
    kinds: set[str] = msgspec.field(default_factory=set)
    carriers: set[str] = msgspec.field(default_factory=set)
    parcels: set[Parcel] = msgspec.field(default_factory=set)
    keys: set[str] = msgspec.field(default_factory=set)
    unreadable: list[Unreadable] = msgspec.field(default_factory=list)

    @property
    def names(self) -> list[Name]:
        """One for each story to tell, in the order of KINDS."""
        found = [Name(SHIPMENT, self.subject, carrier) for carrier in sorted(self.carriers) if SHIPMENT in self.kinds]
        return found + [Name(kind, self.subject) for kind in KINDS[1:] if kind in self.kinds]

    @property
    def one_carrier(self) -> tuple[str, str] | None:
        """Two names of one carrier under which the subject came, where there are any."""
        names = sorted(self.carriers)
        return next(((one, other) for one, other in combinations(names, 2) if same(one, other)), None)

    def note(self, event: events.AnyEvent) -> None:
        """Takes what the event says of the subject."""
        if isinstance(event, events.Scan):
            if event.tracking_no == self.subject:
                self._parcel(event.carrier)
            return
        if event.shop_id == self.subject:
            self.kinds.add(SHOP)
        if event.order_id == self.subject:
            self._under(event, ORDER)
        if isinstance(event, events.OrderShipped):
            if event.tracking_no == self.subject:
                self._parcel(event.carrier)
                self.keys.add(event.order_id)
            if event.order_id == self.subject:
                self.parcels.add((event.carrier, event.tracking_no))
        if ticket_of(event) == self.subject:
            self._under(event, TICKET)
        if getattr(event, "conversation_id", None) == self.subject:
            self._under(event, CONVERSATION)

    def _parcel(self, carrier: str) -> None:
        self.kinds.add(SHIPMENT)
        self.carriers.add(carrier)
        self.parcels.add((carrier, self.subject))

    def _under(self, event: events.AnyEvent, kind: str) -> None:
        self.kinds.add(kind)
        self.keys.add(record_key(event))


def ticket_of(event: events.AnyEvent) -> str | None:
    """The ticket that an event is about: its own, or the one whose timeout it takes back."""
    if isinstance(event, events.OrderEscalationVoided | events.ChatEscalationVoided):
        return event.escalation_id if event.escalation == "ticket_timeout" else None
    return getattr(event, "ticket_id", None)


def unified(event: events.AnyEvent, policy: Policy) -> events.AnyEvent:
    """The event, with our name of its carrier where the policy takes all names of a carrier for one."""
    if policy.carriers.canonical and isinstance(event, events.Scan | events.OrderShipped):
        return msgspec.structs.replace(event, carrier=canonical(event.carrier))
    return event


def scope_of(subject: str, lines: Iterable[Line], policy: Policy) -> Scope:
    """Looks through the whole input for the subject."""
    scope = Scope(subject)
    needle = msgspec.json.encode(subject)
    for line in lines:
        topic, value = line.topic, line.value
        # A string that is written with escapes may be the subject too.
        if topic is None or value is None or (needle not in value and b"\\" not in value):
            continue
        try:
            if line.reason is not None:
                raise Invalid(line.reason, line.detail)
            event, _ = decode(topic, value)
        except Invalid as invalid:
            if _mentions(value, subject, needle):
                reason = str(invalid.reason)
                found = Unreadable(topic, line.number, reason, invalid.detail, line.partition, line.file)
                scope.unreadable.append(found)
            continue
        scope.note(unified(event, policy))
    return scope


def _mentions(value: bytes, subject: str, needle: bytes) -> bool:
    try:
        told = json_text.read(value.decode()).value
    except ValueError:
        return needle in value
    return isinstance(told, dict) and any(told.get(field) == subject for field in _IDS)
