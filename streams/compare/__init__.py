"""`parcelwatch compare`: which alerts another policy would have raised for the same events."""
