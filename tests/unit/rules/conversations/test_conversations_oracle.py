"""Conversations in any order of arrival on time, also when they are forgotten: the stages and a naive reader agree."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import decode
from streams.policy.model import Policy
from streams.stages.single_reader import SingleReader
from tests.oracle.conversations import Conversations
from tests.oracle.policy import DAY, HOUR, MINUTE, OraclePolicy
from tests.oracle.streams import START, shuffle_on_time
from tests.oracle.timeline import microseconds, shown, sorted_events
from tests.unit.rules.against_oracle import encoded, policies, shapes

Events = list[dict[str, Any]]

TEXTS = {"我要退货": "after_sales", "快递到哪了": "logistics", "有优惠券吗": "promotion", "在吗": "other"}
SHOPS = ("S0", "S1")
#: Longer than any history, longer than a message is known by its id, and shorter than that.
KEPT = (180 * DAY, 3 * DAY, 12 * HOUR)


def policy_of(kept: OraclePolicy) -> Policy:
    policy, _ = policies("default", low=True)
    late = msgspec.structs.replace(policy.conversations.reply_late, enabled=True)
    return msgspec.structs.replace(
        policy,
        conversations=msgspec.structs.replace(policy.conversations, reply_late=late),
        keeping=msgspec.structs.replace(policy.keeping, conversation_days=kept.keep_conversation / DAY),
    )


def talks(rng: Random, size: int, kept: OraclePolicy) -> Events:
    """Messages of few conversations, by time: beside the ends of waits and of what is known, many of them repeats."""
    gaps = (0, MINUTE, 3 * MINUTE, HOUR, 9 * HOUR, DAY, 2 * DAY, kept.keep_conversation)
    found = []
    for number in range(rng.randrange(1, 4)):
        time = START + rng.randrange(48) * HOUR
        order = rng.choice((None, f"O{number % 2}"))
        for _ in range(rng.randrange(1, size)):
            value = {
                "event_id": f"m{rng.randrange(6)}",
                "type": "chat.message",
                "occurred_at": shown(time),
                "shop_id": SHOPS[number % 2],
                "conversation_id": f"C{number % 2}",
                "sender": rng.choice(("buyer", "buyer", "merchant", "merchant_bot")),
                "text": rng.choice(tuple(TEXTS)),
            }
            found.append({"topic": "chats", "value": value if order is None else {**value, "order_id": order}})
            time += max(0, rng.choice(gaps) + rng.choice((-1, 0, 1)))
    return sorted(found, key=lambda event: microseconds(event["value"]["occurred_at"]))


def difference(events: Events, arrival: Events, until: int, looks: set[int], kept: OraclePolicy) -> list[str]:
    """Empty where the stages and the oracle say the same."""
    reader = SingleReader(policy_of(kept))
    for number, event in enumerate(arrival):
        value = encoded(event)
        reader.take(event["topic"], *decode(event["topic"], value), value)
        if number in looks:
            reader.settle()
    reader.finish(until)
    alerts, records = reader.drain()
    oracle = Conversations(sorted_events(events, until), kept, until, TEXTS.__getitem__)
    wanted = Counter(
        (one.topic, one.type, one.subject, one.status, one.time_us, one.shop_id, one.order_id, one.resolution)
        for one in oracle.alerts
    )
    got = Counter({(*shape[:7], shape[8]): count for shape, count in shapes(alerts).items()})
    problems = [f"missing {shape}" for shape in (wanted - got)] + [f"unexpected {shape}" for shape in (got - wanted)]
    tables = {record.key: record.value for record in records if record.table == "conversation-topics"}
    last = (until - 1) // HOUR * HOUR
    for shop in SHOPS:
        row = tables.get(shop) or {"7d": {}, "30d": {}}
        for window in ("7d", "30d"):
            topics = oracle.topics(shop, window, last)
            problems += [] if row[window] == topics else [f"{shop} {window}: {row[window]} instead of {topics}"]
    return problems


@settings(max_examples=250, deadline=None, derandomize="CI" in os.environ)
@given(size=st.integers(2, 25), seed=st.integers(0, 2**32 - 1), kept=st.sampled_from(KEPT))
def test_the_stages_say_what_a_reader_of_the_sorted_list_says(size: int, seed: int, kept: int) -> None:
    rng = Random(seed)
    policy = replace(OraclePolicy(), keep_conversation=kept)
    events = talks(rng, size, policy)
    times = [microseconds(event["value"]["occurred_at"]) for event in events]
    until = max(times) + rng.choice((0, 1, 2 * HOUR, 31 * DAY))
    looks = {number for number in range(len(events)) if rng.random() < rng.choice((0, 0.2, 1))}
    assert difference(events, shuffle_on_time(events, rng), until, looks, policy) == []


def test_the_random_streams_have_everything_in_them() -> None:
    found: Counter[str] = Counter()
    for seed in range(60):
        policy = replace(OraclePolicy(), keep_conversation=KEPT[1 + seed % 2])
        events = talks(Random(seed), 20, policy)
        until = max(microseconds(event["value"]["occurred_at"]) for event in events)
        oracle = Conversations(sorted_events(events, until), policy, until, TEXTS.__getitem__)
        found.update(one.resolution or one.status for one in oracle.alerts)
        found["forgotten"] += oracle.forgotten
    assert min(found[what] for what in ("raised", "answered", "forgotten")) >= 30
