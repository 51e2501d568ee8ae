"""The catalogue of all metrics of a worker: name, type, labels, unit, meaning, and what to do when one looks bad.

`docs/metrics.md` is made from it (`streams.metrics_page`). No label holds an id of a shop, an order, an item, a
parcel, a facility or a person.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

#: Seconds: from a commit in memory to one that is about to time out; and of restores, up to ten minutes.
COMMIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
RESTORE_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class Entry(NamedTuple):
    """One metric. `unit`: a base unit of Prometheus, or what is counted. `act`: what to do when it looks bad."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    unit: str
    meaning: str
    act: str
    buckets: tuple[float, ...] = ()


class Section(NamedTuple):
    """Metrics that are read together."""

    title: str
    entries: tuple[Entry, ...]


READING = Section("Reading", (
    Entry("parcelwatch_records_read_total", "counter", ("topic",), "records", "Records read, by topic",
          "Flat while producers are busy: nothing is being read. Look at `parcelwatch_not_ready`."),
    Entry("parcelwatch_lag_records", "gauge", ("topic", "partition"), "offsets",
          "Offsets between the position and the end of an input partition",
          "Growing: add workers, up to the number of partitions."),
    Entry("parcelwatch_lag_seconds", "gauge", ("topic", "partition"), "seconds",
          "How far the latest event read of an input partition is behind the clock; 0 once it is read to its end",
          "As for the lag in records. Steady with few records left: the producer sends old events."),
    Entry("parcelwatch_held_up_records", "gauge", ("topic", "partition"), "offsets",
          "Offsets that cannot be read because a producer's transaction before them is open",
          "Above 0: the log names the producer; see [broker](broker.md)."),
    Entry("parcelwatch_records_lost_total", "counter", ("topic",), "offsets",
          "Records deleted before they were read (upper bound)",
          "Above 0: see [broker](broker.md#a-position-does-not-hold). Lengthen the topic's retention."),
    Entry("parcelwatch_fetch_failures_total", "counter", ("error",), "fetches", "Fetches that failed",
          "Rising: `/readyz` and the log give the error."),
    Entry("parcelwatch_standstill_seconds", "gauge", (), "seconds",
          "The longest time for which a task has committed nothing although there are records",
          "Above 30 the worker is not ready: `/readyz` names the task and the partition."),
    Entry("parcelwatch_standstill_restarts_total", "counter", ("step",), "restarts",
          "Restarts of what stood still: a `task`, or the worker's membership (`member`) and all its tasks",
          "Rising: the log says which, and at what offset it stood."),
    Entry("parcelwatch_dead_letters_total", "counter", ("topic", "reason"), "records",
          "Records that are no valid event, by topic and reason",
          "Rising: the log gives the offsets. Mend the producer, then send them back with `parcelwatch redrive`."),
    Entry("parcelwatch_repeats_total", "counter", (), "events", "Events that were known already",
          "Many: a producer sends its history again. Harmless."),
    Entry("parcelwatch_tombstones_total", "counter", (), "records", "Records without a value",
          "Harmless: they are skipped."),
    Entry("parcelwatch_native_scans_total", "counter", (), "events",
          "Scans that parcelwatch-native has taken; Python takes the others",
          "Few beside the scans read, although `parcelwatch_build_info` names it: they are out of the ordinary, "
          "which costs speed and nothing else."),
    Entry("parcelwatch_numbers_under_two_names_total", "counter", (), "parcels",
          "Tracking numbers seen under two names of one carrier while `[carriers] canonical` is off",
          "Above 0: set `[carriers] canonical = true`; see [Names](rules.md#names)."),
))  # fmt: skip

EVENT_TIME = Section("Event time", (
    Entry("parcelwatch_watermark_timestamp_seconds", "gauge", ("task", "input"), "seconds since 1970",
          "Watermark of an input of a task",
          "Compare with the clock: one that stands still holds back all alerts behind it."),
    Entry("parcelwatch_watermark_holder", "gauge", ("task", "input", "holder"), "1",
          "1 for the partition, or the task, that holds the watermark of an input back",
          "Look there when a watermark stands still."),
    Entry("parcelwatch_late_events_total", "counter", ("topic",), "events",
          "Events behind their watermark when they were read",
          "Many: a producer is slower than the policy's lateness allows."),
    Entry("parcelwatch_late_ratio", "gauge", ("topic",), "ratio",
          "Late events of the last minute by all records of it, 0 to 1",
          "Above 0.1 it is logged, too: see [A past stream](operations.md#changing-things)."),
    Entry("parcelwatch_left_out_events_total", "counter", ("topic",), "events",
          "Events after the end of `--clock TIME`", "Harmless: the end was set so."),
    Entry("parcelwatch_unsettled_entries", "gauge", ("task",), "entries", "Entries that wait for watermarks to come",
          "Growing: one input is ahead of the others; `parcelwatch_watermark_holder` names the slowest."),
    Entry("parcelwatch_catching_up", "gauge", (), "1 or 0",
          "1 while a worker with `--catch-up` reads the past and its clock moves nothing",
          "1 for longer than the past takes to read: see [A past stream](operations.md#changing-things)."),
    Entry("parcelwatch_clock_ahead_seconds", "gauge", (), "seconds",
          "This machine's clock less that of the brokers; negative if it is behind",
          "More than a few seconds: set the one that is wrong; see [broker](broker.md#clocks-that-jump)."),
))  # fmt: skip

