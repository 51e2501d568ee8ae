"""`parcelwatch tune`: thresholds of silences from a marketplace's own history."""
