"""Parcels of which nothing but scans is known are judged from their rows: to the same end as any other."""

from __future__ import annotations

from random import Random

import pytest

from schemas.events import Scan
from schemas.times import DAY, HOUR, MINUTE, parse
from streams.engine.processor import Horizon
from streams.rules.shipments.scan_status import FIRST_TERMINAL, NAMES
from streams.stages.shipments import parcel_rows
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.string_table import Names
from tests.unit.estimating import with_estimates
from tests.unit.rules.against_oracle import policies

T0 = parse("2026-03-02T00:00:00Z")


class Whole(ShipmentBook):
    """Decodes every parcel that it judges."""

    def _judge_plain(self, key: bytes) -> bool:
        del key
        return False


class Counting(ShipmentBook):
    """Counts the parcels that are judged from their rows."""

    count = 0

    def _judge_plain(self, key: bytes) -> bool:
        done = super()._judge_plain(key)
        self.count += done
        return done


def scan(random: Random, number: int, time: int) -> tuple[Scan, int, bytes]:
    event = Scan(
        event_id=f"e{number}",
        occurred_at="",
        tracking_no=f"T{random.randrange(6)}",
        carrier=random.choice(("ZTO",) * 9 + ("zto ",)),
        status=random.choice(NAMES if random.random() < 0.1 else NAMES[:FIRST_TERMINAL]),
        facility=random.choice((None, "F1", "F2", "F3")),
        region=random.choice((None, "浙江", "Mars")),
    )
    return event, time, b"{%d}" % number


@pytest.mark.parametrize("seed", range(30))
def test_a_parcel_judged_from_its_row_comes_out_as_one_that_is_decoded(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    monkeypatch.setattr(parcel_rows, "BUSY", random.choice((150, 300, parcel_rows.BUSY)))
    policy = policies("default", low=True)[0]
    if random.random() < 0.3:
        policy = with_estimates(policy)
    books = Counting(policy), Whole(policy)
    most = random.choice((2, 1_000))
    for book in books:
        # Past the most, facilities have no numbers.
        book.names = Names(most)
    now = T0
    for number in range(120):
        now += random.choice((0, MINUTE, 5 * HOUR, 30 * HOUR, 60 * HOUR))
        time = now - random.choice((0, 0, MINUTE, 30 * MINUTE, 100 * HOUR))
        event = scan(random, number, time)
        order = random.random() < 0.02
        horizon = Horizon(now - HOUR) if random.random() < 0.8 else books[0].horizon
        for book in books:
            book.scan(*event)
            if order:
                book.register(("shipped", "ZTO", "T1", time, "r", b"12345678", "O1", "S1", None, None, None, None))
            book.feeds.hear(("ZTO", time - time % HOUR, 1, time))
            book.advance(horizon, horizon)
        assert dict(books[0].rows.items()) == dict(books[1].rows.items())
        assert books[0].changed == books[1].changed
        assert books[0].alerts == books[1].alerts
    for days in (1, 30, 200, 2_000):
        for book in books:
            book.advance(Horizon(now + days * DAY), Horizon(now + days * DAY))
        assert dict(books[0].rows.items()) == dict(books[1].rows.items())
        assert books[0].alerts == books[1].alerts
        assert (books[0].points, books[0].links) == (books[1].points, books[1].links)
    assert books[0].alerts
    assert books[0].count
