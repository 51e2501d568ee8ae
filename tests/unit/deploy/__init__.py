"""The files that deploy parcelwatch agree with each other and with the code; nothing here needs Docker."""

from pathlib import Path

#: The root of the checkout.
ROOT = Path(__file__).parents[3]
