"""All outputs: alerts, tables, and the files of a replay.

These structs are the contract from which the JSON Schemas in `schemas/jsonschema/` are generated. Members are always
present; those that may be null say so. Times are RFC 3339 in UTC with `Z`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Time = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$",
        description="RFC 3339 in UTC, fractions of a second only where there are any",
        extra_json_schema={"format": "date-time"},
    ),
]
Count = Annotated[int, msgspec.Meta(ge=0)]
Rate = Annotated[float, msgspec.Meta(ge=0, description="escalations per order, rounded to 6 digits; can exceed 1")]
Severity = Literal["info", "warning", "critical"]
Status = Literal["raised", "resolved"]
Audience = Literal["merchant", "platform"]
Level = Literal["insufficient", "ok", "elevated", "campaign_blocked", "delisting_risk"]
ConversationTopic = Literal["after_sales", "logistics", "promotion", "product", "other"]


class Message(msgspec.Struct, kw_only=True):
    """What happened, since when, and what to do now."""

    zh: str = msgspec.field(name="zh-CN")
    en: str


class Advice(msgspec.Struct, kw_only=True):
    """One thing to do; `code` is stable, the texts are for people."""

    code: str
    zh: str = msgspec.field(name="zh-CN")
    en: str


class AlertData(msgspec.Struct, kw_only=True):
    """The alert itself. `episode` is shared by a raised alert and its resolution, `resolution` null while raised."""

    status: Status
    severity: Severity
    shop_id: str | None
    order_id: str | None
    carrier: str | None
    audience: Audience
    policy: Annotated[str, msgspec.Meta(pattern="^.+@.+$", description="<name>@<version>")]
    episode: str
    message: Message
    advice: list[Advice]
    evidence: dict[str, Any]
    resolution: str | None


class AlertEvent(msgspec.Struct, kw_only=True):
    """Topics `alerts.merchant` (key: the shop) and `alerts.platform` (key: the subject): a CloudEvent.

    `id` is a function of type, subject, episode, status and audience, so that a repeat can be dropped.
    """

    specversion: Literal["1.0"]
    id: Annotated[str, msgspec.Meta(min_length=1)]
    source: Annotated[str, msgspec.Meta(pattern="^/parcelwatch/.+$", extra_json_schema={"format": "uri-reference"})]
    type: Annotated[str, msgspec.Meta(pattern=r"^parcelwatch\.[a-z_]+\.[a-z_]+\.v1$")]
    subject: Annotated[str, msgspec.Meta(min_length=1)]
    time: Time
    datacontenttype: Literal["application/json"]
    data: AlertData


class RateWindow(msgspec.Struct, kw_only=True):
    """What one window of a shop holds. `rate` is null without orders.

    `logistics_linked`: escalations of an order that was late or stalled then. `window_closed`: escalations after the
    end of the after-sales window.
    """

    orders: Count
    disputes: Count
    complaints: Count
    interventions: Count
    ticket_timeouts: Count
    escalations: Count
    rate: Rate | None
    logistics_linked: Count
    window_closed: Count


class HelpRates(msgspec.Struct, kw_only=True):
    """Table `help-rates`, key `shop_id`; `as_of` is the hour boundary of the last change."""

    shop_id: str
    as_of: Time
    main_category: str | None
    state: Level
    baseline: Rate | None
    days_7: RateWindow = msgspec.field(name="7d")
    days_30: RateWindow = msgspec.field(name="30d")


class CategoryBaseline(msgspec.Struct, kw_only=True):
    """Table `category-baselines`, key `category_id`. `shops`: with enough orders; `rate` is null with too few shops."""

    category_id: str
    as_of: Time
    shops: Count
    rate: Rate | None


class ConversationTopics(msgspec.Struct, kw_only=True):
    """Table `conversation-topics`, key `shop_id`: buyers' messages by what they are about."""

    shop_id: str
    as_of: Time
    days_7: dict[ConversationTopic, Count] = msgspec.field(name="7d")
    days_30: dict[ConversationTopic, Count] = msgspec.field(name="30d")


