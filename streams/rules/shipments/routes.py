"""Province names, compared in their short form: 浙江省 equals 浙江, and 新疆维吾尔自治区 equals 新疆."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Literal, ParamSpec, TypeVar

#: China's 34 provinces.
PROVINCES = frozenset({
    "北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西",
    "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古",
    "广西", "西藏", "宁夏", "新疆", "香港", "澳门",
})  # fmt: skip
#: Longest first: 特别行政区 and 自治区 must be tried before the one-character endings.
_ENDINGS = ("特别行政区", "自治区", "省", "市")
_PEOPLES = ("维吾尔", "壮族", "回族")
#: Characters of the names of one question, up to which its answer is remembered: events may have names of any length.
_USUAL = 200
_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


def _remembering(most: int) -> Callable[[Callable[_Asked, _Answer]], Callable[_Asked, _Answer]]:
    """Remembers so many answers about names of a usual length."""

    def remembered(function: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
        known: Callable[..., _Answer] = lru_cache(most)(function)

        @wraps(function)
        def answer(*names: _Asked.args, **more: _Asked.kwargs) -> _Answer:
            usual = sum(len(name) for name in names if isinstance(name, str)) <= _USUAL
            return known(*names, **more) if usual else function(*names, **more)

        return answer

    return remembered


@_remembering(4_096)
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


@_remembering(65_536)
def is_one_of(region: str | None, regions: tuple[str, ...]) -> bool:
    """Whether the region is one of the policy's."""
    return region is not None and province(region) in _provinces(regions)


@_remembering(65_536)
def route(
    origin: str | None,
    destination: str | None,
    remote: tuple[str, ...],
    near_groups: tuple[tuple[str, ...], ...],
) -> Literal["remote", "near", "cross_province"]:
    """The tier of a route; `cross_province` if a region is unknown."""
    if is_one_of(destination, remote):
        return "remote"
    if origin is None or destination is None:
        return "cross_province"
    ends = {province(origin), province(destination)}
    if len(ends) == 1 or any(ends <= _provinces(group) for group in near_groups):
        return "near"
    return "cross_province"


@_remembering(65_536)
def is_province(region: str | None) -> bool:
    """Whether the region is one of China's 34 provinces."""
    return region is not None and province(region) in PROVINCES


@_remembering(65_536)
def are_different_provinces(one: str | None, other: str | None) -> bool:
    """True if both are provinces, and not the same one."""
    if one is None or other is None or not (is_province(one) and is_province(other)):
        return False
    return province(one) != province(other)
