"""Province names, compared as people write them: 浙江省 and 浙江 are one, 新疆维吾尔自治区 and 新疆, too."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

#: The longest first, so that 自治区 goes before a name that ends in 区 could be mistaken.
_ENDINGS = ("特别行政区", "自治区", "省", "市")
_PEOPLES = ("维吾尔", "壮族", "回族")


@lru_cache(maxsize=4096)
def province(name: str) -> str:
    """The name without 省, 市, 自治区, 特别行政区 and the people's name before them."""
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
    """The tier of a route; where a region is unknown it is `cross_province`."""
    if is_remote(destination, remote):
        return "remote"
    if origin is None or destination is None:
        return "cross_province"
    ends = {province(origin), province(destination)}
    if len(ends) == 1 or any(ends <= _provinces(group) for group in near_groups):
        return "near"
    return "cross_province"
