"""How the engine works: tasks, transactions, restores, state, the process."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from dashboards.page import Panel, page
from dashboards.palette import BAD, DOUBTFUL, WELL
from dashboards.panels import Query, bars, lines, rows, states, value
from dashboards.queries import behind, greatest, increase, least, metric, or_zero, quantile, rate, total

KINDS = ("orders", "shipments")


def dashboard() -> model.Dashboard:
    """Of the workers of one application, or of several."""
    about = "Tasks, transactions, restores, state and processes of parcelwatch's workers."
    sections = {
        "Group": _group(), "Transactions": _transactions(), "Restores and standbys": _restores(), "State": _state(),
        "Brokers and clocks": _brokers(), "Processes": _processes(),
    }  # fmt: skip
    return page("engine", "engine", about, sections)


def _group() -> list[Panel]:
    failures = increase("parcelwatch_task_failures_total"), increase("parcelwatch_commit_failures_total")
    return [
        value("Task restarts", "Times that a task was started over, in the time shown.",
              or_zero(total(failures[0])), limits=[(1, DOUBTFUL), (20, BAD)]),
        value("Failed commits", "Transactions that failed, in the time shown.",
              or_zero(total(failures[1])), limits=[(1, DOUBTFUL), (20, BAD)]),
        value("Rebalances", "Assignments that the group has given to some worker, in the time shown.",
              or_zero(total(increase("parcelwatch_rebalances_total"))), limits=[(20, DOUBTFUL)]),
        value("Being restored", "Offsets of changelogs left to read before all tasks run.",
              or_zero(total(metric("parcelwatch_restoring_offsets"))), unit=units.Short, limits=[(1, DOUBTFUL)]),
        value("Rights missing", "Rights on the brokers that workers need and do not have.",
              or_zero(greatest(metric("parcelwatch_missing_rights"))), limits=[(1, BAD)]),
        value("Catching up", "Workers that still read the past, with `--catch-up`.",
              total(metric("parcelwatch_catching_up")), limits=[(1, DOUBTFUL)]),
        rows("Versions", "What runs: two rows mean that a roll-out is under way, or was left halfway.",
             f"count by (application, version, policy, native) ({metric('parcelwatch_build_info')})",
             {"application": "Application", "version": "Version", "policy": "Policy", "native": "Native code"},
             value_name="Workers", width=8),
        lines("Tasks", "Tasks that run, by worker.",
              Query(total(metric("parcelwatch_tasks"), "instance"), "{{instance}}"),
              unit=units.Short, stacked=True, width=8),
        states("Not ready", "Why a worker is not ready; where all is well, every row is.",
               Query(greatest(metric("parcelwatch_not_ready"), "reason"), "{{reason}}"),
               {"0": ("well", WELL), "1": ("not ready", BAD)}, width=8),
    ]  # fmt: skip


def _transactions() -> list[Panel]:
    errors = "kind", "error"
    return [
        lines("Commits", "Transactions committed, by kind of task.",
              Query(total(rate("parcelwatch_commits_total"), "kind"), "{{kind}}"), unit=units.OpsPerSecond, known=KINDS,
              width=8),
        lines("Duration of a commit", "Median and 99th percentile, of all tasks.",
              Query(quantile(0.5, "parcelwatch_commit_seconds"), "median"),
              Query(quantile(0.99, "parcelwatch_commit_seconds"), "99 %"),
              unit=units.Seconds, known=("median", "99 %"), width=8),
        lines("Failures", "Failed commits, and tasks started over, by error.",
              Query(or_zero(total(rate("parcelwatch_commit_failures_total"), *errors), "error"),
                    "commit {{kind}} {{error}}"),
              Query(or_zero(total(rate("parcelwatch_task_failures_total"), *errors), "error"),
                    "task {{kind}} {{error}}"),
              unit=units.CountsPerSecond, width=8),
        lines("Messages between tasks", "What tasks send one another, by the kind of the sender.",
              Query(total(rate("parcelwatch_envelopes_total"), "kind"), "{{kind}}"),
              unit=units.MessagesPerSecond, known=KINDS, width=8),
        lines("Changelog written", "Bytes of state that transactions write, by kind of task.",
              Query(total(rate("parcelwatch_changelog_bytes_total"), "kind"), "{{kind}}"),
              unit=units.BytesPerSecondIEC, known=KINDS, width=8),
        lines("Entries not settled", "Entries that wait for the watermark of another input, by task.",
              Query(greatest(metric("parcelwatch_unsettled_entries"), "task"), "{{task}}"), unit=units.Short, width=8),
    ]  # fmt: skip


def _restores() -> list[Panel]:
    taken, seconds = (total(metric(f"parcelwatch_restore_seconds_{part}")) for part in ("count", "sum"))
    return [
        lines("Left to restore", "Offsets of a changelog left to read, by task.",
              Query(greatest(metric("parcelwatch_restoring_offsets"), "task"), "{{task}}"), unit=units.Short, width=6),
        # Most are read before a new worker is first scraped: no rate shows them.
        lines("Rows restored", "Rows of changelogs read to take tasks over since the worker started, by worker.",
              Query(total(metric("parcelwatch_restored_rows_total"), "instance"), "{{instance}}"),
              unit=units.Short, width=6),
        value("Mean restore", "Mean time to take a task over, since the workers started.",
              f"{seconds} / {taken}",
              unit=units.Seconds, limits=[(60, DOUBTFUL)], width=4, height=8),
        lines("Standbys behind", "Offsets that standbys are behind their changelogs, by task.",
              Query(or_zero(greatest(metric("parcelwatch_standby_lag_offsets"), "task"), "task"), "{{task}}"),
              unit=units.Short, width=4),
        lines("Rows of standbys", "Rows of changelogs read for standbys.",
              Query(or_zero(total(rate("parcelwatch_standby_rows_total"), "kind"), "kind"), "{{kind}}"),
              unit=units.RowsPerSecond, known=KINDS, width=4),
    ]  # fmt: skip


def _state() -> list[Panel]:
    free, size = metric("parcelwatch_state_dir_free_bytes"), metric("parcelwatch_state_dir_size_bytes")
    return [
        lines("Rows of state", "What is kept, by table.",
              Query(total(metric("parcelwatch_state_rows"), "table"), "{{table}}"), unit=units.Short,
              known=("parcels", "cases", "shops", "feeds", "facilities"), width=8),
        lines("Due index", "Size of the index of keys that wait for a deadline, by worker.",
              Query(total(metric("parcelwatch_due_index_bytes"), "instance"), "{{instance}}"),
              unit=units.BytesIEC, width=8),
        bars("Disk used", "Share of the file system of `--state-dir` that is in use, by worker; `none` where state "
             "is kept in memory alone.", Query(or_zero(f"1 - {free} / {size}", "instance"), "{{instance}}"),
             unit=units.PercentUnit, limits=[(0.8, DOUBTFUL), (0.9, BAD)], width=8),
    ]  # fmt: skip


def _brokers() -> list[Panel]:
    silence, turn = (
        greatest(behind(metric(f"parcelwatch_{name}_timestamp_seconds")), "instance")
        for name in ("broker_answer", "loop_turn")
    )
    left = least(f"{metric('parcelwatch_certificate_expiry_timestamp_seconds')} - time()", "instance", "certificate")
    return [
        lines("Silence of the brokers", "Time since a broker answered, by worker.",
              Query(silence, "{{instance}}"), unit=units.Seconds, width=6),
        lines("Fetches failed", "By error.",
              Query(or_zero(total(rate("parcelwatch_fetch_failures_total"), "error"), "error"), "{{error}}"),
              unit=units.CountsPerSecond, width=6),
        lines("Connections made anew", "Because no broker answered, by worker.",
              Query(total(rate("parcelwatch_client_rebuilds_total"), "instance"), "{{instance}}"),
              unit=units.CountsPerSecond, width=6),
        lines("Clock ahead of the brokers", "Below 0 where this machine's clock is behind; by worker.",
              Query(greatest(metric("parcelwatch_clock_ahead_seconds"), "instance"), "{{instance}}"),
              unit=units.Seconds, width=6, floor=None),
        lines("Held up", "Offsets behind an open transaction of a producer, by topic.",
              Query(or_zero(total(metric("parcelwatch_held_up_records"), "topic"), "topic"), "{{topic}}"),
              unit=units.Short, width=6),
        lines("Records lost", "Records deleted before they were read, at the most, by topic.",
              Query(or_zero(total(rate("parcelwatch_records_lost_total"), "topic"), "topic"), "{{topic}}"),
              unit=units.RecordsPerSecond, width=6),
        lines("Standing still", "The longest time for which a task has read nothing although there are records.",
              Query(greatest(metric("parcelwatch_standstill_seconds"), "instance"), "{{instance}}"),
              unit=units.Seconds, width=6),
        lines("Step of a task", "Time since the event loop came round, by worker.",
              Query(turn, "{{instance}}"), unit=units.Seconds, width=6),
        lines("Certificates", "Time until a certificate runs out that is used for new connections, by worker; `none` "
              "where there are no certificates in files.",
              Query(or_zero(left, "instance"), "{{instance}} {{certificate}}"), unit=units.Seconds, width=24,
              floor=None),
    ]  # fmt: skip


def _processes() -> list[Panel]:
    return [
        lines("Processor", "Cores in use, by worker. A worker uses one at the most.",
              Query(total(rate("process_cpu_seconds_total"), "instance"), "{{instance}}"), unit=units.PercentUnit,
              width=6),
        lines("Memory", "Resident memory, by worker.",
              Query(greatest(metric("process_resident_memory_bytes"), "instance"), "{{instance}}"), unit=units.BytesIEC,
              width=6),
        lines("Open files", "Files and connections by the most that there may be, by worker.",
              Query(f"{metric('process_open_fds')} / {metric('process_max_fds')}", "{{instance}}"),
              unit=units.PercentUnit, width=6),
        lines("Running for", "Time since the process started, by worker.",
              Query(greatest(behind(metric("process_start_time_seconds")), "instance"), "{{instance}}"),
              unit=units.Seconds, width=6),
    ]  # fmt: skip
