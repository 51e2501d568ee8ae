"""A carrier's or platform's own data into events."""

from streams.adapt.formats import FORMATS, Format, InputError, adapt
from streams.adapt.lines import Line, Problem, Report

__all__ = ["FORMATS", "Format", "InputError", "Line", "Problem", "Report", "adapt"]
