"""The section of `docs/rules.md` that explains each setting."""

from __future__ import annotations

PAGE = "docs/rules.md"

#: Headings of PAGE, by setting or prefix of its name.
SECTIONS = {
    "name": "Names",
    "platform": "Names",
    "lateness": "Time",
    "carriers": "Names",
    "periods": "Causes of a stall",
    "shipments": "Silences",
    "shipments.keep_days": "Keeping and forgetting",
    "shipments.late_registration": "Shipments",
    "shipments.failed_attempts": "Exceptions",
    "shipments.relief": "Relief",
    "suspicious": "Suspicious shipments",
    "estimates": "Delivery estimates",
    "feed_silence": "Feed silence",
    "clusters": "Clusters",
    "orders": "Shipping in time",
    "tickets": "Tickets",
    "help_rate": "What the rate counts",
    "interventions": "Interventions",
    "conversations": "Topics",
    "conversations.reply_late": "Late replies",
    "aftersales": "After-sales window",
    "aftersales.no_reason_return_days": "Refused rights",
    "aftersales.no_reason_exempt": "Refused rights",
    "aftersales.quality_exchange_days": "Refused rights",
    "keeping": "Keeping and forgetting",
}


def anchor(heading: str) -> str:
    """The fragment by which a link leads to a heading of PAGE."""
    return heading.lower().replace(" ", "-")


def link_to(setting: str) -> str:
    """The section that explains the setting, as a path within the project. Raises KeyError if there is none."""
    return f"{PAGE}#{anchor(section_of(setting))}"


def section_of(setting: str) -> str:
    """The heading of the section that explains the setting. Raises KeyError if there is none."""
    # A row in brackets belongs to the list before it; its name may hold dots.
    parts = setting.partition("[")[0].split(".")
    for length in range(len(parts), 0, -1):
        heading = SECTIONS.get(".".join(parts[:length]))
        if heading is not None:
            return heading
    raise KeyError(setting)
