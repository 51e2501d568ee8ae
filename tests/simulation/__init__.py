"""Whole workers in virtual time, on brokers in memory with Kafka's transactions and groups, by seeded schedules.

`python -m tests.simulation --seed 7` runs one seed, `--seeds 1000` a thousand; a seed that fails prints itself. What a
seed decides: the stream, the numbers of partitions and workers, all latencies, which of what is ready runs next, and
every fault. See docs/decisions for the design, and docs/reliability-model.md for what is assumed of Kafka.
"""
