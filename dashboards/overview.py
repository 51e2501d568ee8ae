"""Is it healthy, and if not, where to look."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from dashboards.page import Panel, page
from dashboards.palette import BAD, DOUBTFUL, WELL
from dashboards.panels import Query, bars, firing, lines, rows, value
from dashboards.queries import CHOSEN, behind, greatest, metric, or_zero, rate, total

TOPICS = ("orders", "logistics-scans", "chats")
SEVERITIES = ("info", "warning", "critical")
_FIRING = f'sum(ALERTS{{alertstate="firing",alertname=~"Parcelwatch.*",{CHOSEN}}})'


def dashboard() -> model.Dashboard:
    """Of the workers of one application, or of several."""
    about = "Whether parcelwatch is healthy, how far it is behind, and which alerts are open."
    return page("overview", "overview", about, {"Now": _now(), "Stream": _stream(), "Alerts": _alerts()})


def _now() -> list[Panel]:
    ready = or_zero(total(metric("parcelwatch_ready")))
    tasks = total(greatest(metric("parcelwatch_group_tasks"), "job", "kind"))
    return [
        value("Workers ready", "Share of the workers that make progress on all that the group has given them. "
              "One that does not answer Prometheus is not ready.",
              f"({ready}) / count(up{{{CHOSEN}}})", unit=units.PercentUnit, limits=[(1, WELL)], below=BAD),
        value("Tasks running", "Share of the group's tasks that run; the others are being restored, or have no worker.",
              f"{total(metric('parcelwatch_tasks'))} / {tasks}", unit=units.PercentUnit, limits=[(1, WELL)], below=BAD),
        value("Alarms firing", "Prometheus' alerts about the workers themselves that fire now.",
              or_zero(_FIRING), limits=[(1, BAD)]),
        value("Lag", "Records that are there and not read yet.",
              total(metric("parcelwatch_lag_records")), unit=units.Short,
              limits=[(10_000, DOUBTFUL), (1_000_000, BAD)]),
        value("Event time behind", "How far the slowest watermark is behind the clock. Nothing later is judged yet.",
              greatest(behind(metric("parcelwatch_watermark_timestamp_seconds"))), unit=units.DurationSeconds,
              limits=[(7_200, DOUBTFUL), (14_400, BAD)]),
        value("Late", "Share of the last minute's records that came after their watermark, of the worst topic.",
              or_zero(greatest(metric("parcelwatch_late_ratio"))), unit=units.PercentUnit,
              limits=[(0.01, DOUBTFUL), (0.1, BAD)]),
    ]  # fmt: skip


def _stream() -> list[Panel]:
    return [
        lines("Records read", "What the workers read, by topic.",
              Query(total(rate("parcelwatch_records_read_total"), "topic"), "{{topic}}"),
              unit=units.RecordsPerSecond, known=TOPICS, stacked=True),
        lines("Lag in records", "Records that are there and not read yet, by topic.",
              Query(total(metric("parcelwatch_lag_records"), "topic"), "{{topic}}"), unit=units.Short, known=TOPICS),
        lines("Lag in time", "Age of the last event read, of the partition that is furthest behind, by topic.",
              Query(greatest(metric("parcelwatch_lag_seconds"), "topic"), "{{topic}}"), unit=units.Seconds,
              known=TOPICS),
        lines("Event time behind, by input", "How far the slowest watermark of each input is behind the clock. Inputs "
              "read to their end stay behind by the lateness that the policy allows.",
              Query(greatest(behind(metric("parcelwatch_watermark_timestamp_seconds")), "input"), "{{input}}"),
              unit=units.Seconds),
        rows("What holds event time back", "For each input of a task, the partition or task with the lowest watermark. "
             "Where event time stands still, look at what is named here.",
             or_zero(metric("parcelwatch_watermark_holder"), "holder"),
             {"task": "Task", "input": "Input", "holder": "Held back by"}),
        lines("Late events", "Share of the last minute's records that came after their watermark.",
              Query(greatest(metric("parcelwatch_late_ratio"), "topic"), "{{topic}}"),
              unit=units.PercentUnit, known=TOPICS, limits=[(0.1, BAD)], width=6),
        lines("Dead letters", "Records that are no valid event, by reason.",
              Query(or_zero(total(rate("parcelwatch_dead_letters_total"), "reason"), "reason"), "{{reason}}"),
              unit=units.RecordsPerSecond, width=6),
    ]  # fmt: skip


def _alerts() -> list[Panel]:
    raised, resolved = (rate("parcelwatch_alerts_total", f'status="{status}"') for status in ("raised", "resolved"))
    return [
        bars("Open alerts", "Alerts that are open now, by type.",
             Query(or_zero(greatest(total(metric("parcelwatch_open_alerts"), "type", "audience"), "type"), "type"),
                   "{{type}}")),
        firing("Alarms", "Prometheus' alerts about the workers themselves; each has a page in docs/runbook."),
        lines("Raised", "Alerts raised, by severity.",
              Query(or_zero(total(raised, "severity"), "severity"), "{{severity}}"),
              unit=units.CountsPerSecond, known=SEVERITIES, stacked=True),
        lines("Resolved", "Alerts resolved, by severity.",
              Query(or_zero(total(resolved, "severity"), "severity"), "{{severity}}"),
              unit=units.CountsPerSecond, known=SEVERITIES, stacked=True),
    ]  # fmt: skip