class RefundReason(msgspec.Struct, kw_only=True):
    """How often a reason was given for a kind of request."""

    kind: Literal["refund_only", "return_refund", "exchange", "reship"]
    reason: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,64}$")]
    count: Annotated[int, msgspec.Meta(ge=1)]


_Reasons = Annotated[list[RefundReason], msgspec.Meta(max_length=20)]


class RefundReasons(msgspec.Struct, kw_only=True):
    """Table `refund-reasons`, key `shop_id`: the most frequent first, then by kind, then by reason."""

    shop_id: str
    as_of: Time
    days_7: _Reasons = msgspec.field(name="7d")
    days_30: _Reasons = msgspec.field(name="30d")


class DeadLetterLine(msgspec.Struct, kw_only=True):
    """One line of a replay's `dead-letters.jsonl`. `line` counts from 1 in its file; `topic` is null where unknown."""

    topic: str | None
    line: Annotated[int, msgspec.Meta(ge=1)]
    error_code: str
    error_detail: str


class AlertHeaders(msgspec.Struct, kw_only=True):
    """Headers of a record of `alerts.merchant` and `alerts.platform`, as text in UTF-8."""

    content_type: Literal["application/cloudevents+json; charset=UTF-8"] = msgspec.field(name="content-type")


_Digits = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$")]


class DeadLetterHeaders(msgspec.Struct, kw_only=True):
    """Headers that a dead letter has beside those of its record, as text in UTF-8.

    `error-code` is stable, `error-detail` is for people and quotes nothing of the record. `source-topic`,
    `source-partition` and `source-offset` lead back to the record, whose value the dead letter holds only where workers
    have `--dead-letter-payload`.
    """

    error_code: str = msgspec.field(name="error-code")
    error_detail: str = msgspec.field(name="error-detail")
    source_topic: str = msgspec.field(name="source-topic")
    source_partition: _Digits = msgspec.field(name="source-partition")
    source_offset: _Digits = msgspec.field(name="source-offset")
    failed_at: Time = msgspec.field(name="failed-at")


class PushDeadLetterHeaders(msgspec.Struct, kw_only=True):
    """Headers of a dead letter of `parcelwatch ingest`, as text in UTF-8.

    `error-code` is stable, `error-detail` is for people and quotes nothing of the push. `source-topic` is `push/` and
    the format. A push has no partition and no offset: its record's key is the same whenever the same is pushed again.
    """

    error_code: str = msgspec.field(name="error-code")
    error_detail: str = msgspec.field(name="error-detail")
    source_topic: Annotated[str, msgspec.Meta(pattern="^push/.+$")] = msgspec.field(name="source-topic")
    failed_at: Time = msgspec.field(name="failed-at")


class AlertCounts(msgspec.Struct, kw_only=True):
    """How many alerts of a type a replay raised, and how many it resolved."""

    raised: Count
    resolved: Count


class DeadCounts(msgspec.Struct, kw_only=True):
    """Dead letters of a replay; `by_reason`: by their error code."""

    total: Count
    by_reason: dict[str, Count]


class Summary(msgspec.Struct, kw_only=True):
    """A replay's `summary.json`. `watermark`: where it ended, null where there was no event.

    `records`: by topic, whatever they hold. `events`: valid ones up to the end, by type. `alerts`: by type. `late`:
    events read too late; `repeated`: those without a second effect; `left_out`: those after the end. `tombstones`:
    records without a value.
    """

    policy: Annotated[str, msgspec.Meta(pattern="^.+@.+$", description="<name>@<version>")]
    watermark: Time | None
    records: dict[str, Count]
    events: dict[str, Count]
    alerts: dict[str, AlertCounts]
    late: Count
    repeated: Count
    left_out: Count
    tombstones: Count
    dead: DeadCounts
