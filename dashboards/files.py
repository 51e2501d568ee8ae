"""The dashboards as files."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import business, doors, engine, overview

FOLDER = Path(__file__).parents[1] / "deploy/grafana/dashboards"


def files() -> dict[str, bytes]:
    """The content of every file, by its name."""
    encode = JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False).encode
    built = (overview.dashboard(), engine.dashboard(), business.dashboard(), doors.dashboard())
    return {f"{page.uid}.json": f"{encode(page)}\n".encode() for page in built}
