"""Converts alerts of the rules to CloudEvents for the topics `alerts.merchant` and `alerts.platform`."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote

import orjson

from schemas.times import render
from streams.alerts.messages import Messages
from streams.rules.alert import MERCHANT, Alert
from streams.rules.alert_types import ALERT_TYPES

#: What CloudEvents' Kafka protocol binding asks for in structured mode: the media type of the record's value.
CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
HEADERS: tuple[tuple[str, bytes], ...] = (("content-type", CONTENT_TYPE.encode()),)


class AlertRecord(NamedTuple):
    """One record of the topic `alerts.<audience>`; its headers are `HEADERS`."""

    audience: str
    key: bytes
    id: str
    value: bytes


class AlertWriter:
    """Writes alerts raised under one policy on one platform.

    `policy_label` is `<name>@<version>`. The same alert always gives the same bytes.
    """

    def __init__(self, policy_label: str, platform: str, messages: Messages | None = None) -> None:
        self._policy = policy_label
        # A CloudEvent's source is a URI reference.
        self._source = f"/parcelwatch/{quote(platform, safe='-._~')}"
        self._messages = Messages() if messages is None else messages

    def records(self, alert: Alert) -> list[AlertRecord]:
        """One record for each audience.

        Raises ValueError for an alert to a merchant that names no shop, and KeyError for one of no registered type.
        """
        type_ = type_of(alert.type)
        time = render(alert.time)
        severity = ALERT_TYPES[alert.type].severity
        written = []
        for audience, wording in zip(alert.audiences, self._messages.write(alert), strict=True):
            key = alert.shop_id if audience == MERCHANT else alert.subject
            if key is None:
                raise ValueError(f"an alert to a merchant without a shop: {alert.type}")
            id_ = alert_id(alert, audience)
            value = {
                "specversion": "1.0",
                "id": id_,
                "source": self._source,
                "type": type_,
                "subject": alert.subject,
                "time": time,
                "datacontenttype": "application/json",
                "data": {
                    "status": alert.status,
                    "severity": severity,
                    "shop_id": alert.shop_id,
                    "order_id": alert.order_id,
                    "carrier": alert.carrier,
                    "audience": audience,
                    "policy": self._policy,
                    "episode": alert.episode,
                    "message": wording.message,
                    "advice": wording.advice,
                    "evidence": alert.evidence,
                    "resolution": alert.resolution,
                },
            }
            written.append(AlertRecord(audience, key.encode(), id_, orjson.dumps(value)))
        return written


def type_of(name: str) -> str:
    """The CloudEvent `type` for an alert type's name."""
    return f"parcelwatch.{name}.v1"


def name_of(type_: str) -> str:
    """The alert type's name (`shipment.stalled`) for a CloudEvent `type`."""
    return type_.removeprefix("parcelwatch.").removesuffix(".v1")


def alert_id(alert: Alert, audience: str) -> str:
    """32 hexadecimal digits that depend on type, subject, episode, status and audience only.

    Each part is prefixed with its length, so that different parts never join to the same text.
    """
    parts = (alert.type, alert.subject, alert.episode, alert.status, audience)
    joined = "".join(f"{len(part)}:{part}," for part in parts)
    return blake2b(joined.encode(), digest_size=16).hexdigest()
