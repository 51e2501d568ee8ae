"""The measurements of the replay run, and tell of every stage."""

from __future__ import annotations

import pytest

from bench import replay


def test_a_small_measurement_of_the_replay_prints_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    replay.main(["--events", "2000", "--parcels", "200"])
    said = capsys.readouterr().out
    assert "| scans | 2,004 |" in said
    assert said.count("| everything |") == 2
    for stage in replay.STAGES:
        assert f" {stage} |" in said
    assert "200 shipments of 8 scans and one order" in said
