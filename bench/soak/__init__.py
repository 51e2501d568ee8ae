"""A worker under load for long: `python -m bench.soak`."""
