"""How plots look, those of a comparison and those of the benchmarks."""

from __future__ import annotations

from typing import Any

INK, GRID = "#3a4250", "#e6e9ee"
#: Told apart by readers who do not see red and green, and in grey.
BLUE, ORANGE, GREEN, VIOLET = "#2f6db3", "#e07b1a", "#3d9a8b", "#8d6bb0"

#: The library's settings by name. The same figures give the same bytes, and text stays text.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "parcelwatch",
    # What it measures with; it comes with the library.
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.edgecolor": "#b9c0cb",
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}
