"""Keeps the stages' state about the subject beyond its expiry.

A story may end long after its state has expired, so every addition to the state is copied while the events are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from streams.explain.subject import Parcel as ParcelKey
from streams.explain.subject import Scope
from streams.rules.cases.case import Case
from streams.rules.conversations.replies import Conversation
from streams.rules.shipments.carrier_feeds import Feed
from streams.rules.shipments.parcel import Parcel
from streams.stages.single_reader import SingleReader

_Held = TypeVar("_Held")


class Kept(msgspec.Struct):
    """The cases by record key (one for each life, where a case is forgotten and comes again), parcels and feeds."""

    cases: dict[str, list[Case]] = msgspec.field(default_factory=dict)
    parcels: dict[ParcelKey, Parcel] = msgspec.field(default_factory=dict)
    feeds: dict[str, Feed] = msgspec.field(default_factory=dict)

    def look(self, reader: SingleReader, scope: Scope) -> None:
        """Takes over what is known now of all that the scope watches."""
        for key in scope.keys:
            self.case(reader, key)
        for parcel in scope.parcels:
            self.parcel(reader, parcel)
        for carrier in {carrier for carrier, _ in scope.parcels}:
            self._feed(reader, carrier)

    def case(self, reader: SingleReader, key: str) -> None:
        """Takes over what is known now under a record key."""
        real = reader.orders.cases.get(key)
        if real is None:
            return
        lives = self.cases.setdefault(key, [])
        if not lives or lives[-1].order is not real.order:
            lives.append(Case(key, order=real.order))
        life, earlier = lives[-1], lives[:-1]
        _add(life.tickets, real.tickets, [one.tickets for one in earlier])
        _add(life.disputes, real.disputes, [one.disputes for one in earlier])
        _add(life.complaints, real.complaints, [one.complaints for one in earlier])
        _add(life.requests, real.requests, [one.requests for one in earlier])
        _add(life.messages, real.messages, [one.messages for one in earlier])
        _add(life.refunds, real.refunds, [one.refunds for one in earlier])
        life.voidings.update(real.voidings)
        life.stalls.update(real.stalls)
        for name, conversation in real.conversations.items():
            mine = life.conversations.setdefault(name, Conversation())
            mine.answered = conversation.answered
            known = {message.place for message in mine.messages}
            mine.messages += [message for message in conversation.messages if message.place not in known]
            mine.messages.sort(key=lambda message: message.place)

    def parcel(self, reader: SingleReader, key: ParcelKey) -> None:
        """Takes over what is known now of a parcel."""
        real = reader.shipments.parcel(*key)
        if real is None:
            return
        mine = self.parcels.setdefault(key, Parcel(*key))
        for packed, facility in zip(real.scans, real.facilities, strict=True):
            province = real.delivered_in.get(packed)
            place = mine.add_scan(packed, facility, province)
            if place is not None:
                mine.tell_otherwise(place, facility, province)
        for one in real.registrations:
            if not mine.add_registration(one):
                mine.tell_of_order(one.order_id, *one.sort_key, one.placed, one.ship_to_region, one.paid)

    def _feed(self, reader: SingleReader, carrier: str) -> None:
        real = reader.feeds.feeds.get(carrier)
        if real is None:
            return
        mine = self.feeds.setdefault(carrier, Feed(carrier))
        known = {silent.start for silent in mine.silences}
        mine.silences += [silent for silent in real.silences if silent.start not in known]


def _add(mine: dict[str, _Held], real: Mapping[str, _Held], earlier: list[dict[str, _Held]]) -> None:
    """What belonged to an earlier life is not told again."""
    mine |= {name: known for name, known in real.items() if not any(one.get(name) is known for one in earlier)}
