"""Stage 2: shipments, by carrier and tracking number.

Takes scans and registrations, and what is known of the carriers' feeds; gives alerts, links from orders to stalls,
stalls by facility, and scans by carrier and hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from schemas import events
from schemas.decode import KeyTooLarge
from streams.engine.due_keys import DueKeys
from streams.engine.errors import FatalError
from streams.engine.processor import BEGINNING, Horizon
from streams.engine.table import MemoryTable, Table
from streams.policy.model import Policy
from streams.rules.reconcile import OPEN, Expected, next_moment
from streams.rules.shipments import silence_alerts
from streams.rules.shipments.busy_numbers import MOST_OF_A_NUMBER
from streams.rules.shipments.parcel import Parcel, Registration, Use, over, uses
from streams.rules.shipments.scan_status import BITS, FIRST_TERMINAL, INFO_RECEIVED, RANK
from streams.stages import split_rows
from streams.stages.shipments import parcel_rows
from streams.stages.shipments.busy_parcels import Busy, BusyParcels
from streams.stages.shipments.carrier_feeds import FeedBook, ScanCounter
from streams.stages.shipments.parcel_judge import ParcelJudge
from streams.stages.shipments.parcel_rows import (
    AWAITED,
    BUSY,
    CALM,
    FINISHED,
    FORMAT,
    FORMATS,
    SPLIT,
    UNNUMBERED,
    USED_BEFORE,
    pack_header,
    pack_scan,
    unpack_header,
)
from streams.stages.shipments.scan_ties import TieBook
from streams.stages.shipments.spellings import Spellings
from streams.stages.shipments.string_table import Names

#: Parcels that are judged in one slice: some 50 ms.
SLICE = 1_000


class ShipmentBook:
    """The state of stage 2 for one partition, and its output since the last drain.

    A parcel is a row of `rows` (`streams.stages.shipments.parcel_rows`), decoded into a `Parcel` only if it must be
    judged.
    """

    def __init__(
        self, policy: Policy, feeds: FeedBook | None = None, twice: Counter[tuple[str, str]] | None = None
    ) -> None:
        """`twice` counts tracking numbers seen under two names of one carrier, by pair of names."""
        self.policy = policy
        self.spellings = Spellings(policy.carriers.canonical, twice)
        self.rows: Table = MemoryTable()
        self.names = Names()
        self.horizon = Horizon(BEGINNING)
        self.scan_counts = ScanCounter()
        self.feeds = feeds if feeds is not None else FeedBook(policy)
        self._says = ParcelJudge(policy, self.feeds, BEGINNING)
        self._busy = BusyParcels(policy, self._says)
        self.alerts, self.links, self.points = self._says.alerts, self._says.links, self._says.points
        #: Rows changed since the last collect; None for a deleted one.
        self.changed: dict[bytes, bytes | None] = {}
        self.ties = TieBook()
        self._prefixes: dict[str, bytes] = {}
        self._identities: dict[str, str] = {}
        self._looked_up: tuple[events.Scan | None, bytes, bytes | None] = None, b"", None
        #: Carriers whose feed has resumed, and their parcels still to be judged.
        self.returning: set[str] = set()
        self._again: list[bytes] = []
        #: Due parcels that wait for the feed watermark: rescheduled once it advances.
        self._waiting: list[tuple[int, bytes]] = []
        self._watermark = BEGINNING
        self._settled = BEGINNING
        self._shortest = policy.shipments.shortest
        #: The shortest silence in which any deadline can fall due.
        self._soonest = min(self._shortest + 1, *policy.shipments.not_collected.micros.values())
        self._keep = policy.shipments.keep
        self._due = DueKeys(self._due_of)

    # -- keys

    def key(self, carrier: str, tracking_no: str) -> bytes:
        """The key of a parcel's row."""
        prefix = self._prefixes.get(carrier)
        if prefix is None:
            number = self.names.number(self.spellings.identity(carrier))
            prefix = self._prefixes[carrier] = parcel_rows.PARCEL_LETTER + number.to_bytes(3)
            self.spellings.seen(carrier)
        return prefix + tracking_no.encode()

    def _identity(self, carrier: str) -> str:
        identity = self._identities[carrier] = self.spellings.identity(carrier)
        return identity

    def _note_others(self, carrier: str, tracking_no: str) -> None:
        """Counts a new parcel whose number is already known under another name of its carrier."""
        for other in self.spellings.others(carrier):
            if self.rows.get(self._prefixes[other] + tracking_no.encode()) is not None:
                self.spellings.note(carrier, other)

    def knows(self, event: events.Scan) -> bool:
        """True if the event's parcel has state. Caches the lookup for a `scan` call that follows."""
        prefix = self._prefixes.get(event.carrier)
        if prefix is None:
            return False
        key = prefix + event.tracking_no.encode()
        row = self.rows.get(key)
        self._looked_up = event, key, row
        return row is not None

    def parcel(self, carrier: str, tracking_no: str) -> Parcel | None:
        """The parcel's state, or None."""
        if carrier not in self._prefixes:
            return None
        key = self.key(carrier, tracking_no)
        busy = self._busy.get(key)
        return self._parcel(key) if busy is None else busy.parcel

    def _parcel(self, key: bytes) -> Parcel | None:
        row = self.rows.get(key)
        if row is None:
            return None
        carrier = self.names.text(int.from_bytes(key[1:4]))
        whole = parcel_rows.whole(self.rows, key, row)
        return parcel_rows.decoded(carrier, key[4:].decode(), whole, self.names)

    def _due_of(self, key: bytes) -> int | None:
        busy = self._busy.get(key)
        if busy is not None:
            return busy.parcel.due
        row = self.rows.get(key)
        return None if row is None else parcel_rows.due_of(row)

    # -- what comes in

    def scan(self, event: events.Scan, time: int, value: bytes) -> bool:
        """Takes one scan. False: a repeat, which changes nothing. Raises `KeyTooLarge`."""
        known, key, row = self._looked_up
        if known is not event:
            key = self.key(event.carrier, event.tracking_no)
            row = self.rows.get(key)
        rank = RANK[event.status]
        packed = time << BITS | rank
        facility = event.facility
        number = 0 if facility is None else self.names.numbers.get(facility) or self._number(facility)
        found = None
        identity = self._identities.get(event.carrier) or self._identity(event.carrier)
        if row is None:
            self._note_others(event.carrier, event.tracking_no)
        if number == UNNUMBERED or (identity != event.carrier and (row is None or time < unpack_header(row)[1])):
            # The slow path records the spelling of the first event.
            pass
        elif row is None:
            due = time + self._shortest + 1
            flags = CALM | FORMAT if rank < FIRST_TERMINAL else FINISHED | FORMAT
            found = pack_header(flags, time, due, 0) + pack_scan(packed, number)
            self._due.put(due, key)
        else:
            flags, last, due, size = unpack_header(row)
            if len(row) > BUSY or flags & SPLIT:
                pass
            elif flags & CALM:
                silent = time - last
                # The common case: nothing is open, and the silence is too short for any rule.
                if 0 < silent <= self._shortest:
                    limit = time + self._shortest + 1
                    if due > limit:
                        # The new status may have a shorter threshold than the scheduled one.
                        due = limit
                        self._due.put(due, key)
                    if rank >= FIRST_TERMINAL:
                        flags ^= CALM | FINISHED
                    found = parcel_rows.extended(row, flags, time, due, size, pack_scan(packed, number))
                elif silent < 0 and rank < FIRST_TERMINAL and time >= self._settled:
                    scan = pack_scan(packed, number)
                    found = parcel_rows.inserted(row, last, size, packed, scan, self._shortest)
            elif flags & AWAITED and time < due and 0 < time - last <= self._shortest and rank < FIRST_TERMINAL:
                # In time, whatever arrives in between: nothing is open, and nothing falls due before `due`.
                if rank != INFO_RECEIVED:
                    flags ^= AWAITED | CALM
                found = parcel_rows.extended(row, flags, time, due, size, pack_scan(packed, number))
        if found is not None:
            self.rows[key] = self.changed[key] = found
        elif not self._add(key, event, packed, value):
            return False
        self.ties.note(key, packed, event.event_id, value)
        self.scan_counts.scan(identity, time)
        return True

    def _number(self, facility: str) -> int:
        number = self.names.short(facility)
        return number if isinstance(number, int) else UNNUMBERED

    def _add(self, key: bytes, event: events.Scan, packed: int, value: bytes) -> bool:
        """Takes a scan that may change the outcome. False: a repeat."""
        busy = self._busy_of(key)
        if busy is not None:
            return self._add_to(busy, key, event, packed, value)
        parcel = self._parcel(key) or Parcel(self._identity(event.carrier), event.tracking_no)
        renamed = parcel.name(packed >> BITS, event.carrier)
        place = parcel.add_scan(packed, event.facility)
        if place is None or renamed:
            self._judge(key, parcel)
        elif packed >> BITS >= self._settled and not self.ties.holds_against(key, packed, event.event_id, value):
            # Of two unsettled scans with the same time and status, the one that sorts first holds.
            self.ties.note(key, packed, event.event_id, value)
            if parcel.facilities[place] != event.facility:
                parcel.facilities[place] = event.facility
                self._judge(key, parcel)
        return place is None

    def _add_to(self, busy: Busy, key: bytes, event: events.Scan, packed: int, value: bytes) -> bool:
        """`_add` for a busy parcel."""
        time, parcel = packed >> BITS, busy.parcel
        if busy.is_full and not parcel.has_scan(packed):
            raise KeyTooLarge(MOST_OF_A_NUMBER)
        renamed = parcel.name(time, event.carrier)
        plain = not renamed and self._busy.is_plain_scan(busy, packed)
        place = parcel.add_scan(packed, event.facility)
        if place is not None:
            if time < self._settled or self.ties.holds_against(key, packed, event.event_id, value):
                if not renamed:
                    return False
            else:
                self.ties.note(key, packed, event.event_id, value)
                if parcel.facilities[place] == event.facility and not renamed:
                    return False
                parcel.facilities[place] = event.facility
            plain = False
        if plain:
            self._note(key, busy, time)
        else:
            self._plan(key, parcel, self._busy.judge(key, busy, time))
        return place is None

    def _note(self, key: bytes, busy: Busy, time: int) -> None:
        """Notes an update of a busy parcel that has no effect until the shortest silence after it has passed."""
        if self._busy.seen(busy, time):
            self._plan(key, busy.parcel, [time + self._shortest + 1])

    def _busy_of(self, key: bytes) -> Busy | None:
        """The parcel of a key if it has a long history, else None."""
        busy = self._busy.get(key)
        if busy is None:
            row = self.rows.get(key)
            if row is not None and (len(row) > BUSY or row[0] & SPLIT):
                parcel = self._parcel(key)
                busy = None if parcel is None else self._busy.take(key, parcel)
                if self._busy.too_many():
                    self.fold()
        return busy

    def fold(self) -> None:
        """Writes changed busy parcels into rows."""
        for key, parcel in self._busy.changed():
            self._write(key, parcel)

    def _write(self, key: bytes, parcel: Parcel) -> None:
        """Writes a parcel into its row, split into pieces if it is too large for one."""
        row = self.rows.get(key)
        before = 0 if row is None else parcel_rows.pieces_of(row)
        head, pieces = parcel_rows.in_pieces(key, parcel_rows.encoded(parcel, self.names))
        if before or pieces:
            self.changed.update(split_rows.replace(self.rows, key, before, pieces))
        self.rows[key] = self.changed[key] = head

    def register(self, record: tuple[Any, ...]) -> None:
        """Takes a registration message from stage 1: shipped in this parcel, withdrawn, or placed."""
        what, carrier, tracking_no, *rest = record
        key = self.key(carrier, tracking_no)
        busy = self._busy_of(key)
        if busy is not None:
            self._register_in(busy, key, what, carrier, rest)
            return
        parcel = self._parcel(key)
        if what == "shipped":
            registration = Registration(*rest)
            if parcel is None:
                parcel = Parcel(self._identity(carrier), tracking_no)
                self._note_others(carrier, tracking_no)
                parcel.name(registration.time, carrier)
                if registration.time >= self._settled:
                    self._await(key, parcel, registration)
                    return
            renamed = parcel.name(registration.time, carrier)
            if not parcel.add_registration(registration) and not renamed:
                return
        elif parcel is None or not (parcel.place_order if what == "placed" else parcel.withdraw)(*rest):
            return
        self._judge(key, parcel)

    def _register_in(self, busy: Busy, key: bytes, what: str, carrier: str, rest: list[Any]) -> None:
        """`register` for a busy parcel. A full one takes no more orders."""
        parcel = busy.parcel
        time: int = rest[1] if what != "shipped" else rest[0]
        if what == "shipped":
            registration = Registration(*rest)
            renamed = not busy.is_full and parcel.name(time, carrier)
            plain = not renamed and self._busy.is_plain_registration(busy, registration)
            if busy.is_full or not (parcel.add_registration(registration) or renamed):
                return
            if plain:
                self._note(key, busy, time)
                return
        elif not (parcel.place_order if what == "placed" else parcel.withdraw)(*rest):
            return
        self._plan(key, parcel, self._busy.judge(key, busy, time))

    def _await(self, key: bytes, parcel: Parcel, registration: Registration) -> None:
        """Registers a new parcel: nothing falls due before the shortest threshold."""
        parcel.registrations.append(registration)
        parcel.last, parcel.awaited = registration.time, True
        parcel.due = registration.time + self._soonest
        self._due.put(parcel.due, key)
        self.rows[key] = self.changed[key] = parcel_rows.encoded(parcel, self.names)

    # -- the passing of time

    def advance(self, horizon: Horizon, known: Horizon, at_most: int = 1 << 62) -> bool:
        """Judges what is due up to the horizon; `known`: up to where the scans of all partitions are counted.

        True: stopped after `at_most` parcels, and more may be due.
        """
        if (horizon, known) != (self.horizon, self.feeds.horizon):
            ended = self.feeds.advance(known)
            self._move(horizon)
            self.returning |= ended
            for carrier in sorted(ended):
                self._again += self._says.held.pop(carrier, ())
            waiting, self._waiting = self._waiting, []
            for waits, key in waiting:
                self._due.put(waits, key)
        left = at_most
        for due in self._next(horizon.settled):
            if due is not None:
                self._look(due, horizon.settled)
            left -= 1
            if not left:
                return True
        return False

    def _next(self, settled: int) -> Iterator[bytes | None]:
        """Judges parcels whose carrier's feed has resumed (yields None for each), then yields the due keys."""
        while self._again:
            self._look_again(self._again.pop())
            yield None
        self.returning.clear()
        yield from self._due.pop(settled)

    def _look(self, key: bytes, settled: int) -> None:
        """Handles a due parcel: judges it, or reschedules it if its deadline has moved."""
        row = self.rows.get(key)
        if row is None:
            return
        if self._busy_of(key) is not None:
            self._look_again(key)
            return
        flags, last, _, _ = unpack_header(row)
        again = BEGINNING
        if not flags & USED_BEFORE:
            again = last + self._shortest + 1 if flags & CALM else last + self._keep if flags & FINISHED else BEGINNING
        if again >= settled:
            self._due.put(again, key)
            self.rows[key] = self.changed[key] = parcel_rows.postponed(row, again)
        else:
            self._look_again(key)

    def _look_again(self, key: bytes) -> None:
        """Judges a parcel unconditionally, and drops it if nothing is left."""
        busy = self._busy_of(key)
        parcel = self._parcel(key) if busy is None else busy.parcel
        if parcel is None:
            return
        parcel.due = None
        if busy is None:
            self._judge(key, parcel)
            return
        moments = self._busy.judge(key, busy)
        if busy.found:
            self._plan(key, parcel, moments)
        else:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        """Deletes a parcel and its pieces."""
        row = self.rows.pop(key, None)
        self._busy.drop(key)
        if row is not None:
            self.changed.update(split_rows.replace(self.rows, key, parcel_rows.pieces_of(row), {}))
        self.changed[key] = None

    def _move(self, horizon: Horizon) -> None:
        self.horizon = horizon
        # A deadline waits until its carrier's feed is known to have been silent or not.
        self._watermark = self._says.watermark = min(horizon.watermark, self.feeds.judged)
        self._settled = self._says.settled = horizon.settled
        self.ties.settle(horizon.settled)

    def rebuild(self, horizon: Horizon, returning: Iterable[str] = ()) -> int:
        """Resumes at that horizon from restored rows, names and ties, and rebuilds the due index.

        Returns the number of parcels with an open stall.
        """
        self._move(horizon)
        self.returning = set(returning)
        silent = {self.key(carrier, ""): carrier for carrier in self.feeds.silent()}
        back = {self.key(carrier, "") for carrier in returning}
        stalled = 0
        known: set[bytes] = set()
        for key, row in self.rows.items():
            if split_rows.is_piece(key):
                continue
            if row[0] & FORMATS != FORMAT:
                raise FatalError("the state holds rows of a format that this version does not know", 1)
            if key[:4] not in known:
                known.add(key[:4])
                self.key(self.names.text(int.from_bytes(key[1:4])), "")
            due = parcel_rows.due_of(row)
            if due is not None:
                self._due.put(due, key)
            stalled += parcel_rows.is_stalled(row)
            if silent and (carrier := silent.get(key[:4])) is not None:
                self._says.held.setdefault(carrier, set()).add(key)
            if back and key[:4] in back:
                self._again.append(key)
        return stalled

    # -- what follows

    def _judge(self, key: bytes, parcel: Parcel) -> None:
        rules = self.policy.shipments
        parcel.finished = False
        found = uses(parcel, rules.given_up, rules.keep)
        expected, held = self._says.say(key, parcel, found)
        watermark = self._watermark
        moments = [next_moment(expected, watermark, self._settled)]
        kept: list[Use] = []
        for use in found:
            end = over(use, rules.given_up, rules.keep)
            # Oldest first: a later use is only recognised next to the one before it.
            if end < watermark and not kept:
                parcel.forget(use)
                continue
            kept.append(use)
            if end >= watermark:
                moments.append(end)
        if not kept:
            self._drop(key)
            return
        use = kept[-1]
        parcel.last = use.last
        uncollected = bool(use.registrations) and use.collected is None
        quiet = (
            not held and over(use, rules.given_up, rules.keep) >= watermark and self._is_quiet(parcel, use, expected)
        )
        parcel.calm, parcel.awaited = quiet and not uncollected, quiet and uncollected
        parcel.used_before = len(kept) > 1
        self._plan(key, parcel, moments)
        self._write(key, parcel)

    def _plan(self, key: bytes, parcel: Parcel, moments: Iterable[int | None]) -> None:
        """Schedules the parcel at the earliest of these moments, unless it is due sooner."""
        moment = min((moment for moment in moments if moment is not None), default=None)
        if moment is not None and (parcel.due is None or moment < parcel.due):
            # An early entry finds nothing and reschedules itself: cheaper than removing it.
            parcel.due = moment
            if moment < self._settled:
                self._waiting.append((moment, key))
            else:
                self._due.put(moment, key)

    def _is_quiet(self, parcel: Parcel, use: Use, expected: list[Expected]) -> bool:
        """True if the use goes on, nothing is open, and only the next silence can raise an alert."""
        if use.ended is not None or any(sent.state == OPEN for sent in parcel.emitted):
            return False
        awaited = use.registrations[0].time if use.registrations and use.collected is None else None
        others = [
            one for one in expected if one.anchor != (awaited if one.type == silence_alerts.NOT_COLLECTED else use.last)
        ]
        return next_moment(others, self._watermark, self._settled) is None
