"""Province names, compared in their short form: 浙江省 equals 浙江, and 新疆维吾尔自治区 equals 新疆."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

#: Longest first: 特别行政区 and 自治区 must be tried before the one-character endings.
_ENDINGS = ("特别行政区", "自治区", "省", "市")
_PEOPLES = ("维吾尔", "壮族", "回族")


@lru_cache(maxsize=4096)
def province(name: str) -> str:
    """The name without 省, 市, 自治区 or 特别行政区, and without an ethnic group's name before 自治区."""
    short = name.strip()
    for ending in _ENDINGS:
        if short.endswith(ending) and len(short) > len(ending):
            short = short.removesuffix(ending)
            if ending == "自治区":
                for people in _PEOPLES:
                    short = short.removesuffix(people) or short
            break
    return short


@lru_cache(maxsize=64)
def _provinces(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(province(name) for name in names)


@lru_cache(maxsize=65_536)
def is_remote(region: str | None, remote: tuple[str, ...]) -> bool:
    """Whether the region is one of the policy's remote ones."""
    return region is not None and province(region) in _provinces(remote)


@lru_cache(maxsize=65_536)
def route(
    origin: str | None,
    destination: str | None,
    remote: tuple[str, ...],
    near_groups: tuple[tuple[str, ...], ...],
) -> Literal["remote", "near", "cross_province"]:
    """The tier of a route; `cross_province` if a region is unknown."""
    if is_remote(destination, remote):
        return "remote"
    if origin is None or destination is None:
        return "cross_province"
    ends = {province(origin), province(destination)}
    if len(ends) == 1 or any(ends <= _provinces(group) for group in near_groups):
        return "near"
    return "cross_province"
