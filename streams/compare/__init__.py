"""What another policy would have said about the same events: `parcelwatch compare`."""
