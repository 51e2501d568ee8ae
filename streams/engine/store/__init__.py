"""Stores: local copies of tasks' changelog rows, so that a restart need not read the whole changelog."""
