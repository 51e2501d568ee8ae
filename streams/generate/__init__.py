"""`parcelwatch generate`: writes the simulated marketplace to files, to standard output, or to Kafka."""
