"""The measurements of the replay run, and tell of every stage."""

from __future__ import annotations

from pathlib import Path

from bench import replay
from bench.asked import Asked
from bench.results import Cell


async def test_a_small_measurement_of_the_replay_has_every_figure(tmp_path: Path) -> None:
    speeds, stages = await replay.run(Asked(tmp_path, lambda _: None, divide=150))
    assert speeds.rows[0][:2] == ["scans", 2004]
    assert [row[0] for row in stages.rows] == ["scans", "everything"]
    assert stages.columns[2:] == [*replay.STAGES, "all"]
    assert all(is_positive(figure) for row in speeds.rows + stages.rows for figure in row[1:])


def is_positive(figure: Cell) -> bool:
    return isinstance(figure, int | float) and figure > 0
