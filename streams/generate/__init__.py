"""`parcelwatch generate`: the made-up marketplace as files, as lines, or straight into Kafka."""
