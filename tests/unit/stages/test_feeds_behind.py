"""Where the feeds are behind the scans, a quiet parcel waits for them unjudged, and comes out as if it had not."""

from __future__ import annotations

from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from schemas.events import Scan
from schemas.times import DAY, HOUR, MINUTE, parse
from streams.engine.processor import Horizon
from streams.policy import load
from streams.rules.shipments.scan_status import FIRST_TERMINAL, NAMES
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.parcel_judge import ParcelJudge
from tests.unit.rules.against_oracle import policies

T0 = parse("2026-03-02T00:00:00Z")


class Impatient(ShipmentBook):
    """Judges what is due even where nothing can come of it yet."""

    def _waits(self, key: bytes) -> bool:
        del key
        return False


def scan(number: int, parcel: str, time: int, status: str, facility: str) -> tuple[Scan, int, bytes]:
    event = Scan(
        event_id=f"e{number}", occurred_at="", tracking_no=parcel, carrier="ZTO", status=status, facility=facility
    )  # type: ignore[arg-type]
    return event, time, b"{%d}" % number


def registered(random: Random, parcel: str, time: int) -> tuple[Any, ...]:
    by = random.choice((None, time + 50 * HOUR, time + 300 * HOUR))
    paid = random.choice((None, time - HOUR, time + 100 * HOUR))
    return (
        "shipped",
        "ZTO",
        parcel,
        time,
        f"r{parcel}",
        b"12345678",
        f"O{parcel}",
        "S1",
        None,
        None,
        None,
        None,
        by,
        paid,
    )


def alerts_of(book: ShipmentBook) -> list[str]:
    return sorted(map(repr, book.alerts))


@pytest.mark.parametrize("seed", range(20))
def test_what_waits_for_the_feeds_comes_out_as_if_it_were_judged_meanwhile(seed: int) -> None:
    random = Random(seed)
    # Feeds fall silent, too.
    policy = policies("default", low=True)[0]
    books = ShipmentBook(policy), Impatient(policy)
    now = known = T0
    for number in range(150):
        now += random.choice((0, MINUTE, 5 * HOUR, 30 * HOUR, 60 * HOUR))
        parcel, time = f"T{random.randrange(6)}", now - random.choice((0, 0, MINUTE, 30 * MINUTE, 100 * HOUR))
        status = random.choice(NAMES if random.random() < 0.1 else NAMES[:FIRST_TERMINAL])
        event = scan(number, parcel, time, status, random.choice("FG"))
        order = registered(random, parcel, time) if random.random() < 0.1 else None
        known = random.choice((known, known, max(known, now - random.choice((HOUR, 30 * HOUR, 100 * HOUR)))))
        for book in books:
            book.scan(*event)
            if order is not None:
                book.register(order)
            book.feeds.hear(("ZTO", time - time % HOUR, 1, time))
            while book.advance(Horizon(now - HOUR), Horizon(known), 3):
                pass
        assert alerts_of(books[0]) == alerts_of(books[1]), number
    end = now + random.choice((0, 5 * DAY, 100 * DAY, 1_000 * DAY))
    for book in books:
        book.advance(Horizon(end), Horizon(end))
    assert alerts_of(books[0]) == alerts_of(books[1])
    assert dict(books[0].rows.items()) == dict(books[1].rows.items())
    assert sorted(books[0].links) == sorted(books[1].links)


def test_nothing_is_judged_again_and_again_until_the_feeds_have_caught_up() -> None:
    book = ShipmentBook(load.default())
    book.scan(*scan(0, "T1", T0, "arrived", "F"))
    with patch.object(ParcelJudge, "say", autospec=True, side_effect=ParcelJudge.say) as say:
        for hours in range(1, 400):
            book.advance(Horizon(T0 + hours * HOUR), Horizon(T0 + HOUR))
        assert say.call_count == 0
        assert not book.alerts
        book.advance(Horizon(T0 + 400 * HOUR), Horizon(T0 + 400 * HOUR))
        assert say.call_count == 1
    assert [(alert.status, alert.time) for alert in book.alerts] == [("raised", T0 + 168 * HOUR)]


def test_what_a_scan_tells_of_itself_does_not_wait_for_the_feeds() -> None:
    book, feeds = ShipmentBook(load.default()), Horizon(T0 + 2 * HOUR)
    book.register(("shipped", "ZTO", "T1", T0, "r", b"12345678", "O1", "S1", None, None, None, None, None, None))
    book.scan(*scan(0, "T1", T0 + HOUR, "picked_up", "F"))
    book.advance(Horizon(T0 + 10 * DAY), feeds)
    book.scan(*scan(1, "T1", T0 + 10 * DAY + HOUR, "returning", "F"))
    book.advance(Horizon(T0 + 10 * DAY + 2 * HOUR), feeds)
    assert [(alert.type, alert.time) for alert in book.alerts] == [("shipment.returning", T0 + 10 * DAY + HOUR)]
