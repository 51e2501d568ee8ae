"""Files as people have them, into documents: the one layer that knows of envelopes, encodings and tables."""

from streams.adapt.reading.documents import documents
from streams.adapt.reading.files import read_bytes
from streams.adapt.reading.search import Found, objects, reason

__all__ = ["Found", "documents", "objects", "read_bytes", "reason"]
