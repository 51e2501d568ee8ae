"""Extracts a scan's place from its text, and removes people from the text.

Carriers put facilities in brackets, but also couriers and telephone numbers. What looks like a person is
never a place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PROVINCES = (
    *("北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽"),
    *("福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西"),
    *("甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门"),
)
_MAX_FACILITY = 60
_NEAR = 20
"""Characters in front of a bracket that may say what it names."""
_LONGEST = 1_000
"""Characters of a text that are looked at, of which it is shortened to a few."""
_BRACKETS = re.compile(r"【([^【】]*)】|\[([^\[\]]*)\]")
_TOWARDS = re.compile(r"(?:发往|下一站|目的地|前往|送往|转往|退往|发至|转至|运至)[\s:：]*$")
_PERSON_BEFORE = re.compile(
    r"(?:派件人|派送员|业务员|快递员|小件员|投递员|取件人|收件人|签收人|联系人|电联|电话)[\s:：]*$"
)
_PERSON = re.compile(r"\*|\d{5,}|/|电话|手机|联系|客服|投诉|评价|[请您!！?？]")
_TELEPHONE = re.compile(r"\*|\d{7,}")
_AREA = re.compile(r"^\S{2,8}(?:省|市|自治区|自治州|地区|盟|特别行政区|县|区)$")
_AT = (
    re.compile(r"离开\s*([^\s,，。;；【\[(（]{2,30}?)\s*(?:，|,|已?发往|$)"),
    re.compile(r"(?:到达|抵达)[\s-]*([^\s,，。;；【\[(（]{2,30})"),
    re.compile(r"^([^\s/【\[-]{2,30}(?:中心|公司|分部|网点|集散|营业部|站|中转部))[/-]"),
)
_NO_NAME = re.compile(r"^(?:目的地|下一站|网点|派件|收件|您|站点|代收点|自提|当地)")
_ROLE = re.compile(
    r"((?:派件人|派送员|业务员|快递员|小件员|投递员|取件人|收件人|签收人|联系人|寄件人|signed (?:for )?by)"
    r"[\s:：]*)[^\s,，。;；:：(（【\[]{1,20}",
    re.IGNORECASE,
)
_MASKED = re.compile(r"[\u4e00-\u9fff]{0,1}[*＊]+[\u4e00-\u9fff]?")
_NUMBER = re.compile(r"\+?\d[\d\s*＊-]{3,}\d|\d[*＊]+\d*")


class Place(NamedTuple):
    """Names as the carrier writes them, None where it names none."""

    facility: str | None = None
    region: str | None = None


def province(area: str) -> str | None:
    """The province that a Chinese area (or a list of them, largest first) begins with, without its 省."""
    text = area.strip()
    return next((name for name in _PROVINCES if text.startswith(name)), None)


def place_in_text(text: str) -> Place:
    """The place that a Chinese scan's text names.

    The first bracketed name that is neither a destination, an area nor a person; else what the parcel left
    or reached. An area in brackets gives the region.
    """
    facility: str | None = None
    region: str | None = None
    for found in _BRACKETS.finditer(text):
        name = (found[1] if found[1] is not None else found[2]).strip()
        before = text[max(found.start() - _NEAR, 0) : found.start()]
        if not name or _PERSON.search(name) or _TOWARDS.search(before) or _PERSON_BEFORE.search(before):
            continue
        if _AREA.match(name) or name in _PROVINCES:
            region = region or province(name) or name
        elif facility is None and len(name) <= _MAX_FACILITY:
            facility = name
    return Place(facility or _in_words(text), region)


def _in_words(text: str) -> str | None:
    for pattern in _AT:
        found = pattern.search(text)
        if found and not _PERSON.search(found[1]) and not _NO_NAME.match(found[1]):
            return found[1]
    return None


def place_in_fields(location: str | None, area: str | None) -> Place:
    """The place that fields of their own name; a Chinese area in place of a facility is the region."""
    where = " ".join((location or "").split())
    region = " ".join((area or "").split()) or None
    if region:
        region = province(region) or region
    if where and (_AREA.match(where) or "," in where or where in _PROVINCES) and province(where):
        return Place(None, region or province(where))
    if not where or _TELEPHONE.search(where):
        return Place(None, region)
    return Place(where[:_MAX_FACILITY], region)


def without_people(text: str) -> str:
    """A scan's text, shortened, without telephone numbers and people's names; for maintaining the word tables."""
    plain = _ROLE.sub(r"\1…", " ".join(text[:_LONGEST].split()))
    plain = _MASKED.sub("…", _NUMBER.sub("#", plain))
    return plain if len(plain) <= 60 else plain[:59] + "…"
