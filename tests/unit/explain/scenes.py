"""Invented timelines that a story is told of, each with the subject to ask for."""

from __future__ import annotations

import json

import msgspec

from streams.policy import load
from streams.policy.model import Policy
from tests.unit.rules.timeline import Timeline, days, hours, lowered


def small_feeds() -> Policy:
    """A feed is missed that had a scan every three hours."""
    policy = load.default()
    return msgspec.structs.replace(policy, feed_silence=msgspec.structs.replace(policy.feed_silence, min_scans=2))


def quick_replies() -> Policy:
    """The default policy with late replies switched on."""
    policy = load.default()
    rule = msgspec.structs.replace(policy.conversations.reply_late, enabled=True)
    return msgspec.structs.replace(policy, conversations=msgspec.structs.replace(policy.conversations, reply_late=rule))


def stalled_and_moving_again() -> Timeline:
    """A parcel X1 that stalls on its way to a remote place, and one scan that comes twice."""
    return (
        Timeline()
        .placed(hours(1), ship_to_region="新疆")
        .paid(hours(2))
        .shipped(hours(10), from_region="浙江", to_region="新疆")
        .scan("picked_up", hours(20), facility="杭州滨江网点", region="浙江")
        .scan("arrived", hours(50), facility="乌鲁木齐转运中心", region="新疆")
        .again()
        .scan("out_for_delivery", hours(50) + days(8), facility="乌鲁木齐天山网点", region="新疆")
        .scan("delivered", hours(60) + days(8), facility="乌鲁木齐天山网点", region="新疆")
        .scan("arrived", hours(61) + days(8), facility="乌鲁木齐天山网点", region="新疆")
    )


def nobody_registered() -> Timeline:
    """A parcel Z9 that no order was shipped in."""
    return Timeline().scan("picked_up", hours(1), number="Z9").scan("departed", hours(90), number="Z9", facility="F1")


def feed_went_silent() -> Timeline:
    """X1 would be slow while SF's feed is silent; a scan after the silence prevents it. X2 is never seen again."""
    timeline = Timeline(small_feeds())
    for at in range(0, hours(193), hours(3)):
        timeline.scan("delivered", at, number=f"other-{at // hours(1)}")
    for number in ("X1", "X2"):
        timeline.shipped(hours(120), f"of-{number}", number=number).scan("departed", hours(131), number=number)
    timeline.scan("arrived", hours(215), number="X1").scan("delivered", hours(212), number="next")
    timeline.events.sort(key=lambda event: json.loads(event[1])["occurred_at"])
    return timeline


def late_order() -> Timeline:
    """Order A: agreed on a short time to ship, late, asked about, disputed, and a refund that was refused."""
    return (
        Timeline()
        .placed(hours(0), items=(("pot", "tea"), ("cup", "tea")), ship_to_region="上海")
        .paid(hours(1), ship_by=hours(10))
        .opened(hours(9), order_id="A")
        .order("refund.requested", hours(12), refund_id="R1", kind="refund_only", reason="太慢了")
        .order("refund.rejected", hours(13), refund_id="R1")
        .disputed(hours(14), item_id="pot")
        .message(hours(15), "找平台客服", order_id="A")
        .requested(hours(16), order_id="A", conversation_id="C1")
        .responded(hours(20), order_id="A")
        .shipped(hours(30))
        .scan("picked_up", hours(31))
        .scan("delivered", hours(60))
        .order("completed", hours(70))
        .order("refund.requested", hours(71) + days(20), refund_id="R2", kind="exchange", reason="broken")
        .order("refund.rejected", hours(72) + days(20), refund_id="R2")
    )


def paused_ticket() -> Timeline:
    """Ticket K: paused twice, answered between its two thresholds."""
    return (
        Timeline()
        .opened(hours(0))
        .paused(hours(6))
        .paused(hours(7))
        .resumed(hours(8))
        .responded(hours(21))
        .tick(days(3))
    )


def slow_answers() -> Timeline:
    """Conversation C1: one question answered in time, one too late, one a repeat, one asking for staff twice."""
    return (
        Timeline(quick_replies())
        .message(hours(1), "什么时候发货", order_id="A")
        .chat("message", hours(1) + 60_000_000, conversation_id="C1", sender="merchant", text="今天", order_id="A")
        .message(hours(2), "找平台客服", order_id="A")
        .again()
        .chat("message", hours(3), conversation_id="C1", sender="merchant_bot", text="您好", order_id="A")
        .chat("message", hours(4), conversation_id="C1", sender="merchant", text="抱歉", order_id="A")
        .message(hours(5), "找平台客服", order_id="A")
        .tick(days(1))
    )


def shops() -> Timeline:
    """Three shops of one category under a low policy: S1's rate rises and falls, one of its disputes is taken back."""
    timeline = Timeline(lowered())
    for shop in ("S2", "S3"):
        for number in range(4):
            timeline.placed(hours(number), f"{shop}-{number}", shop_id=shop)
        timeline.disputed(hours(5), f"{shop}-D", order=f"{shop}-0", shop_id=shop)
    for number in range(4):
        timeline.placed(hours(6 + number), f"S1-{number}")
        timeline.disputed(hours(10 + number), f"D{number}", order=f"S1-{number}")
    timeline.complained(hours(14), order_id="S1-0").voided(hours(20), "dispute", "D3", order="S1-3")
    timeline.paid(hours(21), "S1-0")
    for number in range(4, 30):
        timeline.placed(days(2) + hours(number), f"S1-{number}")
    return timeline.disputed(days(31) + hours(15), "D9", order="S1-9")
