"""Stage 2: shipments, by carrier and tracking number.

Takes scans and registrations, and what is known of the carriers' feeds; gives alerts, links from orders to stalls,
stalls by facility, and scans by carrier and hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import Any

from schemas import events
from schemas.decode import KeyTooLarge
from streams.engine.due_keys import DueIndex, DueKeys
from streams.engine.processor import BEGINNING, Horizon
from streams.engine.table import MemoryTable, Table
from streams.policy.model import Policy
from streams.rules.reconcile import OPEN, Expected, next_moment
from streams.rules.shipments.busy_numbers import MOST_OF_A_NUMBER
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.promises import DELIVERY_LATE, until_delivered
from streams.rules.shipments.routes import is_province
from streams.rules.shipments.scan_status import BITS, DELIVERED, FIRST_TERMINAL, INFO_RECEIVED, RANK, TELLING
from streams.rules.shipments.silence_alerts import NOT_COLLECTED, SLOW, STALLED
from streams.rules.shipments.suspicious import NUMBER_REUSED, is_on, keys_of
from streams.rules.shipments.uses import Use, only_use, over, uses
from streams.stages import split_rows
from streams.stages.shipments import parcel_rows
from streams.stages.shipments.busy_parcels import Busy, BusyParcels
from streams.stages.shipments.carrier_feeds import FeedBook, ScanCounter
from streams.stages.shipments.parcel_judge import ParcelJudge
from streams.stages.shipments.parcel_rows import (
    AWAITED,
    BUSY,
    CALM,
    FORMAT,
    FORMER,
    PROMISED,
    SCAN_SIZE,
    SPLIT,
    UNNUMBERED,
    USED_BEFORE,
    pack_header,
    pack_scan,
    unpack_header,
)
from streams.stages.shipments.scan_ties import TieBook, Ties
from streams.stages.shipments.spellings import Spellings
from streams.stages.shipments.string_table import Names

#: Scans that may raise an alert by themselves.
_TELLING = TELLING | {DELIVERED}
#: Flags of a row that holds a promise are no smaller.
_PROMISED = FORMAT | PROMISED
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
        self._busy_by_key = self._busy.by_key
        self.alerts, self.links, self.points = self._says.alerts, self._says.links, self._says.points
        self.told = self._says.told
        #: Rows changed since the last collect; None for a deleted one.
        self.changed: dict[bytes, bytes | None] = {}
        self.ties: Ties = TieBook()
        self._prefixes: dict[str, bytes] = {}
        #: How many names of carriers are known.
        self.carriers = 0
        self._identities: dict[str, str] = {}
        self._looked_up: tuple[events.Scan | None, bytes, bytes | None] = None, b"", None
        #: Carriers whose feed has resumed, and their parcels still to be judged.
        self.returning: set[str] = set()
        self._again: list[bytes] = []
        #: Due parcels that wait for the feed watermark: rescheduled once it advances.
        self._waiting: list[tuple[int, bytes]] = []
        #: A heap of those that wait for nothing else: rescheduled once it has passed their moment.
        self._quiet: list[tuple[int, bytes]] = []
        self._watermark = BEGINNING
        self._settled = BEGINNING
        self._shortest = policy.shipments.shortest
        #: The shortest silence in which any deadline can fall due.
        self._soonest = min(self._shortest + 1, *policy.shipments.not_collected.micros.values())
        self._keep = policy.shipments.keep
        #: Row size in bytes up to which one more scan is added to a row as it is.
        self.full = max(BUSY - SCAN_SIZE, 0)
        self._due: DueIndex = DueKeys(self._due_of)

    # -- keys

    def key(self, carrier: str, tracking_no: str) -> bytes:
        """The key of a parcel's row."""
        prefix = self._prefixes.get(carrier)
        if prefix is None:
            number = self.names.carrier(self.spellings.identity(carrier))
            self.carriers += 1
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
        # Asked of every entry of the due index, once and again.
        if self._busy_by_key and key in self._busy_by_key:
            return self._busy_by_key[key].parcel.due
        row = self.rows.get(key)
        return None if row is None else parcel_rows.due_of(row)

    # -- what the native path needs to know

    def carrier_of(self, carrier: str) -> tuple[bytes, bool] | None:
        """What a carrier's row keys begin with, and whether it is known by no other name; None: take its scan first."""
        prefix = self._prefixes.get(carrier)
        if prefix is None or self._identities.get(carrier) != carrier:
            return None
        return prefix, not any(self.spellings.others(carrier))

    def number_of(self, facility: str) -> int | None:
        """The number of a facility; None: take a scan there first."""
        return self.names.numbers.get(facility)

    def place_of(self, facility: str | None, region: str | None) -> tuple[int | None, bool]:
        """The number of the place of a delivery, and whether its region is a province. None: take its scan first."""
        known = is_province(region)
        place = parcel_rows.joined_place(facility, region if known else None)
        return (0 if place is None else self.names.numbers.get(place)), known

    def tells(self, row: bytes, province: str) -> bool:
        """Whether a delivery in a province may raise an alert of itself for a parcel with that row."""
        return parcel_rows.may_tell(row, DELIVERED, province, self.names)

    def index_by(self, make: Callable[[Callable[[bytes], int | None], Mapping[bytes, Busy]], DueIndex]) -> None:
        """Uses another due index from now on, before anything is in it.

        `make` is given what tells when a parcel is due, and those for which that is not what their rows say.
        """
        self._due = make(self._due_of, self._busy_by_key)

    @property
    def settled(self) -> int:
        """Scans before this are settled (microseconds)."""
        return self._settled

    # -- what comes in

    def scan(self, event: events.Scan, time: int, value: bytes) -> bool:
        """Takes one scan. False: a repeat, which changes nothing. Raises `KeyTooLarge`."""
        known, key, row = self._looked_up
        if known is not event:
            key = self.key(event.carrier, event.tracking_no)
            row = self.rows.get(key)
        rank = RANK[event.status]
        packed = time << BITS | rank
        place, telling, region = event.facility, rank in _TELLING, None
        if rank == DELIVERED:
            region = event.region if is_province(event.region) else None
            place = parcel_rows.joined_place(place, region)
        number = 0 if place is None else self.names.numbers.get(place) or self._number(place)
        found = None
        identity = self._identities.get(event.carrier) or self._identity(event.carrier)
        if row is None:
            self._note_others(event.carrier, event.tracking_no)
        if number == UNNUMBERED or (identity != event.carrier and (row is None or time < unpack_header(row)[1])):
            # The slow path records the spelling of the first event.
            pass
        elif row is None:
            if rank < FIRST_TERMINAL:
                flags, due = CALM | FORMAT, time + self._shortest + 1
            else:
                flags, due = FORMAT, time + self._keep
            found = pack_header(flags, time, due, 0) + pack_scan(packed, number)
            self._due.put(due, key)
        else:
            flags, last, due, size = unpack_header(row)
            if (
                len(row) > self.full
                or flags < FORMER
                or flags & (SPLIT | USED_BEFORE)
                or (telling and parcel_rows.may_tell(row, rank, region, self.names))
                or (flags >= _PROMISED and rank >= FIRST_TERMINAL)
            ):
                pass
            elif flags & CALM:
                silent = time - last
                # The common case: nothing is open, and the silence is too short for any rule.
                if 0 < silent <= self._shortest:
                    before = due
                    if rank < FIRST_TERMINAL:
                        due = time + self._shortest + 1
                    else:
                        flags, due = flags ^ CALM, time + self._keep
                    if flags >= _PROMISED:
                        due = min(due, parcel_rows.promised(row) or due)
                    if due < before:
                        self._due.put(due, key)
                    found = parcel_rows.extended(row, flags, time, due, size, pack_scan(packed, number))
                elif silent < 0 and rank < FIRST_TERMINAL and time >= self._settled:
                    scan = pack_scan(packed, number)
                    found = parcel_rows.inserted(row, last, size, packed, scan, self._shortest)
            elif flags & AWAITED and time < due and 0 < time - last <= self._shortest and rank < FIRST_TERMINAL:
                # In time, whatever arrives in between: nothing is open, and nothing falls due before `due`.
                before = due
                if rank != INFO_RECEIVED:
                    flags, due = flags ^ (AWAITED | CALM), time + self._shortest + 1
                    if flags >= _PROMISED:
                        due = min(due, parcel_rows.promised(row) or due)
                if due < before:
                    self._due.put(due, key)
                # Still awaited, it may wait for the end of this silence, which then moves.
                if rank != INFO_RECEIVED or due <= last + self._shortest:
                    found = parcel_rows.extended(row, flags, time, due, size, pack_scan(packed, number))
            if (
                found is None
                and not telling
                and FORMER <= flags < _PROMISED
                and len(row) <= self.full
                and not flags & SPLIT
                and last < time >= self._settled
                and parcel_rows.ends_before(row, size, time)
            ):
                # It has no effect before it is settled, and is judged then, with what else has come by then.
                flags &= ~(CALM | AWAITED)
                if time < due:
                    due = time
                    self._due.put(due, key)
                found = parcel_rows.extended(row, flags, last, due, size, pack_scan(packed, number))
        if found is not None:
            self.rows[key] = self.changed[key] = found
        elif not self._add(key, event, packed, region, value):
            return False
        self.ties.note(key, packed, event.event_id, value)
        self.scan_counts.scan(identity, time)
        return True

    def _number(self, facility: str) -> int:
        number = self.names.short(facility)
        return number if isinstance(number, int) else UNNUMBERED

    def _add(self, key: bytes, event: events.Scan, packed: int, region: str | None, value: bytes) -> bool:
        """Takes a scan that may change the outcome. False: a repeat. `region`: that of a `delivered` scan."""
        busy = self._busy_of(key)
        if busy is not None:
            return self._add_to(busy, key, event, packed, region, value)
        parcel = self._parcel(key) or Parcel(self._identity(event.carrier), event.tracking_no)
        renamed = parcel.name(packed >> BITS, event.carrier)
        place = parcel.add_scan(packed, event.facility, region)
        if place is None or renamed:
            self._judge(key, parcel)
        elif packed >> BITS >= self._settled and not self.ties.holds_against(key, packed, event.event_id, value):
            # Of two unsettled scans with the same time and status, the one that sorts first holds.
            self.ties.note(key, packed, event.event_id, value)
            if parcel.tell_otherwise(place, event.facility, region):
                self._judge(key, parcel)
        return place is None

    def _add_to(
        self, busy: Busy, key: bytes, event: events.Scan, packed: int, region: str | None, value: bytes
    ) -> bool:
        """`_add` for a busy parcel."""
        time, parcel = packed >> BITS, busy.parcel
        if busy.is_full and not parcel.has_scan(packed):
            raise KeyTooLarge(MOST_OF_A_NUMBER)
        renamed = parcel.name(time, event.carrier)
        plain = not renamed and self._busy.is_plain_scan(busy, packed)
        place = parcel.add_scan(packed, event.facility, region)
        if place is not None:
            if time < self._settled or self.ties.holds_against(key, packed, event.event_id, value):
                if not renamed:
                    return False
            else:
                self.ties.note(key, packed, event.event_id, value)
                if not parcel.tell_otherwise(place, event.facility, region) and not renamed:
                    return False
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
                if parcel is not None:
                    busy = self._busy.take(key, parcel)
                    self._plan(key, parcel, self._busy.moments(key, busy))
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
                if registration.time >= self._settled and not self._may_be_collected_unpaid(
                    registration, registration.time
                ):
                    self._await(key, parcel, registration)
                    return
            renamed = parcel.name(registration.time, carrier)
            if not parcel.add_registration(registration) and not renamed:
                return
        elif parcel is None or not (parcel.tell_of_order if what == "placed" else parcel.withdraw)(*rest):
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
        elif not (parcel.tell_of_order if what == "placed" else parcel.withdraw)(*rest):
            return
        self._plan(key, parcel, self._busy.judge(key, busy, time))

    def _await(self, key: bytes, parcel: Parcel, registration: Registration) -> None:
        """Registers a new parcel: nothing falls due before the shortest threshold."""
        parcel.registrations.append(registration)
        parcel.last, parcel.awaited = registration.time, True
        parcel.due = registration.time + self._soonest
        if registration.deliver_by is not None:
            parcel.due_by = max(registration.deliver_by, registration.time)
            parcel.due = min(parcel.due, parcel.due_by)
        self._due.put(parcel.due, key)
        self._write(key, parcel)

    def _may_be_collected_unpaid(self, first: Registration, after: int) -> bool:
        """True if a first collecting scan after that time could come suspiciously long before the order is paid."""
        return first.paid is not None and first.paid - self.policy.suspicious.paid_slack.micros > after

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
            while self._quiet and self._quiet[0][0] < self._watermark:
                self._due.put(*heappop(self._quiet))
        left = at_most
        for due in self._next(horizon.settled):
            if due is not None and not self._waits(due):
                self._look_again(due)
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

    def _waits(self, key: bytes) -> bool:
        """Defers a due parcel of which only deadlines can come, none of them before the feed watermark.

        While the feeds are behind, as in catching up, it would else be judged after every batch, to no effect.
        """
        row = self.rows.get(key) if key not in self._busy_by_key else None
        moment = None if row is None else parcel_rows.quiet_until(row)
        if moment is None or moment < self._watermark:
            return False
        heappush(self._quiet, (moment, key))
        return True

    def _look_again(self, key: bytes) -> None:
        """Judges a parcel whose entry is taken out of the due index, and drops it if nothing is left."""
        busy = self._busy_of(key)
        if busy is None and self._judge_plain(key):
            return
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

    @property
    def due_bytes(self) -> int:
        """The size of the due index."""
        return self._due.size

    def rebuild(self, horizon: Horizon, returning: Iterable[str] = ()) -> None:
        """Resumes at that horizon from restored rows, names and ties, and rebuilds the due index."""
        self._move(horizon)
        self.returning = set(returning)
        silent = {self.key(carrier, ""): carrier for carrier in self.feeds.silent()}
        back = {self.key(carrier, "") for carrier in returning}
        known: set[bytes] = set()
        for key, row in self.rows.items():
            if split_rows.is_piece(key):
                continue
            if key[:4] not in known:
                known.add(key[:4])
                self.key(self.names.text(int.from_bytes(key[1:4])), "")
            due = parcel_rows.due_of(row)
            if due is not None:
                self._due.put(due, key)
            if silent and (carrier := silent.get(key[:4])) is not None:
                self._says.held.setdefault(carrier, set()).add(key)
            if back and key[:4] in back:
                self._again.append(key)

    def told_of(self) -> Iterator[Parcel]:
        """The parcels of which more is known than scans: alerts, orders. Nothing may be changed meanwhile."""
        for key, row in self.rows.items():
            if not split_rows.is_piece(key) and (row[0] & SPLIT or unpack_header(row)[3]):
                parcel = self._parcel(key)
                if parcel is not None:
                    yield parcel

    # -- what follows

    def _judge(self, key: bytes, parcel: Parcel) -> None:
        rules = self.policy.shipments
        found = uses(parcel, rules)
        expected, held = self._says.say(key, parcel, found)
        watermark = self._watermark
        moments = [next_moment(expected, watermark, self._settled)]
        kept: list[Use] = []
        for use in found:
            end = over(use, rules)
            # Oldest first: a later use is only recognised next to the one before it.
            if end < watermark and not kept:
                parcel.forget(use, keys_of(parcel, use, self.policy))
                continue
            kept.append(use)
            if end >= watermark:
                moments.append(end)
        if not kept:
            self._drop(key)
            return
        parcel.used_before = len(kept) > 1
        self._wait(key, parcel, kept[-1], expected, moments, held=held)
        self._write(key, parcel)

    def _judge_plain(self, key: bytes) -> bool:
        """`_judge` for a parcel looked at again, if it is a plain one: its scans stay as they are. Else False."""
        row = self.rows.get(key)
        if row is None:
            return False
        plain = parcel_rows.plain_parcel(self.names.text(int.from_bytes(key[1:4])), key[4:].decode(), row, self.names)
        rules = self.policy.shipments
        use = only_use(plain.scans, plain.facility, rules) if plain is not None else None
        if plain is None or use is None:
            return False
        parcel = plain.parcel
        parcel.due = None
        before = len(self.alerts)
        expected, held = self._says.say(key, parcel, [use])
        end = over(use, rules)
        if end < self._watermark:
            self._drop(key)
            return True
        self._wait(key, parcel, use, expected, [next_moment(expected, self._watermark, self._settled), end], held=held)
        self.rows[key] = self.changed[key] = plain.row(told=len(self.alerts) > before)
        return True

    def _wait(
        self,
        key: bytes,
        parcel: Parcel,
        use: Use,
        expected: list[Expected],
        moments: list[int | None],
        *,
        held: bool,
    ) -> None:
        """Notes what a judged parcel waits for: its last use, and these moments."""
        rules, watermark = self.policy.shipments, self._watermark
        parcel.last = use.last
        uncollected = bool(use.registrations) and use.collected is None
        #: Nothing of this silence can fall due sooner. The scans that follow in time are taken without a judgement,
        #: which alone would tell more.
        soonest = use.registrations[0].time + self._soonest if uncollected else use.last + self._shortest + 1
        # A deadline still to come is not held yet: whether it falls into a silent feed is told when it comes.
        quiet = not (held and soonest < watermark) and over(use, rules) >= watermark
        quiet = quiet and self._is_quiet(parcel, use, expected)
        promise = until_delivered(use, self.policy) if use.registrations and use.ended is None else None
        # What is promised for later than the giving up may be due yet, as updates put that off.
        parcel.due_by = promise.due if promise is not None else None
        if parcel.due_by is not None:
            quiet = quiet and parcel.due_by >= watermark
            moments.append(parcel.due_by if quiet else None)
        parcel.calm, parcel.awaited = quiet and not uncollected, quiet and uncollected
        if quiet and soonest >= watermark:
            moments.append(soonest)
        entry, parcel.due = parcel.due, None
        self._plan(key, parcel, moments, entry)

    def _plan(self, key: bytes, parcel: Parcel, moments: Iterable[int | None], entry: int | None = None) -> None:
        """Schedules the parcel at the earliest of these moments, unless it is due sooner.

        `entry`: where the due index has it, if it may be due later than that.
        """
        moment = min((moment for moment in moments if moment is not None), default=None)
        if moment is None or (parcel.due is not None and parcel.due <= moment):
            return
        parcel.due = moment
        quiet = parcel.calm or parcel.awaited
        if entry is not None and entry <= moment and (quiet or entry >= self._settled):
            # An early entry moves to where it belongs when its hour comes: cheaper than removing it. One that waits for
            # the feeds alone is not there for what is no deadline.
            return
        if moment < self._settled and quiet:
            heappush(self._quiet, (moment, key))
        elif moment < self._settled:
            self._waiting.append((moment, key))
        else:
            self._due.put(moment, key)

    def _is_quiet(self, parcel: Parcel, use: Use, expected: list[Expected]) -> bool:
        """True if the use goes on, nothing is open, and only the next silence or its promise can raise an alert."""
        # Nothing that comes next ends or disproves that a number was used again.
        if use.ended is not None or any(
            sent.state == OPEN and not is_on(sent, NUMBER_REUSED) for sent in parcel.emitted
        ):
            return False
        first = use.registrations[0] if use.registrations and use.collected is None else None
        if first is not None and self._may_be_collected_unpaid(first, use.last):
            return False
        #: By type, what the deadlines run from that an update puts off or meets.
        since = {SLOW: use.last, STALLED: use.last, NOT_COLLECTED: first.time if first is not None else None}
        others = [one for one in expected if one.type != DELIVERY_LATE and since.get(one.type) != one.anchor]
        return next_moment(others, self._watermark, self._settled) is None
