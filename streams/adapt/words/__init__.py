"""What the text of a scan says: a grammar of clauses, with its words as data per language."""

from streams.adapt.words.grammar import ENDS, status_of

__all__ = ["ENDS", "status_of"]
