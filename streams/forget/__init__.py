"""`parcelwatch forget`: takes an order, or a buyer's orders, out of the state, and says what Kafka still holds."""
