"""Any value is decoded as Python decodes it, or handed back."""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

import parcelwatch_native
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import MAX_BYTES, Invalid, decode
from schemas.events import SCANS, Scan
from streams.rules.shipments.scan_status import NAMES, RANK
from tests.unit.stages.native_scraps import mutated

SOME = settings(deadline=None, derandomize="CI" in os.environ, max_examples=300)
PLAIN: dict[str, Any] = {
    "event_id": "e1", "type": "scan", "occurred_at": "2026-03-04T18:10:00.1234567+08:00", "platform": None,
    "tracking_no": "78300011112222", "carrier": "ZTO", "status": "arrived", "facility": "乌鲁木齐转运中心",
    "region": "新疆", "note": "到达\t\"中心\" 😀", "unknown": {"a": [1, -2.5e3, True, None, "\\"], "b": {}},
}  # fmt: skip


def known(value: bytes) -> tuple[Any, ...] | None:
    """What Python says, in the native form; None: it is no event."""
    try:
        event, time = decode(SCANS, value)
    except Invalid:
        return None
    assert isinstance(event, Scan)
    region = event.region if event.status == "delivered" else None
    return event.event_id, event.tracking_no, event.carrier, RANK[event.status], event.facility, time, region


def is_taken(value: bytes) -> bool:
    """Whether it is taken natively; then it must be what Python says."""
    found = parcelwatch_native.scan_of(value)
    assert found is None or found == known(value), value
    return found is not None


def test_statuses_have_the_same_ranks() -> None:
    assert tuple(parcelwatch_native.statuses()) == NAMES


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_the_usual_forms_are_taken(ascii_only: bool, separators: tuple[str, str]) -> None:
    assert is_taken(json.dumps(PLAIN, ensure_ascii=ascii_only, separators=separators).encode())
    needed = {name: PLAIN[name] for name in ("event_id", "type", "occurred_at", "tracking_no", "carrier", "status")}
    assert is_taken(json.dumps(needed).encode())


@pytest.mark.parametrize("seed", range(8))
def test_mutated_values_agree_or_are_handed_back(seed: int) -> None:
    random = Random(seed)
    bases = [json.dumps(PLAIN, ensure_ascii=number % 2 == 0).encode() for number in range(2)]
    taken = 0
    for _ in range(3_000):
        taken += is_taken(mutated(random.choice(bases), random))
    assert taken > 100


ODD = ["", "a" * 128, "a" * 129, "中" * 128, "中" * 129, "\ud800", "\x00", *NAMES]
TEXTS = st.text(max_size=140) | st.sampled_from(ODD)
TIMES = st.sampled_from(
    [
        "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01t00:00:00z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.9999999999999Z", "2026-12-31T23:59:60Z", "2024-02-29T00:00:00-12:34",
        "2023-02-29T00:00:00Z", "2026-01-01T00:00:00+23:59", "2026-01-01T00:00:00+24:00", "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2026-1-1T00:00:00Z", "２026-01-01T00:00:00Z",
    ]
) | st.datetimes().map(lambda time: time.isoformat() + "Z")  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@SOME
@given(
    fields=st.dictionaries(st.sampled_from([*PLAIN, "more"]), TEXTS | TIMES | ANYTHING, max_size=3),
    at=TIMES,
    ascii_only=st.booleans(),
)
def test_odd_fields_agree_or_are_handed_back(fields: dict[str, Any], at: str, ascii_only: bool) -> None:
    text = json.dumps({**PLAIN, "occurred_at": at, **fields}, ensure_ascii=ascii_only)
    is_taken(text.encode(errors="surrogatepass"))


def test_limits_are_those_of_python() -> None:
    plain = json.dumps(PLAIN)
    for size in (MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1):
        padded = plain.encode() + b" " * (size - len(plain))
        assert is_taken(padded) == (size <= MAX_BYTES)
    for depth in (10, 64, 65, 5_000, 30_000):
        is_taken(json.dumps({**PLAIN, "deep": 0}).replace('"deep": 0', '"deep": ' + "[" * depth + "]" * depth).encode())
    for doubled in ('"type":"scan",', '"carrier":"ZTO",', '"unknown":1,'):
        is_taken(plain.replace("{", "{" + doubled, 1).encode())
