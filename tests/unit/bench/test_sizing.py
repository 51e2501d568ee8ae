"""docs/sizing.md: its tables are computed from what was measured, and the rows of a larger stream are larger."""

from __future__ import annotations

import pytest

from bench.sizing import BARE, DOCUMENT, LOAD, PARTITIONS, WORKER, figures, filled, need, size

KNOWN = figures()


def test_the_tables_of_the_page_are_those_of_the_figures() -> None:
    assert filled(DOCUMENT.read_text()) == DOCUMENT.read_text(), "python -m bench.sizing"


def test_the_text_names_what_the_rows_say() -> None:
    text = " ".join(DOCUMENT.read_text().split())
    national = need(720_000_000, True, KNOWN)
    events = national.cores * national.applications - 2 * 48 * KNOWN.task * national.applications
    tasks = 2 * 48 * KNOWN.task * national.applications
    assert f"take some {events:.0f} cores" in text
    assert f"take {national.applications} applications with {national.workers} workers each" in text
    assert f"another {round(tasks, -1):.0f} cores" in text
    assert f"{720_000_000 * 187 / 1e9:.0f} billion parcels" in text


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("orders", [1_000, 50_000, 700_000, 30_000_000])
def test_what_is_needed_fits(orders: int, on_disk: bool) -> None:
    found = need(orders, on_disk, KNOWN)
    assert 2 <= found.workers <= found.partitions <= PARTITIONS[-1]
    assert found.cores <= found.workers * LOAD
    assert found.memory <= WORKER + BARE
    twice = need(2 * orders, on_disk, KNOWN)
    assert twice.applications * twice.workers >= found.applications * found.workers
    assert twice.applications * twice.changelogs == pytest.approx(2 * found.applications * found.changelogs)


def test_on_disk_takes_less_memory() -> None:
    assert need(10_000, True, KNOWN).memory < need(10_000, False, KNOWN).memory


@pytest.mark.parametrize(("number", "said"), [(999, "999 B"), (1e6, "1.0 MB"), (2.5e9, "2.5 GB"), (113e9, "113 GB")])
def test_sizes_are_told_as_people_read_them(number: float, said: str) -> None:
    assert size(number) == said
