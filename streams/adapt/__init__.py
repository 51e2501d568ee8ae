"""Converts a carrier's or platform's own data into events."""

from streams.adapt.formats import Format, formats
from streams.adapt.lines import Line, Problem, Report
from streams.adapt.run import InputError, adapt

__all__ = ["Format", "InputError", "Line", "Problem", "Report", "adapt", "formats"]
