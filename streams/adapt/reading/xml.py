"""XML into the objects and lists that JSON has. Entities and external references are refused by defusedxml."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from streams.adapt.reading.files import Unreadable

TEXT = "#text"
"""The name of an element's own text where it has attributes or elements beside it."""


_DEEPEST = 200
"""Elements inside each other; deeper ones are nobody's."""


def xml_value(text: str) -> dict[str, Any]:
    """The root as `{name: value}`, names without their namespaces.

    An element with nothing but text is that text; a name that comes several times is a list.
    ValueError where it is no XML or nested too deeply, Unreadable where it has entities or external references.
    """
    try:
        root = fromstring(text)
    except ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    except DefusedXmlException as error:
        raise Unreadable("XML with entities or external references, which are not read") from error
    return {_local(root.tag): _value(root)}


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _value(element: Element, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    own = (element.text or "").strip()
    if not len(element) and not element.attrib:
        return own
    value: dict[str, Any] = {_local(name): held for name, held in element.attrib.items()}
    for child in element:
        name, inner = _local(child.tag), _value(child, depth + 1)
        if name not in value:
            value[name] = inner
        elif isinstance(value[name], list):
            value[name].append(inner)
        else:
            value[name] = [value[name], inner]
    if own:
        value[TEXT] = own
    return value