TRANSACTIONS = Section("Transactions", (
    Entry("parcelwatch_commits_total", "counter", ("kind",), "transactions",
          "Transactions committed, by kind of task", "Flat while records are read: look at the failures."),
    Entry("parcelwatch_commit_seconds", "histogram", ("kind",), "seconds", "Duration of a commit",
          "Slow: look at the brokers, their disks and `min.insync.replicas`.", COMMIT_BUCKETS),
    Entry("parcelwatch_commit_failures_total", "counter", ("kind", "error"), "transactions",
          "Commits that failed, by error. The task is restored and reads the same records again",
          "Steady: the log gives the error. `FencedError` alone means that another worker took the task over."),
    Entry("parcelwatch_task_failures_total", "counter", ("kind", "error"), "restarts",
          "Times that a task was started over, by error",
          "Harmless now and then. Steady: the log gives the error of each."),
    Entry("parcelwatch_envelopes_total", "counter", ("kind",), "messages", "Messages sent to other tasks",
          "Flat: the watermark behind it stands still."),
    Entry("parcelwatch_changelog_bytes_total", "counter", ("kind",), "bytes",
          "Bytes of keys and rows written to changelogs", "Sizes the brokers' disks: see [operations](operations.md)."),
))  # fmt: skip

STATE = Section("State, restores and standbys", (
    Entry("parcelwatch_state_rows", "gauge", ("task", "table"), "rows",
          "Rows of a task's state: `parcels` or `cases` (orders, tickets and conversations), `shops`, `feeds` and "
          "`facilities`; of a table on disk, an estimate of all rows",
          "Growing for weeks after the start is normal up to the policy's retention; after that look for keys "
          "that never end."),
    Entry("parcelwatch_due_index_bytes", "gauge", ("task",), "bytes",
          "Size of a task's due index: the keys that wait for a deadline", "Follows the rows of the state."),
    Entry("parcelwatch_state_dir_free_bytes", "gauge", (), "bytes",
          "Free space of the file system that holds `--state-dir`; only with a `--store` on disk",
          "Below a tenth of its size: enlarge it. The folder may be deleted while the worker is stopped."),
    Entry("parcelwatch_state_dir_size_bytes", "gauge", (), "bytes",
          "Size of the file system that holds `--state-dir`; only with a `--store` on disk", "For comparison."),
    Entry("parcelwatch_restored_rows_total", "counter", ("kind",), "rows", "Rows of changelogs read to restore tasks",
          "Rising without an end: tasks are restored again and again; see `parcelwatch_task_failures_total`."),
    Entry("parcelwatch_restoring_offsets", "gauge", ("task",), "offsets",
          "Offsets of a changelog left to restore; 0 when done", "Not falling: the brokers do not answer."),
    Entry("parcelwatch_restore_seconds", "histogram", ("kind",), "seconds", "Duration of taking a task over",
          "Long: use `--standbys`, or `--store file` or `rocksdict`.", RESTORE_BUCKETS),
    Entry("parcelwatch_standby_rows_total", "counter", ("kind",), "rows", "Rows of changelogs read for standbys",
          "Flat while changelogs are written: standbys do not follow."),
    Entry("parcelwatch_standby_lag_offsets", "gauge", ("task",), "offsets",
          "Offsets that a standby is behind its changelog", "Growing: takeovers will not be warm."),
))  # fmt: skip

