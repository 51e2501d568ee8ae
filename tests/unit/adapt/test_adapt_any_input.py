"""Whatever an input holds, adapting never fails: it gives valid events, or says what is wrong."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import decode
from streams.adapt import Report, adapt, formats

NAMES = (
    *("nu", "com", "data", "time", "ftime", "context", "status", "statusCode", "areaName"),
    *("LogisticCode", "ShipperCode", "Traces", "AcceptTime", "AcceptStation", "Action", "Location"),
    *("mailNo", "partnerCode", "transitList", "action", "message", "opCode", "routes", "remark", "acceptTime"),
    *("tracking_number", "slug", "checkpoints", "checkpoint_time", "subtag", "location", "state"),
    *("number", "carrier", "track_info", "tracking", "providers", "provider", "events", "error"),
    *("tracking_code", "tracking_details", "datetime", "tracking_history", "status_date", "occurred_at", "status_code"),
    *("awb", "scans", "date", "sr-status", "activity", "trackingNumber", "gmtOffset", "scanEvents", "eventType"),
    *("trackDetail", "ID", "eventDate", "timestamp", "typeCode", "billCode", "details", "scanTime", "scanType"),
    *(
        "route_node_list",
        "track_no",
        "detailList",
        "trace_list",
        "transit_step_info",
        "WaybillRoute",
        "last_checkpoint",
    ),
    *("time_iso", "time_raw", "sub_status", "address", "description", "shipment", "text"),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(["2024-03-05 12:00:00", "2024-03-05T12:00:00+08:00", "T1", "ZTO", "已签收", "【甲*】", "9" * 200]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=25,
)


@pytest.mark.parametrize("name", [found.name for found in formats().values() if not found.folder])
@settings(max_examples=60, deadline=None)
@given(document=DOCUMENTS)
def test_any_json_gives_valid_events_or_problems(name: str, document: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.json"
        path.write_text(json.dumps(document))
        report = Report()
        for line in adapt(name, [path], report=report):
            decode(line.topic, json.dumps(line.value).encode())
        assert report.readable or report.problems
