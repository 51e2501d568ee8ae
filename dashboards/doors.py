"""How events come in and alerts go out: pushes to ingests, and what notifiers tell."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from dashboards.page import Panel, page
from dashboards.palette import BAD, DOUBTFUL, WELL
from dashboards.panels import Query, lines, rows, value
from dashboards.queries import greatest, increase, least, metric, or_zero, quantile, rate, total

_PUSHES, _ATTEMPTS = "parcelwatch_ingest_pushes_total", "parcelwatch_notify_attempts_total"
_TAKEN = 'outcome=~"accepted|dead_letter|test"'
_TOPICS = ("orders", "logistics-scans", "chats")
_OUTCOMES = ("accepted", "refused", "limited", "rejected", "uncertain")


def dashboard() -> model.Dashboard:
    """Of the ingests and notifiers of all applications, or of some."""
    about = "What comes in by pushes, and what people are told."
    sections = {"Now": _now(), "Pushes": _pushes(), "Messages": _messages()}
    return page("doors", "ingest and notifiers", about, sections, of_doors=True)


def _now() -> list[Panel]:
    refused = increase(_PUSHES, 'outcome!~"accepted|dead_letter|test"')
    return [
        value("Ingests ready", "Share of the ingests that take pushes.",
              or_zero(f"avg({metric('parcelwatch_ingest_ready')})"), unit=units.PercentUnit, limits=[(1, WELL)],
              below=BAD),
        value("Pushes refused", "Pushes in the time shown that were not answered with 200.",
              or_zero(total(refused)), unit=units.Short, limits=[(1, DOUBTFUL)]),
        value("Pushes in work", "Pushes that are being worked on, or wait for that.",
              or_zero(greatest(metric("parcelwatch_ingest_in_flight"))), unit=units.Short, limits=[(256, DOUBTFUL)]),
        value("Notifiers that tell", "1 for each application: the others of its notifiers wait.",
              or_zero(total(metric("parcelwatch_notify_leading"))), limits=[(1, WELL)], below=BAD),
        value("Channels dead", "Channels that have failed for longer than their patience.",
              or_zero(total(greatest(metric("parcelwatch_notify_channel_dead"), "job", "channel"))),
              limits=[(1, BAD)]),
        value("Waiting", "Alerts and ends that channels are still to be told.",
              or_zero(total(metric("parcelwatch_notify_waiting"))), unit=units.Short),
    ]  # fmt: skip


def _pushes() -> list[Panel]:
    outcomes = total(rate(_PUSHES), "outcome")
    return [
        lines("Pushes", "Pushes answered, by what became of them.",
              Query(f"{outcomes} > 0 or on() {total(rate(_PUSHES))}", "{{outcome}}"), unit=units.RequestsPerSecond,
              stacked=True, width=8),
        lines("Pushes by format", "Pushes that were taken, by format.",
              Query(total(rate(_PUSHES, _TAKEN), "format"), "{{format}}"), unit=units.RequestsPerSecond, stacked=True,
              width=8),
        lines("Time to the answer", "Of 99 in 100 pushes, and of half of them; the brokers' part is in it.",
              Query(quantile(0.99, "parcelwatch_ingest_seconds"), "99 %"),
              Query(quantile(0.5, "parcelwatch_ingest_seconds"), "50 %"), unit=units.Seconds, width=8),
        lines("Events from pushes", "Events that Kafka has acknowledged, by topic.",
              Query(total(rate("parcelwatch_ingest_events_total"), "topic"), "{{topic}}"),
              unit=units.EventsPerSecond, known=_TOPICS, stacked=True, width=8),
        rows("Pushes that could not be read", "Dead letters in the time shown, by format and reason.",
             or_zero(total(increase("parcelwatch_ingest_dead_letters_total"), "format", "reason"), "reason"),
             {"format": "Format", "reason": "Reason"}, value_name="Pushes", width=8),
        lines("Ready", "Whether the ingests take pushes: the least of all.",
              Query(least(metric("parcelwatch_ingest_ready")), "ready"), unit=units.NoUnit, width=8),
    ]  # fmt: skip


def _messages() -> list[Panel]:
    return [
        lines("Alerts read", "What the notifiers read, and records that are no alert.",
              Query(total(rate("parcelwatch_notify_alerts_total")), "alerts"),
              Query(total(rate("parcelwatch_notify_unreadable_total")), "no alerts"),
              unit=units.CountsPerSecond, known=("alerts", "no alerts"), width=8),
        lines("Attempts", "Attempts to send a message, by what became of them.",
              Query(total(rate(_ATTEMPTS), "outcome"), "{{outcome}}"), unit=units.CountsPerSecond, known=_OUTCOMES,
              stacked=True, width=8),
        lines("Waiting by channel", "Alerts and ends that a channel is still to be told.",
              Query(total(metric("parcelwatch_notify_waiting"), "channel"), "{{channel}}"), unit=units.Short, width=8),
        rows("Told nobody", "Alerts in the time shown that nobody is told of, by reason.",
             or_zero(total(increase("parcelwatch_notify_untold_total"), "reason"), "reason"), {"reason": "Reason"},
             value_name="Alerts", width=8),
        rows("Alerts that could not be told", "Dead letters in the time shown, by channel and reason.",
             or_zero(total(increase("parcelwatch_notify_dead_letters_total"), "channel", "reason"), "reason"),
             {"channel": "Channel", "reason": "Reason"}, value_name="Alerts", width=8),
        lines("Alerts lost", "Alerts that were deleted before a notifier read them.",
              Query(or_zero(total(rate("parcelwatch_notify_lost_total"))), "lost"), unit=units.CountsPerSecond,
              width=8),
    ]  # fmt: skip
