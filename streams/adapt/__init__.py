"""Converts a carrier's or platform's own data into events."""

from streams.adapt.formats import Format, formats
from streams.adapt.lines import Line, Problem, Report, Settings
from streams.adapt.run import InputError, adapt, adapt_body, draft_map, format_of, settings_for

__all__ = [
    "Format",
    "InputError",
    "Line",
    "Problem",
    "Report",
    "Settings",
    "adapt",
    "adapt_body",
    "draft_map",
    "format_of",
    "formats",
    "settings_for",
]
