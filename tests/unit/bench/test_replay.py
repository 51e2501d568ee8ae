"""The measurements of the replay run, and tell of every stage."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bench import replay
from bench.asked import Asked
from bench.results import Cell


async def test_a_small_measurement_of_the_replay_has_every_figure(tmp_path: Path) -> None:
    speeds, stages = await replay.run(Asked(tmp_path, lambda _: None, divide=150))
    natives = ["on", "off"] if find_spec("parcelwatch_native") is not None else ["off"]
    assert [row[:2] for row in speeds.rows] == [[name, each] for name in ("scans", "everything") for each in natives]
    assert [row[0] for row in stages.rows] == ["scans", "everything"]
    assert stages.columns[2:] == [*replay.STAGES, "all"]
    figures = [figure for row in speeds.rows for figure in row[2:-1]] + [
        each for row in stages.rows for each in row[1:]
    ]
    assert all(is_positive(figure) for figure in figures)


def is_positive(figure: Cell) -> bool:
    return isinstance(figure, int | float) and figure > 0
