"""What the rules find: alerts by type and severity, shops by level, silent carriers, and the events behind them."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from dashboards.page import Panel, page
from dashboards.palette import BAD, DOUBTFUL
from dashboards.panels import Query, bars, lines, rows, value
from dashboards.queries import greatest, increase, metric, or_zero, rate, total
from streams.rules.cases.case import KINDS
from streams.rules.help_rate.levels import LEVELS

SEVERITIES = ("info", "warning", "critical")


def dashboard() -> model.Dashboard:
    """Of the workers of one application, or of several."""
    about = "What parcelwatch finds: alerts by type and severity, shops by level, silent carriers."
    sections = {"Now": _now(), "Alerts": _alerts(), "Shops": _shops(), "Carriers": _carriers(), "Events": _events()}
    return page("business", "marketplace", about, sections)


def _open(types: str = "") -> str:
    """Alerts that are open, each counted once, whatever its audiences."""
    matchers = f'type=~"{types}"' if types else ""
    return greatest(total(metric("parcelwatch_open_alerts", matchers), "type", "audience"), "type")


def _rated(event: str, change: str) -> str:
    """Events that help rates are made of, in the time shown."""
    return total(increase("parcelwatch_help_rate_events_total", f'event{event}"order",change="{change}"'))


def _now() -> list[Panel]:
    raised = increase("parcelwatch_alerts_total", 'status="raised"')
    critical = increase("parcelwatch_alerts_total", 'status="raised",severity="critical"')
    levels = metric("parcelwatch_shops", f'level=~"{"|".join(LEVELS)}"')
    return [
        value("Open alerts", "Alerts that are open now, of all types.", or_zero(total(_open())), unit=units.Short),
        value("Raised", "Alerts raised in the time shown.", or_zero(total(raised)), unit=units.Short),
        value("Critical", "Critical alerts raised in the time shown: somebody has to act.",
              or_zero(total(critical)), unit=units.Short, limits=[(1, DOUBTFUL)]),
        value("Parcels stalled", "Parcels without an update for so long that their alert is open.",
              or_zero(total(_open("shipment.stalled"))), unit=units.Short, limits=[(1, DOUBTFUL)]),
        value("Shops above normal", "Shops whose help rate is at some level now.",
              or_zero(total(levels)), unit=units.Short, limits=[(1, DOUBTFUL)]),
        value("Carriers silent", "Carriers whose feed is silent now.",
              or_zero(f"count(max by (carrier) ({metric('parcelwatch_carrier_silent')}) == 1)"), limits=[(1, BAD)]),
    ]  # fmt: skip


def _alerts() -> list[Panel]:
    by_type, raised, resolved = "type", 'status="raised"', 'status="resolved"'
    of = "parcelwatch_alerts_total"
    return [
        bars("Open alerts by type", "Alerts that are open now, by type; without those that no event resolves.",
             Query(or_zero(_open(), by_type), "{{type}}"), height=10),
        rows("Alerts raised", "Alerts raised in the time shown, by type and severity.",
             or_zero(f"sort_desc({total(increase(of, raised), 'type', 'severity')})", by_type),
             {"type": "Type", "severity": "Severity"}, value_name="Raised", height=10, width=6),
        rows("Alerts resolved", "Alerts resolved in the time shown, by type.",
             or_zero(f"sort_desc({total(increase(of, resolved), 'type')})", by_type), {"type": "Type"},
             value_name="Resolved", height=10, width=6),
        lines("Raised by type", "Alerts raised, by type.",
              Query(or_zero(total(rate(of, raised), by_type), by_type), "{{type}}"), unit=units.CountsPerSecond,
              stacked=True),
        lines("Raised by severity", "Alerts raised, by severity.",
              Query(or_zero(total(rate(of, raised), "severity"), "severity"), "{{severity}}"),
              unit=units.CountsPerSecond, known=SEVERITIES, stacked=True),
        lines("Open over time", "Alerts that are open, by type.",
              Query(or_zero(_open(), by_type), "{{type}}"), unit=units.Short, width=24),
    ]  # fmt: skip


def _shops() -> list[Panel]:
    levels = metric("parcelwatch_shops", 'level!~"ok|insufficient"')
    escalated, withdrawn = (_rated("!=", change) for change in ("counted", "withdrawn"))
    ordered = _rated("=", "counted")
    asked = rate("parcelwatch_help_rate_events_total", 'event!="order",change="counted"')
    reached = rate("parcelwatch_alerts_total", 'type=~"help_rate[.].*|item[.].*",status="raised"')
    return [
        bars("Shops by level", "Shops by the level of their help rate. `insufficient`: too few orders to be judged; "
             "`ok`: no level.",
             Query(or_zero(total(metric("parcelwatch_shops"), "level"), "level"), "{{level}}"), width=8),
        lines("Shops at a level", "Shops whose help rate is at a level, over time.",
              Query(or_zero(total(levels, "level"), "level"), "{{level}}"),
              unit=units.Short, known=LEVELS, stacked=True, width=8),
        lines("Levels reached", "Alerts that a shop or an item has reached a level, by type.",
              Query(or_zero(total(reached, "type"), "type"), "{{type}}"), unit=units.CountsPerSecond, width=8),
        lines("Escalations", "Disputes, complaints, interventions and tickets that timed out.",
              Query(total(asked, "event"), "{{event}}"),
              unit=units.EventsPerSecond, known=KINDS[1:], stacked=True, width=16),
        value("Escalations per order", "In the time shown, of all shops together: what a help rate is for one of them.",
              or_zero(f"({escalated} - {withdrawn}) / ({ordered} > 0)"), unit=units.PercentUnit, width=8, height=8),
    ]  # fmt: skip


def _carriers() -> list[Panel]:
    clusters = rate("parcelwatch_alerts_total", 'type="facility.stall_cluster",status="raised"')
    parcels = 'type=~"shipment[.].*",status="raised"'
    return [
        rows("Silent carriers", "Carriers whose feed is silent now: ask the carrier, or whoever produces its scans. "
             "`none` where all of them report.",
             or_zero(f"max by (carrier) ({metric('parcelwatch_carrier_silent')}) == 1", "carrier"),
             {"carrier": "Carrier"}, value_name="Silent", width=8),
        lines("Facilities where parcels stall", "Alerts raised that many parcels stall at one facility.",
              Query(or_zero(total(clusters)), "clusters"), unit=units.CountsPerSecond, width=8),
        lines("Parcels", "Alerts about parcels raised, by type.",
              Query(or_zero(total(rate("parcelwatch_alerts_total", parcels), "type"), "type"), "{{type}}"),
              unit=units.CountsPerSecond, width=8),
    ]  # fmt: skip


def _events() -> list[Panel]:
    return [
        lines("Repeated events", "Events that were known already, and records without a value.",
              Query(total(rate("parcelwatch_repeats_total")), "repeats"),
              Query(total(rate("parcelwatch_tombstones_total")), "tombstones"),
              unit=units.EventsPerSecond, known=("repeats", "tombstones"), width=8),
        lines("Late events", "Events behind their watermark, by topic.",
              Query(or_zero(total(rate("parcelwatch_late_events_total"), "topic"), "topic"), "{{topic}}"),
              unit=units.EventsPerSecond, width=8),
        rows("Dead letters", "Records that are no valid event, in the time shown.",
             or_zero(total(increase("parcelwatch_dead_letters_total"), "topic", "reason"), "reason"),
             {"topic": "Topic", "reason": "Reason"}, value_name="Records", width=8),
    ]  # fmt: skip
