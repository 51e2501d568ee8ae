"""Notes of tasks: what is written is read again, and fits into an offset's metadata."""

from __future__ import annotations

import pytest

from streams.engine.notes import MOST, InputNote, TaskNote, WorkerNote, read, write


def note(standbys: int = 0, inputs: int = 1, why: str = "") -> TaskNote:
    worker = WorkerNote(
        {"version": "1"}, {"loop": why} if why else {}, {f"orders-{each}": 1 for each in range(standbys)}
    )
    return TaskNote(7, "m", None, {f"in{each}": InputNote(5, 3, "in-0") for each in range(inputs)}, worker)


def test_what_is_written_is_read() -> None:
    assert read(write(note(standbys=2))) == note(standbys=2)
    assert read(write(TaskNote(7, "m", 0))) == TaskNote(7, "m", 0)


def test_what_does_not_fit_is_left_out_standbys_first() -> None:
    text = write(note(standbys=1_000))
    assert read(text) == note()
    assert len(text.encode()) <= MOST
    text = write(note(inputs=1_000))
    assert read(text) == TaskNote(7, "m")


def test_a_long_reason_is_cut() -> None:
    found = read(write(note(why="é" * 5_000)))
    assert found is not None
    assert found.worker is not None
    assert found.worker.wrong == {"loop": "é" * 300}


@pytest.mark.parametrize(
    "text", ["", "begin", "catching-up:1:2", "final:3", "{}", "[]", '{"at":1,"member":"m","version":2}']
)
def test_other_texts_are_no_notes(text: str) -> None:
    assert read(text) is None
