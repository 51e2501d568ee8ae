"""Colours that people with any colour vision tell apart: Okabe and Ito's, and shades of one of them."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import FieldColorModeId, Threshold, ThresholdsMode

BLUE, SKY, ORANGE, VERMILLION, GREEN, PURPLE, YELLOW, GREY = (
    "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#009E73", "#CC79A7", "#F0E442", "#999999",
)  # fmt: skip
#: Of a value that is as it should be, that somebody should look at, and that somebody has to act on.
WELL, DOUBTFUL, BAD = BLUE, ORANGE, VERMILLION
#: In the order in which series that are known by name take them.
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY)


def shades() -> FieldColor:
    """For any number of series whose names are not known."""
    return FieldColor().mode(FieldColorModeId.SHADES).fixed_color(BLUE)


def by_thresholds() -> FieldColor:
    return FieldColor().mode(FieldColorModeId.THRESHOLDS)


def thresholds(steps: Sequence[tuple[float, str]], below: str = WELL) -> ThresholdsConfig:
    """Colours from given values on; `below` the first one of these."""
    made = [Threshold(color=below), *(Threshold(value, colour) for value, colour in steps)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)
