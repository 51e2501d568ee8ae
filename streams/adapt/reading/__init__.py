"""Files as people have them, into documents: the one layer that knows of envelopes, encodings and tables."""

from streams.adapt.reading.documents import documents, documents_of
from streams.adapt.reading.files import read_bytes
from streams.adapt.reading.search import Found, lists_in, objects, reason

__all__ = ["Found", "documents", "documents_of", "lists_in", "objects", "read_bytes", "reason"]
