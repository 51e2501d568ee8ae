"""Runs of workers on three brokers under faults that a seed chooses; a good run says what a replay of its stream does.

`python -m tests.faults --seed N` repeats one. A plan is made of the seed alone (`plan`), its faults are done to a run
as that goes on (`faults`), and the judge knows of neither (`verdict`).
"""
