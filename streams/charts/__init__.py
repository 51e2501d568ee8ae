"""How reports look: plots as SVG, and pages that hold them."""
