"""What the dashboards may ask for: every metric of workers, ingests and notifiers, with its meaning and what to do."""

from __future__ import annotations

import re

from streams.ingest.catalogue import INGEST
from streams.notify.catalogue import NOTIFIER
from streams.worker.catalogue import CATALOGUE as WORKER

#: A link within docs is none in Grafana: there it is the name of the page.
_LINK = re.compile(r"\[([^]]+)\]\(([^)#]+)[^)]*\)")


def _plain(text: str) -> str:
    return _LINK.sub(r"\1 (docs/\2)", text)


#: The metrics of the doors: of what events come in by, and alerts go out.
DOORS = {entry.name: entry for section in (INGEST, NOTIFIER) for entry in section.entries}
CATALOGUE = WORKER | DOORS
#: Sentences by the name of the metric.
MEANINGS = {entry.name: _plain(f"{entry.meaning}. {entry.act}") for entry in CATALOGUE.values()}
#: The names of the time series that a histogram consists of.
PARTS = {
    f"{entry.name}_{part}": entry.name
    for entry in CATALOGUE.values()
    if entry.kind == "histogram"
    for part in ("bucket", "sum", "count")
}
