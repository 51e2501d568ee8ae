"""The documentation as it was built by `make docs`."""
