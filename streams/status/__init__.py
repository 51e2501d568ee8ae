"""`parcelwatch status`: how an application is, from what Kafka and its workers tell, and what to do about it."""
