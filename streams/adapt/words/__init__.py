"""What the text of a scan says: a grammar of clauses, with its words as data per language."""

from streams.adapt.words.grammar import ENDS, status_of
from streams.adapt.words.lexicon import nearest

__all__ = ["ENDS", "nearest", "status_of"]
