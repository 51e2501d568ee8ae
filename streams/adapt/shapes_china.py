"""The shapes of Chinese platforms and carriers: kuaidi100, kdniao, Cainiao, SF."""

from __future__ import annotations

from collections.abc import Iterator

from streams.adapt.places import Place, place_in_fields, place_in_text
from streams.adapt.reading import Found, objects
from streams.adapt.shapes import (
    Fault,
    Object,
    Parcel,
    Piece,
    Row,
    entries,
    field_of,
    merged,
    nested,
    text_of,
    texts_of,
)


def kuaidi100(document: Found) -> Iterator[Piece]:
    """`{"nu", "com", "data": [{"time", "context", "status"?, "statusCode"?, "areaName"?}]}`, or wrapped."""

    def row(where: str, parcel: Object, item: Object) -> Row:
        words = text_of(item.get("context"))
        return Row(
            where=where,
            number=text_of(parcel.get("nu")),
            carriers=texts_of(parcel.get("com")),
            time=field_of(item, "ftime", "time"),
            codes=texts_of(item.get("statusCode"), item.get("status")),
            text=words,
            place=merged(
                Place(None, place_in_fields(None, text_of(item.get("areaName"))).region), place_in_text(words)
            ),
        )

    return nested(document, ("data",), lambda value: "nu" in value or "com" in value, row)


def kdniao(document: Found) -> Iterator[Piece]:
    """`{"LogisticCode", "ShipperCode", "Traces": [{"AcceptTime", "AcceptStation", "Action"?, "Location"?}]}`.

    Some clients write the names with a small first letter, or both; a parcel is read once.
    """

    def row(where: str, parcel: Object, item: Object) -> Row:
        words = text_of(field_of(item, "AcceptStation", "acceptStation"))
        area = text_of(field_of(item, "Location", "location"))
        return Row(
            where=where,
            number=text_of(field_of(parcel, "LogisticCode", "logisticCode")),
            carriers=texts_of(
                field_of(parcel, "ShipperCode", "shipperCode"), field_of(parcel, "ShipperName", "shipperName")
            ),
            time=field_of(item, "AcceptTime", "acceptTime"),
            codes=texts_of(field_of(item, "Action", "action")),
            text=words,
            place=merged(place_in_text(words), place_in_fields(None, area)),
        )

    return nested(document, ("Traces", "traces"), lambda value: "LogisticCode" in value or "logisticCode" in value, row)


def cainiao(document: Found) -> Iterator[Piece]:
    """`{"mailNo", "partnerCode", "transitList": [{"time", "action", "message"}]}`, however wrapped."""

    def row(where: str, parcel: Object, item: Object) -> Row:
        words = text_of(item.get("message"))
        return Row(
            where=where,
            number=text_of(parcel.get("mailNo")),
            carriers=texts_of(parcel.get("partnerCode"), parcel.get("partnerName")),
            time=item.get("time"),
            codes=texts_of(item.get("action")),
            text=words,
            place=place_in_text(words),
        )

    return nested(document, ("transitList",), lambda _value: True, row)


def sf_route(document: Found) -> Iterator[Piece]:
    """Routes (`opCode`, a time, `remark`, zone or address): a bare list or `{"mailNo", "routes": [...]}`."""

    def row(where: str, item: Object, number: str) -> Row:
        words = text_of(item.get("remark"))
        state = text_of(item.get("cxPackageStatus"))
        code = text_of(field_of(item, "opCode", "opcode"))
        named = place_in_text(words)
        address = text_of(field_of(item, "acceptAddress", "accept_address"))
        fields = place_in_fields(text_of(item.get("zoneCode")), address)
        return Row(
            where=where,
            number=text_of(field_of(item, "mailNo", "waybillNo")) or number,
            carriers=(),
            time=field_of(item, "scanDateTime", "acceptTime", "barScanTm"),
            codes=texts_of(code, f"package:{state}" if state else ""),
            text=words,
            place=merged(named, fields),
        )

    def route(value: Object) -> bool:
        return "opCode" in value or "opcode" in value

    def parcel(value: Object) -> bool:
        return isinstance(value.get("routes"), list)

    for found in objects(document, lambda value: parcel(value) or route(value)):
        if not parcel(found.value):
            yield row(found.where, found.value, "")
            continue
        yield Parcel(found.where)
        at = f"{found.where}.routes" if found.where else "routes"
        number = text_of(field_of(found.value, "mailNo", "waybillNo"))
        for where, entry in entries(at, found.value["routes"]):
            yield Fault(where, "not an object") if entry is None else row(where, entry, number)
    if isinstance(document.value, list):
        for where, entry in entries(document.where, document.value):
            if entry is None:
                yield Fault(where, "not an object")
