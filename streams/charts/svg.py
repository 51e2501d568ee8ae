"""A plot as part of a page, the same bytes for the same figure."""

from __future__ import annotations

import io
import re

from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """The figure as an element of an HTML page: no prolog, and no names that another one on the page has, too."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' id="[A-Za-z0-9]+_[0-9]+"', "", text)
    # A hundredth of a point is far below what can be seen.
    text = re.sub(r"(\.\d\d)\d+", r"\1", text)
    return re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", re.sub(r' height="[0-9.]+pt"', "", text, count=1), count=1)
