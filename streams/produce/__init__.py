"""Puts events into the topics, each under its key and in the key's partition."""
