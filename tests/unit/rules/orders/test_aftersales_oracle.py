"""What happens after the sale, told by the stages and by a naive reader of the sorted list."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import decode
from streams.policy import load
from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.stages.help_rate.shop_levels import HELP_RATES
from streams.stages.single_reader import SingleReader
from streams.stages.tables import TableRecord
from tests.oracle.aftersales import AfterSales, Said
from tests.oracle.aftersales_scenes import SHORT, Events, random_stream
from tests.oracle.orders import Orders
from tests.oracle.policy import DAY, HOUR, OraclePolicy
from tests.oracle.streams import shuffle_on_time
from tests.oracle.timeline import microseconds, sorted_events
from tests.unit.rules.against_oracle import encoded

#: Of the streams, and the one that events which disagree name.
SHOPS = ("S0", "S1", "S2", "S9")


#: What is kept for how long: for longer than any history, and so that windows, requests and lives end together.
LONG = OraclePolicy()
KEPT = [
    LONG,
    replace(
        LONG,
        keep_order=15 * DAY,
        keep_order_extension=0,
        keep_order_idle=20 * DAY,
        keep_ticket=7 * DAY,
        keep_escalation=12 * DAY,
        keep_voiding=3 * DAY,
        extension_days={category: max(SHORT.warranty.get(category, 0), SHORT.slow.get(category, 0))
                        for category in (*SHORT.warranty, *SHORT.slow)},
    ),
]  # fmt: skip


def short(kept: OraclePolicy) -> Policy:
    """The default policy with the oracle's short periods."""
    policy = load.default()
    rules = msgspec.structs.replace(
        policy.aftersales,
        base_days=SHORT.base,
        long_base_days=SHORT.long_base,
        long_categories=tuple(sorted(SHORT.long)),
        warranty_days=dict(SHORT.warranty),
        slow_category_days=dict(SHORT.slow),
        no_reason_return_days=SHORT.returning,
        no_reason_exempt=tuple(sorted(SHORT.exempt)),
        quality_exchange_days=SHORT.exchanging,
    )
    keeping = msgspec.structs.replace(
        policy.keeping,
        order_days=kept.keep_order / DAY,
        order_extension_days=kept.keep_order_extension / DAY,
        order_idle_days=kept.keep_order_idle / DAY,
        ticket_days=kept.keep_ticket / DAY,
        escalation_days=kept.keep_escalation / DAY,
        voiding_days=kept.keep_voiding / DAY,
    )
    return msgspec.structs.replace(policy, aftersales=rules, keeping=keeping)


def run(
    arrival: Events, until: int, looks: set[int], kept: OraclePolicy
) -> tuple[list[Alert], list[TableRecord], SingleReader]:
    """The alerts, the records of the tables, and the reader."""
    reader = SingleReader(short(kept))
    for number, event in enumerate(arrival):
        value = encoded(event)
        reader.take(event["topic"], *decode(event["topic"], value), value)
        if number in looks:
            reader.settle()
    reader.finish(until)
    return *reader.drain(), reader


def in_short(alert: Alert) -> Said:
    """An alert of the stages as the oracle tells it."""
    about = ""
    if alert.resolution is None:
        about = alert.evidence.get("ground") or " ".join(alert.evidence["rights"])
    name = alert.type.removeprefix("aftersales.")
    return Said(name, alert.subject, alert.status, alert.time, alert.shop_id or "", about, alert.resolution)


def difference(events: Events, arrival: Events, until: int, looks: set[int], kept: OraclePolicy) -> list[str]:
    """Empty where the stages and the oracle say the same."""
    oracle = AfterSales(events, until, kept, SHORT)
    alerts, records, reader = run(arrival, until, looks, kept)
    got = Counter(in_short(alert) for alert in alerts if alert.type.startswith("aftersales."))
    want = Counter(oracle.alerts)
    problems = [f"missing {said}" for said in (want - got)] + [f"unexpected {said}" for said in (got - want)]
    for shop in SHOPS:
        told = [record.value for record in records if record.table == "refund-reasons" and record.key == shop]
        if told != oracle.reasons(shop):
            problems.append(f"reasons of {shop}: {told} instead of {oracle.reasons(shop)}")
        rates = [record.value for record in records if record.table == HELP_RATES and record.key == shop]
        # Between two records nothing changes, so the last one still holds at the last boundary.
        known = [(microseconds(rate["as_of"]), rate) for rate in rates if rate is not None]
        known.append(((until - 1) // HOUR * HOUR, rates[-1] if rates else None))
        for boundary, rate in known:
            for window in ("7d", "30d"):
                found = 0 if rate is None else rate[window]["window_closed"]
                if found != oracle.window_closed(shop, window, boundary):
                    problems.append(f"{found} past everything in {shop} {window} as of {boundary}")
    if reader.late:
        problems.append(f"{reader.late} late events in a stream that should have none")
    return problems


@settings(max_examples=150, deadline=None)
@given(orders=st.integers(1, 6), seed=st.integers(0, 2**32 - 1), kept=st.sampled_from(KEPT))
def test_the_stages_say_what_a_reader_of_the_sorted_list_says(orders: int, seed: int, kept: OraclePolicy) -> None:
    rng = Random(seed)
    events = random_stream(rng, orders)
    if not events:
        return
    times = [microseconds(event["value"]["occurred_at"]) for event in events]
    until = rng.choice((max(times), rng.choice(times), rng.choice(times) + HOUR, max(times) + 31 * DAY))
    looks = {number for number in range(len(events)) if rng.random() < 0.3}
    on_time = [event for event in events if microseconds(event["value"]["occurred_at"]) <= until]
    assert difference(on_time, shuffle_on_time(on_time, rng), until, looks, kept) == []


def test_the_random_streams_have_everything_in_them() -> None:
    """A generator that misses a case would let every property about it pass."""
    found: Counter[str] = Counter()
    closed = 0
    for seed in range(60):
        events = random_stream(Random(seed), 6)
        until = max(microseconds(event["value"]["occurred_at"]) for event in events)
        oracle = AfterSales(events, until, OraclePolicy(), SHORT)
        found.update(said.about or said.resolution or "" for said in oracle.alerts)
        closed += sum(oracle.window_closed(shop, "30d", until) for shop in ("S0", "S1", "S2"))
    assert set(found) == {
        "statutory_warranty", "commitment", "slow_category", "late_shipment_refund", "no_reason_return",
        "quality_exchange", "settled", "disputed",
    }  # fmt: skip
    assert min(found.values()) >= 10
    assert closed >= 10


def test_the_random_streams_go_on_after_orders_are_forgotten() -> None:
    lives: Counter[int] = Counter()
    for seed in range(60):
        events = random_stream(Random(seed), 6)
        until = max(microseconds(event["value"]["occurred_at"]) for event in events)
        orders = Orders(sorted_events(events, until), KEPT[1])
        lives.update(len(of_order) for of_order in orders.lives.values())
    assert lives[2] >= 30
    assert lives[3] >= 5
