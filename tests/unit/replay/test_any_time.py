"""Valid times at both ends of the calendar end no replay and no story, under any policy."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import DAY, HOUR, parse, render
from streams.explain.document import document
from streams.explain.story import stories
from streams.explain.subject import scope_of
from streams.explain.terminal import Page
from streams.explain.watch import Watch
from streams.explain.wording import Words
from streams.policy import load
from streams.replay.reading import Line
from streams.replay.run import Replay
from tests.oracle.streams import random_stream

FIRST, LAST = parse("0001-01-01T00:00:00Z"), parse("9999-12-31T23:59:59.999999Z")
ENDS = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000001Z", "0001-01-01T12:00:00+12:00", "0001-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999Z", "9999-12-31T16:00:00Z", "9999-12-31T00:00:00-23:00", "9999-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"]  # fmt: skip
#: Where the first event of a stream is put, or the last one.
FROM_FIRST = [FIRST, FIRST + 1, FIRST + 8 * HOUR, FIRST + 7 * DAY]
TO_LAST = [LAST, LAST - 1, LAST - 8 * HOUR, LAST - 7 * DAY, LAST - 400 * DAY]


@st.composite
def streams_at_the_ends(draw: st.DrawFn) -> list[Line]:
    """A stream moved to an end of the calendar, in which some times are those of the other end."""
    rng = Random(draw(st.integers(0, 2**32 - 1)))
    values = random_stream(rng, draw(st.integers(1, 40)))
    times = [parse(each["value"]["occurred_at"]) for each in values]
    if rng.random() < 0.5:
        moved = rng.choice(FROM_FIRST) - min(times)
    else:
        moved = rng.choice(TO_LAST) - max(times)
    for each in values:
        value = each["value"]
        for field in ("occurred_at", "ship_by", "respond_by", "deliver_by"):
            if isinstance(value.get(field), str):
                value[field] = render(parse(value[field]) + moved)
                if rng.random() < 0.05:
                    value[field] = rng.choice(ENDS)
        if value["type"] == "order.placed" and rng.random() < 0.3:
            value["commitment_days"] = rng.choice((0, 3_000_000, 10**18, 10**300))
    return [Line(number, each["topic"], json.dumps(each["value"]).encode()) for number, each in enumerate(values, 1)]


def subjects(lines: list[Line]) -> list[str]:
    found: dict[str, None] = {}
    for line in lines:
        value = json.loads(line.value or b"")
        found |= {value[field]: None for field in ("tracking_no", "order_id", "ticket_id", "conversation_id", "shop_id")
                  if value.get(field)}  # fmt: skip
    return list(found)


@pytest.mark.parametrize("profile", load.profiles())
@settings(deadline=None, max_examples=40)
@given(streams_at_the_ends(), st.sampled_from([None, *ENDS]))
def test_a_replay_and_every_story_come_to_an_end(profile: str, lines: list[Line], until: str | None) -> None:
    policy = load.load(profile)
    end = parse(until) if until is not None else None
    replay = Replay(policy, end)
    summary = replay.run(lines)
    assert summary["dead"]["total"] == 0
    for subject in subjects(lines)[:6]:
        watch = Watch(policy, end, scope_of(subject, lines, policy))
        watch.run(lines)
        told = stories(watch)
        assert orjson.loads(document(watch, told))
        for language in ("zh-CN", "en"):
            with redirect_stdout(StringIO()):
                Page(Words(language)).write(watch, told)
