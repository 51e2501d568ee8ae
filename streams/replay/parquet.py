"""The output of a replay as Parquet: the rows of the JSON lines, in their order, with flat columns.

Alerts have the members that analysts need as columns, and all evidence as JSON text. Windows of the tables are columns
with the suffix `_7d` or `_30d`. Times are microseconds in UTC. The same rows give the same bytes with the same version
of pyarrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from schemas.times import parse

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of one row group: what is in memory at once.
_GROUP = 50_000
_TYPE_PREFIX, _TYPE_SUFFIX = "parcelwatch.", ".v1"
_TIME, _TEXT, _COUNT, _RATE, _CODES = "time", "text", "count", "rate", "codes"

#: Column and what it holds. `alert` is the type without prefix and version.
_ALERT = {
    "id": _TEXT,
    "time": _TIME,
    "type": _TEXT,
    "alert": _TEXT,
    "subject": _TEXT,
    "status": _TEXT,
    "severity": _TEXT,
    "shop_id": _TEXT,
    "order_id": _TEXT,
    "carrier": _TEXT,
    "audience": _TEXT,
    "policy": _TEXT,
    "episode": _TEXT,
    "resolution": _TEXT,
    "last_update": _TIME,
    "last_status": _TEXT,
    "facility": _TEXT,
    "threshold_hours": _RATE,
    "causes": _CODES,
    "message_zh": _TEXT,
    "message_en": _TEXT,
    "evidence": _TEXT,
}
_WINDOWS = ("7d", "30d")
_COUNTS = ("orders", "disputes", "complaints", "interventions", "ticket_timeouts", "escalations", "rate",
           "logistics_linked", "window_closed")  # fmt: skip
_TOPICS = ("after_sales", "logistics", "promotion", "product", "other")
_TABLES: dict[str, dict[str, str]] = {
    "help-rates": {
        "shop_id": _TEXT,
        "as_of": _TIME,
        "main_category": _TEXT,
        "state": _TEXT,
        "baseline": _RATE,
        **{f"{name}_{window}": _RATE if name == "rate" else _COUNT for window in _WINDOWS for name in _COUNTS},
    },
    "category-baselines": {"category_id": _TEXT, "as_of": _TIME, "shops": _COUNT, "rate": _RATE},
    "conversation-topics": {
        "shop_id": _TEXT,
        "as_of": _TIME,
        **{f"{name}_{window}": _COUNT for window in _WINDOWS for name in _TOPICS},
    },
    "refund-reasons": {"shop_id": _TEXT, "as_of": _TIME, **{f"reasons_{window}": "reasons" for window in _WINDOWS}},
}
_DEAD = {"topic": _TEXT, "line": _COUNT, "error_code": _TEXT, "error_detail": _TEXT}


def is_available() -> bool:
    """Whether pyarrow is installed (extra `parquet`)."""
    return find_spec("pyarrow") is not None


def write_alerts(file: Path, events: Iterable[bytes]) -> None:
    """CloudEvents as `AlertWriter` writes them, one row each."""
    _write(file, _ALERT, map(_alert, events))


def write_table(file: Path, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Records of one of the four tables."""
    _write(file, _TABLES[table], map(_flat, rows))


def write_dead_letters(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The lines of `dead-letters.jsonl`; with a column of their files where these are told."""
    told = any("file" in row for row in rows)
    _write(file, {"file": _TEXT, **_DEAD} if told else _DEAD, rows)


def _alert(event: bytes) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(event)
    data: dict[str, Any] = read["data"]
    evidence: dict[str, Any] = data["evidence"]
    causes = evidence.get("causes")
    return {
        **read,
        **data,
        "time": parse(read["time"]),
        "alert": read["type"].removeprefix(_TYPE_PREFIX).removesuffix(_TYPE_SUFFIX),
        "last_update": parse(evidence["last_update"]) if evidence.get("last_update") else None,
        "last_status": evidence.get("last_status"),
        "facility": evidence.get("facility"),
        "threshold_hours": evidence.get("threshold_hours"),
        "causes": [cause["code"] for cause in causes] if causes is not None else None,
        "message_zh": data["message"]["zh-CN"],
        "message_en": data["message"]["en"],
        "evidence": orjson.dumps(evidence).decode(),
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the members of its windows beside the others; reasons stay lists."""
    flat = {**row, "as_of": parse(row["as_of"])}
    for window in _WINDOWS:
        content = flat.pop(window, None)
        if isinstance(content, dict):
            flat |= {f"{name}_{window}": value for name, value in content.items()}
        elif content is not None:
            flat[f"reasons_{window}"] = content
    return flat


def _write(file: Path, columns: dict[str, str], rows: Iterable[dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, _type(kind)) for name, kind in columns.items()])
    with file.open("wb") as raw, parquet.ParquetWriter(raw, schema, compression="zstd", store_schema=False) as out:
        for group in _groups(iter(rows)):
            arrays = [
                # A count that is not given is none.
                pa.array([row.get(name, 0 if kind == _COUNT else None) for row in group], _type(kind))
                for name, kind in columns.items()
            ]
            out.write_table(pa.table(arrays, schema=schema))


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    while group := list(islice(rows, _GROUP)):
        yield group


def _type(kind: str) -> pa.DataType:
    import pyarrow as pa

    reason = pa.struct([("kind", pa.string()), ("reason", pa.string()), ("count", pa.int64())])
    types: dict[str, Callable[[], Any]] = {
        _TIME: lambda: pa.timestamp("us", tz="UTC"),
        _TEXT: pa.string,
        _COUNT: pa.int64,
        _RATE: pa.float64,
        _CODES: lambda: pa.list_(pa.string()),
        "reasons": lambda: pa.list_(reason),
    }
    return types[kind]()