HEALTH = Section("Group and health", (
    Entry("parcelwatch_tasks", "gauge", ("kind",), "tasks", "Tasks of this worker that run",
          "The sum over all workers is `parcelwatch_group_tasks`: less means that tasks are being restored, or have no "
          "worker."),
    Entry("parcelwatch_group_tasks", "gauge", ("kind",), "tasks", "Tasks of the whole group", "For comparison."),
    Entry("parcelwatch_rebalances_total", "counter", (), "rebalances", "Assignments that the group has given",
          "Steady: workers come and go, or do not answer within `--session-timeout`."),
    Entry("parcelwatch_ready", "gauge", (), "1 or 0",
          "1: the worker has its share of the group and makes progress on all of it",
          "0: `parcelwatch_not_ready` gives the reason."),
    Entry("parcelwatch_not_ready", "gauge", ("reason",), "1 or 0", "1: the worker is not ready for this reason",
          "See [the reasons](operations.md#health-and-metrics)."),
    Entry("parcelwatch_broker_answer_timestamp_seconds", "gauge", (), "seconds since 1970",
          "When a broker answered last", "More than a few seconds ago: the brokers, or the way to them, are down."),
    Entry("parcelwatch_loop_turn_timestamp_seconds", "gauge", (), "seconds since 1970",
          "When the event loop came round last", "More than a few seconds ago: one step of a task takes long."),
    Entry("parcelwatch_client_rebuilds_total", "counter", (), "rebuilds",
          "Times that all connections were made anew because no broker answered", "Rising: look at the brokers."),
    Entry("parcelwatch_missing_rights", "gauge", (), "rights", "Rights that the worker needs and does not have",
          "Above 0: the log gives the commands that grant them."),
    Entry("parcelwatch_certificate_start_timestamp_seconds", "gauge", ("certificate",), "seconds since 1970",
          "From when the certificate is valid that new connections use: `client`, or `authority` for that one in "
          "`--ssl-cafile` which is valid longest", "For comparison."),
    Entry("parcelwatch_certificate_expiry_timestamp_seconds", "gauge", ("certificate",), "seconds since 1970",
          "When that certificate runs out",
          "Near: replace the files; see [Rotating credentials](operations.md#rotating-credentials)."),
    Entry("parcelwatch_http_connections", "gauge", (), "connections",
          "Connections to this endpoint when the last one came", "Near 64: something keeps its connections open."),
    Entry("parcelwatch_http_dropped_total", "counter", (), "connections",
          "Connections ended because they were too many or too old", "Rising: likewise."),
))  # fmt: skip

ALERTS = Section("Alerts and shops", (
    Entry("parcelwatch_alerts_total", "counter", ("type", "severity", "status"), "alerts",
          "Alerts raised and resolved, by type and severity", "A sudden rise: see [alerts](alerts.md) for the type."),
    Entry("parcelwatch_open_alerts", "gauge", ("type", "audience"), "alerts",
          "Alerts that are open; one for two audiences counts for each. Types that no event resolves are left out",
          "Growing: see [alerts](alerts.md) for the type."),
    Entry("parcelwatch_shops", "gauge", ("level",), "shops",
          "Shops by the level of their help rate; `insufficient`: too few orders to be judged, `ok`: none",
          "Many at once above `ok`: look at the table `category-baselines`."),
    Entry("parcelwatch_help_rate_events_total", "counter", ("event", "change"), "events",
          "What help rates are made of: orders, and disputes, complaints, interventions and tickets that timed out; "
          "`counted`, and `withdrawn` when voided or disproved by a late event",
          "Escalations per order rise: the business dashboard shows which, the table `help-rates` of which shops."),
    Entry("parcelwatch_carrier_silent", "gauge", ("carrier",), "1", "1 for each carrier whose feed is silent",
          "Ask the carrier, or whoever produces its scans: see [the alert](alerts.md#carrierfeed_silent)."),
))  # fmt: skip

PROCESS = Section("Process", (
    Entry("parcelwatch_build_info", "gauge", ("application", "version", "policy", "native"), "1",
          "1, with the application id, the version, the policy with its fingerprint, and the version of "
          "parcelwatch-native, or `off`",
          "Differs between workers of one application: a roll-out is under way, or was left halfway."),
    Entry("process_start_time_seconds", "gauge", (), "seconds since 1970", "When the process started",
          "Changes often: the worker is being restarted; its last line of log says why."),
    Entry("process_cpu_seconds_total", "counter", (), "seconds", "Processor time used",
          "Near 1 per second while lag grows: a worker uses one core. Add workers."),
    Entry("process_resident_memory_bytes", "gauge", (), "bytes", "Memory in use",
          "Near the limit: use `--store file` or `rocksdict`, or more workers."),
    Entry("process_virtual_memory_bytes", "gauge", (), "bytes", "Address space in use", "For comparison."),
    Entry("process_open_fds", "gauge", (), "files", "Open files and connections",
          "Near `process_max_fds`: raise the limit."),
    Entry("process_max_fds", "gauge", (), "files", "The most that may be open", "For comparison."),
))  # fmt: skip

SECTIONS = (READING, EVENT_TIME, TRANSACTIONS, STATE, HEALTH, ALERTS, PROCESS)
CATALOGUE = {entry.name: entry for section in SECTIONS for entry in section.entries}
