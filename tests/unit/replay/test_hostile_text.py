"""Messages that have cost other programs dear: they are counted or refused, and nothing stops."""

from __future__ import annotations

import json
from pathlib import Path

from streams.policy import load
from streams.replay.reading import read
from streams.replay.run import Replay


def line(number: int, text: str) -> str:
    """A message's line; `text` is JSON text as it stands."""
    value = {
        "event_id": f"E{number}",
        "occurred_at": f"2026-03-01T00:00:{number:02}Z",
        "type": "chat.message",
        "shop_id": "S1",
        "conversation_id": f"C{number}",
        "sender": "buyer",
        "text": "...",
    }
    return json.dumps({"topic": "chats", "value": value}).replace('"..."', text)


def test_hostile_messages_are_counted_or_refused(tmp_path: Path) -> None:
    counted = [
        json.dumps("平" * 21_000, ensure_ascii=False),
        json.dumps("a" * 65_000),
        json.dumps("\x01" * 10_000),
        json.dumps("e\u0301" * 20_000, ensure_ascii=False),
        r'"\ud83d\ude00"',
        '""',
        '"' + r"\ud800" * 10_000 + '"',
        r'"\ud800 a \udfff"',
    ]
    too_large = [json.dumps("平" * 22_000, ensure_ascii=False)]
    lines = [line(number, text) for number, text in enumerate([*counted, *too_large], 1)]
    source = tmp_path / "events.jsonl"
    source.write_text("\n".join(lines) + "\n", "utf-8")
    summary = Replay(load.default()).run(read(source))
    assert summary["events"] == {"chat.message": len(counted)}
    assert summary["dead"]["by_reason"] == {"too_large": len(too_large)}
