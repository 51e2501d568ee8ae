"""Pushes of kuaidi100's, signed as it signs them."""

from __future__ import annotations

import hashlib
import json

SALT = "pinch-of-salt"


def signed(number: str, scans: int, salt: str = SALT) -> dict[str, str]:
    """The form of a push: a parcel's scans, a minute apart."""
    data = [
        {"ftime": f"2026-03-04 18:{minute:02}:00", "context": "【杭州转运中心】已发出", "statusCode": "1002"}
        for minute in range(scans)
    ]
    param = json.dumps({"status": "polling", "lastResult": {"nu": number, "com": "zhongtong", "data": data}})
    return {"param": param, "sign": signature(param, salt)}


def signature(param: str, salt: str) -> str:
    """What kuaidi100 sends beside a field that it signs."""
    return hashlib.md5((param + salt).encode()).hexdigest().upper()  # noqa: S324
