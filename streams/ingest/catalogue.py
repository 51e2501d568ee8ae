"""The catalogue of the metrics of `parcelwatch ingest`, as `streams.worker.catalogue` is of a worker's.

No label holds more than the name of a format or a topic.
"""

from __future__ import annotations

from streams.worker.catalogue import Entry, Section

#: Seconds: from an acknowledgement on the same machine to a push that is about to be given up.
LATENCY_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

INGEST = Section("Ingest", (
    Entry("parcelwatch_ingest_pushes_total", "counter", ("format", "outcome"), "pushes",
          "Pushes answered, by format and by what became of them: `accepted`, `dead_letter`, `test`, `bad_signature`, "
          "`bad_body`, `too_large`, `too_slow`, `overloaded`, `undelivered`",
          "`bad_signature`: a secret differs, or somebody tries. `overloaded`, `undelivered`: look at the brokers; "
          "platforms push again."),
    Entry("parcelwatch_ingest_events_total", "counter", ("topic",), "events", "Events that Kafka has acknowledged",
          "Flat while pushes are accepted: they hold nothing new of the formats served."),
    Entry("parcelwatch_ingest_dead_letters_total", "counter", ("format", "reason"), "pushes",
          "Pushes of which something could not be read, by reason",
          "Rising: see [ingest](ingest.md#dead-letters)."),
    Entry("parcelwatch_ingest_seconds", "histogram", ("format",), "seconds",
          "From a request to its answer", "Slow: look at the brokers; platforms give up after some seconds.",
          LATENCY_BUCKETS),
    Entry("parcelwatch_ingest_in_flight", "gauge", (), "pushes", "Pushes that are being worked on, or wait for that",
          "Near `--at-once` and `--waiting` together: more are answered with 503."),
    Entry("parcelwatch_ingest_ready", "gauge", (), "1 or 0", "1: Kafka takes events",
          "0: `/readyz` and the log give the reason."),
))  # fmt: skip

SECTIONS = (INGEST,)
CATALOGUE = {entry.name: entry for section in SECTIONS for entry in section.entries}
