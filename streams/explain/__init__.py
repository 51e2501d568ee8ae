"""The timeline of one shipment, order, ticket, conversation or shop, and why each alert was raised or was not."""
