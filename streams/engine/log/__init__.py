"""The partitioned log that the engine reads and writes: one interface, on Kafka and in memory."""
