"""`parcelwatch forget`: removes an order, or a buyer's orders, from the state, and reports what Kafka still holds."""
