"""`parcelwatch redrive`: puts dead letters back into the topics that they came from."""
