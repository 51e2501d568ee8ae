"""A text as it is compared, and its clauses."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

from opencc import OpenCC

from streams.adapt.words.lexicon import DEPOT, HUB, NAME, POINT, Lexicon

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_COMMENT = re.compile(r"<!--.*?-->")
_COMMENTS = 20
"""So many comments are taken out of a text; for each its end is searched."""
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBER = re.compile(r"\b(n[or])\. ?(?=\d)")
_TELEPHONE = re.compile(r"\+?\d[\d\s*-]{5,}\d")
_BRACKETS = re.compile(
    r"【([^【】]*)】|\[([^\[\]]*)\]|〔([^〔〕]*)〕|「([^「」]*)」|《([^《》]*)》|<([^<>]*)>|“([^“”]*)”"
)
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_SPLIT = re.compile(r"[,，、;；。!！?？|·•~…\n“”\"「」]+|\s[-–—/:]+\s|[–—]+|[.:](?=\s|$)|\s-(?=\w)|-\s")
_SPLIT_HAN = re.compile(r"[,，、;；。!！?？|·•~…\n“”\"]+|\s[-–—/]+\s|[-–—]+|\s{1,}(?=您的)")
_QUESTION = re.compile(r"(?:^|(?<=[,，。;；.!！?？()【】\[\]]))[^,，。;；.!！?？()【】\[\]]+[?？]")
"""It is looked for where a clause begins: from each character on would take the square of a text's length."""
_LONGEST_NAME = 40
_INSIDE = frozenset({"people.recipient", "places.home"})
"""What a bracket may name that belongs to the sentence around it."""


def plain(text: str) -> str:
    """A text without markup: entities resolved, tags removed, spaces single."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _COMMENT.sub(" ", text) if text.count("<!--") <= _COMMENTS else text
        text = _TAG.sub(" ", text)
    return " ".join(text.split())


def normal(text: str) -> str:
    """Text as it is compared: compatible characters made one, no case, single spaces, no telephone numbers.

    A name of code is words: OUT_FOR_DELIVERY, OutForDelivery.
    """
    if " " not in text and text.isascii():
        text = _HUMPS.sub(" ", text).replace("_", " ")
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    if not folded.isascii():
        folded = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join(_TELEPHONE.sub(" ", _NUMBER.sub(r"\1 ", folded)).split())


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def simplified(text: str) -> str:
    """Chinese in simplified characters."""
    return str(_converter().convert(text))


def clauses(text: str, lexicon: Lexicon) -> list[str]:
    """The clauses of a normalised text, in order.

    What stands in parentheses is a clause behind its sentence. A bracketed name becomes a mark that says
    what kind of place it is, and is dropped at the start of a text, where it says only where this was
    written; a bracket that says what happened is a clause.
    """
    asides: list[str] = []

    def aside(found: re.Match[str]) -> str:
        asides.append(found[1])
        return " "

    def bracket(found: re.Match[str]) -> str:
        content = next(group for group in found.groups() if group is not None).strip()
        kinds = {tag.kind for tag in lexicon.tags(content)}
        places = [kind for kind in ("places.point", "places.hub", "places.depot") if kind in kinds]
        if not places and any(kind.startswith("ends.") or kind in _INSIDE for kind in kinds):
            return content if not kinds.isdisjoint(_INSIDE) else f",{content},"
        if len(content) > _LONGEST_NAME and not places:
            return " "
        return {"places.point": POINT, "places.hub": HUB, "places.depot": DEPOT}.get(places[0] if places else "", NAME)

    text = _BRACKETS.sub(bracket, _QUESTION.sub(" ", text))
    previous = None
    while previous != text:
        previous, text = text, _PARENTHESES.sub(aside, text)
    if not lexicon.spaced:
        text = re.sub(f"^(?:\\s*[{NAME}{DEPOT}]\\s*[,，]?)+", "", text)
        text = re.sub(f"^\\s*{POINT}\\s*(?=您|快件|包裹|邮件|快递|商品|订单)", "", text)
    head, colon, rest = text.partition(":")
    if colon and lexicon.names_delivery(head.strip()):
        text = f"{head} {rest}"
    for word in (word for word in lexicon.background if f" {word} " in text):
        text = re.sub(rf"(?<=\w) (?={re.escape(word)} )", " , ", text)
    splitter = _SPLIT if lexicon.spaced else _SPLIT_HAN
    pieces = [piece.strip() for part in (text, *asides) for piece in splitter.split(part)]
    return [piece for piece in pieces if piece]
