"""Writes `docs/metrics.md`, the page of all metrics, from their catalogue.

    python -m streams.metrics_page [--check] [FILE]

`--check` writes nothing, and exits with status 1 if the file is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from schemas.made_files import MadeFiles
from streams.ingest import catalogue as ingest
from streams.notify import catalogue as notify
from streams.worker.catalogue import SECTIONS, Entry, Section

FILE = Path(__file__).parents[1] / "docs/metrics.md"

_HEAD = """\
# Metrics

<!-- Made from streams/worker/catalogue.py, streams/ingest/catalogue.py and streams/notify/catalogue.py
by `make reference`. -->

A worker with `--metrics-port` serves these under `/metrics`. Names, units and types follow Prometheus' conventions. No
label contains the id of a shop, an order, an item, a buyer, a parcel or a facility. The label `task` is a kind of task
and a partition (`orders-0`), `input` is a topic or an [edge](architecture.md) of the dataflow.

The rules in [alert-rules.yml](../deploy/prometheus/alert-rules.yml) tell when a person has to look; the
[runbook](runbook/README.md) says what to do then.
"""

_INGEST = """\
[`parcelwatch ingest`](ingest.md) with `--metrics-port` serves these, and those of its process, of
connections to its endpoint and of certificates. The label `format` is a
format of `parcelwatch adapt`.
"""

_NOTIFY = """\
[`parcelwatch notify`](notify.md) with `--metrics-port` serves these, and those of its process, of
connections to its endpoint and of certificates. The label `channel` is
the name of a channel in its file.
"""


def page() -> str:
    """The content of the file."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for head, sections in ((_HEAD, SECTIONS), (_INGEST, ingest.SECTIONS), (_NOTIFY, notify.SECTIONS)):
        yield head
        for section in sections:
            yield from _table(section)


def _table(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    yield "| metric | type, unit | labels | meaning | when it looks bad |"
    yield "|---|---|---|---|---|"
    yield from map(_row, section.entries)
    yield ""


def _row(entry: Entry) -> str:
    labels = ", ".join(f"`{label}`" for label in entry.labels)
    return f"| `{entry.name}` | {entry.kind}, {entry.unit} | {labels} | {entry.meaning} | {entry.act} |"


def files() -> dict[str, bytes]:
    """The file itself."""
    return {"": page().encode()}


main = MadeFiles("streams.metrics_page", (__doc__ or "").split("\n")[0], FILE, files).main


if __name__ == "__main__":
    sys.exit(main())
