"""The worker: Faust agents over a Kafka consumer group, or a log in memory, driving the processors of a dataflow.

On Kafka, in a process of its own::

    from streams.engine.clock import Clock
    from streams.worker import Metrics, WorkerSettings, run_worker

    metrics = Metrics()                     # Metrics.registry takes further collectors
    settings = WorkerSettings(app_id="parcelwatch", bootstrap="127.0.0.1:9092", clock=Clock.wall(),
                              once=False, metrics_port=9464)
    status = run_worker(settings, dataflow, assemble, metrics)

`dataflow` is a `streams.engine.processor.Dataflow`, whose external inputs bear the names of the topics. `assemble` is
called once, with the number of tasks of each kind (`{"orders": 4, "shipments": 4}`: the partitions of the topics that
it reads), and returns `factory(kind, partition)`, which makes an empty `Processor`; that is called again whenever
a task is taken over or starts over, and in a thread of its own. `run_worker` blocks, stops on SIGTERM and SIGINT
(commits, leaves the group) and returns the exit status: 0, 1 (a fault of ours), 2 (a set-up that cannot work; one line
on standard error). Clocks: `Clock.wall()`, `Clock.stream()`, `Clock.end(TIME)` (microseconds). `once` needs `Clock.end`
and ends the worker when every task of the group is final and committed.

In memory, in one process and event loop::

    from streams.worker import Embedded

    topics = {"orders": 1, "alerts": 1}
    async with Embedded(dataflow, assemble, clock=Clock.end(T), topics=topics, once=True) as worker:
        worker.append("orders", key, value)         # synchronous; the partition by murmur2 of the key
        status = await worker.finished()            # with `once`; else leave the block to stop
        records = worker.records("alerts")          # committed so far, all partitions: [(partition, Record)]
        async for partition, record in worker.subscribe("alerts"): ...   # from the beginning, as they are committed

`topics` maps every external input and output topic to its number of partitions. Records may be appended before the
block is entered. The same agents, tasks and transactions run as on Kafka.
"""

from streams.worker.embedded import Embedded
from streams.worker.metrics import Metrics
from streams.worker.run import run_worker
from streams.worker.settings import WorkerSettings

__all__ = ["Embedded", "Metrics", "WorkerSettings", "run_worker"]
