"""Workers that others replace, of this version or of 0.1.0, and what they have told between them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.connected import former
from tests.connected.marketplace import ALERTS, APP, alerts
from tests.connected.mortals import PACE, Mortal
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION

needs_history = pytest.mark.skipif(not former.KNOWN, reason=former.LEFT_OUT)


def worker(kafka: Broker, name: str, *options: str, **variables: str) -> Mortal:
    """A static member: while it is restarted, its tasks wait for it."""
    fixed = ("--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--clock", "stream", "--instance-id", name)
    return Mortal("worker", *fixed, *PACE, "--session-timeout", str(LONG_SESSION), *options, **variables)


async def told(kafka: Broker) -> Counter[str]:
    """Ids of all alerts, and how often each was told each audience."""
    return Counter([f"{topic} {json.loads(value)['id']}" for topic in ALERTS for value in await alerts(kafka, topic)])
