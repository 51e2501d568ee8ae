"""Delivery estimates: when parcels that have been silent for so long are delivered, if at all, in a history.

`parcelwatch tune --model FILE` writes the model file, a policy names it in `[estimates] file`. The policy holds what
the file said when it was loaded.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from schemas.events import Status
from schemas.times import HOUR
from streams.carriers import canonical
from streams.policy.parts import NotNegative, Part, PositiveInt, Text
from streams.policy.shipments import Tier

#: The version of the file's format. A change that older programs would misread makes it one higher.
VERSION = 1
#: The status of a parcel that was never scanned.
NOT_SCANNED: Literal["not_scanned"] = "not_scanned"
LastStatus = Status | Literal["not_scanned"]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parcels silent for `silent_hours`: hours from then until half, and nine of ten, of all of them are delivered.

    Null where so many never are, or it is not known. `delivered_after_all`: the share that is, within the horizon.
    """

    silent_hours: NotNegative
    p50_hours: NotNegative | None
    p90_hours: NotNegative | None
    delivered_after_all: _Share | None


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parcels of a carrier, tier and last status, each null for all, the tier unless both others are given.

    `points`: by rising silence.
    """

    carrier: Text | None
    tier: Tier | None
    status: LastStatus | None
    parcels: PositiveInt
    points: Annotated[tuple[Point, ...], msgspec.Meta(min_length=1)]


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model file holds. `policy`, `first`, `end`: what it was fitted with, and from when to when.

    `silent_hours`: the silences that it looks at, rising; a group tells of those for which it has parcels enough.
    """

    version: Literal[1]
    policy: str
    first: str
    end: str
    horizon_days: NotNegative
    silent_hours: Annotated[tuple[NotNegative, ...], msgspec.Meta(min_length=1)]
    groups: Annotated[tuple[Group, ...], msgspec.Meta(min_length=1)]


class Estimate(NamedTuple):
    """For a parcel that has been silent for a while: microseconds from now until half, and nine of ten, of such parcels
    are delivered; the share that is delivered after all. None: not known, or never so many.
    """

    p50: int | None = None
    p90: int | None = None
    delivered_after_all: float | None = None


class BadModel(Exception):
    """A model file cannot be used; the text is one line that says why."""


class DeliveryModel:
    """A model as it was loaded. Equal content has an equal `digest`, whatever the file looks like."""

    def __init__(self, content: ModelFile) -> None:
        self.digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
        self._silences = [round(hours * HOUR) for hours in content.silent_hours]
        #: By carrier, tier, status and silence.
        self._estimates = {
            (group.carrier, group.tier, group.status, round(point.silent_hours * HOUR)): Estimate(
                _micros(point.p50_hours), _micros(point.p90_hours), point.delivered_after_all
            )
            for group in content.groups
            for point in group.points
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeliveryModel) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def estimate(self, carrier: str, tier: Tier, status: LastStatus, silent: int) -> Estimate:
        """For a parcel silent for `silent` microseconds: what is told of the longest silence up to that.

        What its own group does not tell, that of its carrier and status does, else that of all with the status, else
        its carrier's, else that of all.
        """
        place = bisect_right(self._silences, silent)
        if not place:
            return Estimate()
        since, name = self._silences[place - 1], canonical(carrier)
        for of in ((name, tier, status), (name, None, status), (None, None, status), (name, None, None), _ALL):
            found = self._estimates.get((*of, since))
            if found is not None:
                return found
        return Estimate()


_ALL = (None, None, None)


class Estimates(Part, frozen=True, forbid_unknown_fields=True):
    """Where the policy's delivery estimates are from. `model` is what `file` held when the policy was loaded."""

    file: Text | None = None
    model: DeliveryModel | None = None


def read_model(path: str) -> DeliveryModel:
    """The model in a file. Raises BadModel."""
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no possible name of a file"
        raise BadModel(f"{path}: cannot be read: {why}") from None
    try:
        version = _version(content)
        if version > VERSION:
            raise BadModel(f"{path}: format {version} is newer than this program, which knows up to {VERSION}")
        found = msgspec.json.decode(content, type=ModelFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadModel(f"{path}: no model file: {' '.join(str(error).split())}") from None
    problem = _problem(found)
    if problem is not None:
        raise BadModel(f"{path}: {problem}")
    return DeliveryModel(found)


def encoded(model: ModelFile) -> bytes:
    """The content of a model file, one line a group: the same bytes for the same model."""
    head = {name: getattr(model, name) for name in ModelFile.__struct_fields__ if name != "groups"}
    lines = [f'"{name}": {msgspec.json.encode(value).decode()}' for name, value in head.items()]
    groups = ",\n".join(msgspec.json.encode(group).decode() for group in model.groups)
    return ("{\n" + ",\n".join(lines) + ',\n"groups": [\n' + groups + "\n]\n}\n").encode()


def plain(value: Any) -> Any:
    """How JSON tells a model within a policy: by the first 12 digits of its digest. For msgspec's `enc_hook`."""
    if isinstance(value, DeliveryModel):
        return value.digest[:12]
    raise NotImplementedError(f"no plain form of {type(value)}")


class _Head(msgspec.Struct):
    version: int


def _version(content: bytes) -> int:
    return msgspec.json.decode(content, type=_Head).version


def _micros(hours: float | None) -> int | None:
    return None if hours is None else round(hours * HOUR)


def _problem(model: ModelFile) -> str | None:
    """What contradicts itself, if anything does."""
    if not _rises(model.silent_hours):
        return "silent_hours: must rise"
    seen = set()
    for number, group in enumerate(model.groups):
        where = f"groups[{number}]"
        if group.carrier is not None and canonical(group.carrier) != group.carrier:
            return f"{where}.carrier: {group.carrier!r} must be written {canonical(group.carrier)!r}"
        if group.tier is not None and (group.carrier is None or group.status is None):
            return f"{where}: a tier needs a carrier and a status"
        key = group.carrier, group.tier, group.status
        if key in seen:
            return f"{where}: the same carrier, tier and status as a group before it"
        seen.add(key)
        if not _rises([point.silent_hours for point in group.points]):
            return f"{where}.points: silent_hours must rise"
        for point in group.points:
            if point.silent_hours not in model.silent_hours:
                return f"{where}.points: {point.silent_hours:g} is none of silent_hours"
            if point.p90_hours is not None and (point.p50_hours is None or point.p50_hours > point.p90_hours):
                return f"{where}.points: p50_hours must not be longer than p90_hours"
    return None


def _rises(hours: Sequence[float]) -> bool:
    return all(one < other for one, other in pairwise(hours))
