"""`parcelwatch notify`: tells people of alerts, each once, by chat bots, e-mail and webhooks."""
