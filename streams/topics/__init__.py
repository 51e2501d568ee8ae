"""The topics that an application needs on Kafka: creates missing ones, reports those configured differently.

    from streams.topics import Settings, ensure

    report = await ensure("127.0.0.1:9092", Settings(app_id="parcelwatch", dataflow=dataflow))
    for line in report.lines():
        print(line)

Existing topics are never changed or deleted: adding partitions moves keys, and a shorter retention drops records.
"""

from streams.topics.desired import Settings
from streams.topics.ensure import ensure
from streams.topics.report import Report

__all__ = ["Report", "Settings", "ensure"]
