"""Takes platforms' pushes over HTTP, and answers once Kafka has their events."""
