"""The event-time engine: tasks with watermarks over a partitioned log, exactly once.

It knows nothing of what the events are about; see `streams.engine.processor` for what it asks of the logic.
"""
