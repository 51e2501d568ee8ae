"""Creates task processors."""

from __future__ import annotations

from streams.engine.processor import Processor
from streams.stages.dataflow import ORDERS_TASK
from streams.stages.orders_task import OrdersTask
from streams.stages.shipments.task import ShipmentsTask
from streams.stages.task_context import Setting


def processor(setting: Setting, kind: str, partition: int) -> Processor:
    """An empty processor of a kind of task of `streams.stages.dataflow`."""
    if kind == ORDERS_TASK:
        return OrdersTask(setting, partition)
    return ShipmentsTask(setting, partition)
