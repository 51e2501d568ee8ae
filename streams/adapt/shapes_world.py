"""The shapes of AfterShip and 17TRACK, and of plain histories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.adapt.places import place_in_fields, place_in_text
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


def aftership(document: Found) -> Iterator[Piece]:
    """`{"tracking_number", "slug", "checkpoints": [{"checkpoint_time", "tag", "subtag", "message", ...}]}`.

    The carrier is the tracking's, not the checkpoint's: a parcel that two carriers move is one shipment.
    """

    def row(where: str, parcel: Object, item: Object) -> Row:
        area = text_of(field_of(item, "state", "country_name", "country_region_name"))
        return Row(
            where=where,
            number=text_of(parcel.get("tracking_number")),
            carriers=texts_of(parcel.get("slug"), item.get("slug")),
            time=item.get("checkpoint_time"),
            codes=texts_of(item.get("subtag"), item.get("tag")),
            text=text_of(item.get("message")),
            place=place_in_fields(text_of(field_of(item, "location", "city")), area),
        )

    return nested(document, ("checkpoints",), lambda value: "tracking_number" in value, row)


def seventeen_track(document: Found) -> Iterator[Piece]:
    """`{"number", "carrier", "track_info": {"tracking": {"providers": [{"provider", "events": [...]}]}}}`.

    As the answer to a query has them in `data.accepted`, or a push in `data`. Events of all providers are
    one shipment.
    """

    def parcel(value: Object) -> bool:
        return isinstance(value.get("track_info"), dict)

    def refused(value: Object) -> bool:
        return "number" in value and isinstance(value.get("error"), dict)

    for found in objects(document, lambda value: parcel(value) or refused(value)):
        number = text_of(found.value.get("number"))
        if not parcel(found.value):
            reason = text_of(found.value["error"].get("message")) or "no reason given"
            yield Fault(found.where, f"refused by 17TRACK: {reason}")
            continue
        yield Parcel(found.where)
        tracking = found.value["track_info"].get("tracking")
        providers = tracking.get("providers") if isinstance(tracking, dict) else None
        at = f"{found.where}: track_info.tracking.providers" if found.where else "track_info.tracking.providers"
        if not isinstance(providers, list):
            yield Fault(at, "not a list")
            continue
        carriers = _provider_names(found.value, providers)
        for where, provider in entries(at, providers):
            events = provider.get("events") if provider else None
            if not isinstance(events, list):
                yield Fault(where, "has no list of events")
                continue
            for inner, item in entries(f"{where}.events", events):
                yield Fault(inner, "not an object") if item is None else _event(inner, number, carriers, item)


def _provider_names(parcel: Object, providers: list[Any]) -> tuple[str, ...]:
    """Names of the carrier that the parcel is registered with; its number (a key of 17TRACK's) last."""
    key = text_of(parcel.get("carrier"))
    described = [entry["provider"] for entry in providers if isinstance(entry, dict) and _is_object(entry, "provider")]
    described.sort(key=lambda provider: text_of(provider.get("key")) != key)
    names = [name for provider in described for name in texts_of(provider.get("alias"), provider.get("name"))]
    return (*names[:2], *texts_of(key))


def _is_object(value: Object, name: str) -> bool:
    return isinstance(value.get(name), dict)


def _event(where: str, number: str, carriers: tuple[str, ...], item: Object) -> Row:
    time = field_of(item, "time_iso", "time_utc")
    raw = item.get("time_raw")
    if time is None and isinstance(raw, dict):
        date, clock = text_of(raw.get("date")), text_of(raw.get("time"))
        time = f"{date}T{clock or '00:00:00'}{text_of(raw.get('timezone'))}" if date else None
    address: Object = item["address"] if _is_object(item, "address") else {}
    return Row(
        where=where,
        number=number,
        carriers=carriers,
        time=time,
        codes=texts_of(item.get("sub_status"), item.get("stage")),
        text=text_of(item.get("description")),
        place=place_in_fields(
            text_of(item.get("location")) or text_of(address.get("city")), text_of(address.get("state"))
        ),
    )


def history(document: Found) -> Iterator[Piece]:
    """Rows `{"shipment", "carrier", "time", "status"?, "text"?, "location"?}`; `shipment` is the number."""
    for found in objects(document, lambda value: "shipment" in value):
        item = found.value
        words = text_of(item.get("text"))
        fields = place_in_fields(text_of(item.get("location")), None)
        yield Row(
            where=found.where,
            number=text_of(item.get("shipment")),
            carriers=texts_of(item.get("carrier")),
            time=item.get("time"),
            codes=texts_of(item.get("status")),
            text=words,
            place=merged(place_in_text(words), fields),
        )
