"""A process that ends at any point, and another that goes on from what it wrote, say what one alone would say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from schemas.times import DAY, HOUR, MINUTE
from streams.notify.alert import Alert
from streams.notify.episode import Message
from streams.notify.settings import QuietHours, Route, Settings
from tests.unit.notify.scenes import T0, Clerk, alert, resolved, settings

TYPES = {"shipment.slow": "warning", "shipment.stalled": "critical", "shipment.delivery_late": "warning",
         "ticket.due_soon": "info", "ticket.timed_out": "warning"}  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, Alert]]:
    """Alerts with the times at which they are read: raised, often resolved, sometimes repeated."""
    read: list[tuple[int, Alert]] = []
    for number in range(draw(st.integers(1, 8))):
        type_ = draw(st.sampled_from(sorted(TYPES)))
        at = T0 + draw(st.integers(0, 2 * DAY // MINUTE)) * MINUTE
        one = alert(type=type_, severity=TYPES[type_], subject=draw(st.sampled_from(["P1", "P2"])),
                    episode=f"e{number}", shop=draw(st.sampled_from(["tea", "silk"])), time=at)  # fmt: skip
        read.append((at, one))
        if draw(st.booleans()):
            end = at + draw(st.integers(0, DAY // MINUTE)) * MINUTE
            read.append((end, resolved(one, end)))
        if draw(st.booleans()):
            read.append((at + draw(st.integers(0, DAY // MINUTE)) * MINUTE, one))
    return sorted(read, key=lambda each: (each[0], not each[1].raised))


@st.composite
def rules(draw: st.DrawFn) -> Settings:
    digest = draw(st.sampled_from([(), (9 * 60, 18 * 60)]))
    cooldown = draw(st.sampled_from([0, 12 * HOUR]))
    quiet = draw(st.sampled_from([None, QuietHours(begin=22 * 60, end=8 * 60, passing=frozenset({"critical"}))]))
    return settings(
        Route(name="a", channels=("chat",), cooldown=cooldown, digest=digest, goes_on=True),
        Route(name="b", channels=("mail",), severities=frozenset({"critical"})),
        quiet=quiet,
    )


def run(rules: Settings, stream: list[tuple[int, Alert]], restarts: frozenset[int]) -> list[tuple[int, str, str, str]]:
    """All that is said, and when; a new process goes on before each of these steps."""
    clerk = Clerk(rules)
    said: list[tuple[int, str, str, str]] = []
    step, now = 0, T0

    def go_on(until: int) -> None:
        nonlocal step, now
        while (due := clerk.book.due(now, rules.channels)) is not None and due < until:
            if step in restarts:
                clerk.restart()
            step += 1
            now = max(now, due)
            before = len(clerk.messages)
            clerk.tick(now)
            said.extend((now, one.channel, one.id, one.text) for one in clerk.messages[before:])

    for at, one in stream:
        go_on(at)
        now = max(now, at)
        clerk.take(one, now)
        if step in restarts:
            clerk.restart()
        step += 1
    go_on(T0 + 100 * DAY)
    return said


@examples(max_examples=60, deadline=None)
@given(rules(), streams(), st.frozensets(st.integers(0, 40)))
def test_a_restart_at_any_point_changes_nothing_that_is_said(
    rules: Settings, stream: list[tuple[int, Alert]], restarts: frozenset[int]
) -> None:
    assert run(rules, stream, restarts) == run(rules, stream, frozenset())


@examples(max_examples=60, deadline=None)
@given(rules(), streams())
def test_each_alert_is_told_a_channel_once_at_most_and_no_end_without_its_beginning(
    rules: Settings, stream: list[tuple[int, Alert]]
) -> None:
    clerk = Clerk(rules)
    for at, one in stream:
        clerk.through(T0, at - 1)
        clerk.take(one, at)
    clerk.through(T0, T0 + 100 * DAY)
    for channel in rules.channels:
        told = [one for message in clerk.messages if message.channel == channel for one in message.alerts]
        assert len({one.id for one in told}) == len(told)
        for number, one in enumerate(told):
            if not one.raised:
                assert one.key in {former.key for former in told[:number] if former.raised}


@examples(max_examples=60, deadline=None)
@given(rules(), streams(), st.integers(0, 20))
def test_a_crash_while_a_message_is_under_way_repeats_that_message_marked_and_nothing_else(
    rules: Settings, stream: list[tuple[int, Alert]], crash: int
) -> None:
    clerk = Clerk(rules)
    for at, one in stream:
        clerk.take(one, at)
    sent: list[Message] = []
    lost: str | None = None
    now = T0
    while (due := clerk.book.due(now, rules.channels)) is not None:
        now = max(now, due)
        for message in clerk.book.begin(now, rules.channels):
            clerk.write()
            sent.append(message)
            if len(sent) == crash + 1:
                # The channel has taken it, and nobody wrote that down.
                lost = message.id
                clerk.restart()
                break
            clerk.book.accepted(message.channel, now)
            clerk.write()
    ids = [(message.channel, message.id) for message in sent]
    repeated = [message for message in sent if ids.count((message.channel, message.id)) > 1]
    if lost is None:
        assert not repeated
    else:
        first, second = repeated
        assert first.id == second.id == lost
        assert second.uncertain
        assert (first.title, first.text) == (second.title, second.text)
