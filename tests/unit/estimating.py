"""Policies with a model of delivery estimates that tells every parcel something, and groups apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, get_args

import msgspec

from schemas.events import Status
from streams.carriers import canonical
from streams.policy.estimates import NOT_SCANNED, DeliveryModel, Estimates, Group, ModelFile, Point
from streams.policy.model import Policy

HOURS = (0.0, 24.0, 72.0, 120.0, 168.0)


def point(*numbers: float | None) -> Point:
    """Hours of silence, hours until half and nine of ten are delivered, and the share; floats, as a file has them."""
    return Point(*(None if number is None else float(number) for number in numbers))  # type: ignore[arg-type]


def group(
    *points: Point, carrier: str | None = None, tier: Any = None, status: Any = None, parcels: int = 200
) -> Group:
    return Group(carrier, tier, status, parcels, points)


def model(*groups: Group, hours: tuple[float, ...] = HOURS) -> ModelFile:
    return ModelFile(1, "default@0", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", 30.0, hours, groups)


def _groups() -> Iterator[Group]:
    """For every status something else, for some nothing about the longer silences, and shares that are equal."""
    number = count()
    yield group(*(point(hours, 1 + hours, None, 0.5) for hours in HOURS))
    for status in (*get_args(Status), NOT_SCANNED):
        for carrier in (None, "SF"):
            one = next(number)
            share = round(1 - one % 7 / 8, 3) if one % 5 else None
            points = [point(hours, one + hours / 4, 2 * one + hours, share) for hours in HOURS[: 2 + one % 4]]
            yield group(*points, carrier=canonical(carrier) if carrier else None, status=status)


ANY = model(*_groups())


def with_estimates(policy: Policy, told: ModelFile = ANY) -> Policy:
    """The policy, with the estimates of that model."""
    return msgspec.structs.replace(policy, estimates=Estimates(file="model.json", model=DeliveryModel(told)))
