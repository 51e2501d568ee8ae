"""Times as carriers write them, and places out of their texts."""

from __future__ import annotations

import pytest

from streams.adapt.places import Place, place_in_fields, place_in_text, without_people
from streams.adapt.times import read_time, rfc3339, zone

SHANGHAI = zone("Asia/Shanghai")
SAO_PAULO = zone("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-03-05 08:15:00", "2024-03-05T08:15:00+08:00"),
        ("2024-03-05 08:15", "2024-03-05T08:15:00+08:00"),
        ("2024/03/05 08:15:00", "2024-03-05T08:15:00+08:00"),
        ("2024-03-05T08:15:00Z", "2024-03-05T08:15:00+00:00"),
        ("2024-03-05T08:15:00-05:00", "2024-03-05T08:15:00-05:00"),
        ("2024-03-05T08:15:00.123456789", "2024-03-05T08:15:00.123456+08:00"),
        ("2024-03-05", "2024-03-05T00:00:00+08:00"),
        ("2024年3月5日 上午8:15", "2024-03-05T08:15:00+08:00"),
        ("2024-03-05 下午 8:15:09", "2024-03-05T20:15:09+08:00"),
        ("2024-03-05 12:15 AM", "2024-03-05T00:15:00+08:00"),
        ("2024/3/5 8：15", "2024-03-05T08:15:00+08:00"),
        ("20240305081500", "2024-03-05T08:15:00+08:00"),
        ("Tue, 05 Mar 2024 08:15:00 +0100", "2024-03-05T08:15:00+01:00"),
        ("March 5, 2024 8:15 am", "2024-03-05T08:15:00+08:00"),
        ("13/03/2024 08:15", "2024-03-13T08:15:00+08:00"),
        ("05.03.2024 08:15", "2024-03-05T08:15:00+08:00"),
        ("2024-03-05 24:00:00", "2024-03-06T00:00:00+08:00"),
        ("2024-03-05 08:15:00 (GMT+9)", "2024-03-05T08:15:00+09:00"),
        ("星期二 2024-03-05&nbsp;08:15:00", "2024-03-05T08:15:00+08:00"),
        (1709597700.5, "2024-03-05T08:15:00.500000+08:00"),
        (45356.34375, "2024-03-05T08:15:00+08:00"),
        (1709597700, "2024-03-05T08:15:00+08:00"),
        (1709597700000, "2024-03-05T08:15:00+08:00"),
        ("1709597700", "2024-03-05T08:15:00+08:00"),
    ],
)
def test_a_time_is_read_as_written_and_a_naive_one_in_the_zone(written: object, read: str) -> None:
    assert rfc3339(read_time(written, SHANGHAI)) == read


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "soon",
        True,
        1.5,
        {},
        "2024-13-01 00:00:00",
        "0001-01-01 00:00:00",
        0,
        "03/04/2024 10:00",
        "2024-03-05 10:00 CST",
        "2024-03-05 10:60",
        "24:00",
    ],
)
def test_what_is_no_time_of_a_parcel_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="no time"):
        read_time(written, SHANGHAI)


@pytest.mark.parametrize("written", ["2024-03-05 12:03:04", "2024-03-05T23:59:59", "2023-11-05 01:30:00"])
def test_the_usual_spelling_is_read_as_any_other(written: str) -> None:
    tz = zone("America/New_York")
    other = read_time(written.replace("-", "/").replace("T", " "), tz)
    assert read_time(written, tz) == other
    assert read_time(written, tz).isoformat() == other.isoformat()


def test_a_day_that_is_none_is_refused_however_it_is_written() -> None:
    with pytest.raises(ValueError, match="no time: '2023-02-30 12:00:00'"):
        read_time("2023-02-30 12:00:00", SHANGHAI)


def test_a_zone_with_summer_time_gives_each_time_its_own_offset() -> None:
    assert rfc3339(read_time("2017-08-01 12:00:00", SAO_PAULO)).endswith("-03:00")
    assert rfc3339(read_time("2017-12-01 12:00:00", SAO_PAULO)).endswith("-02:00")


@pytest.mark.parametrize("name", ["Nowhere/Land", "../etc", "", "America"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("快件到达【北郊转运中心】", Place("北郊转运中心")),
        ("[南门服务部]进行派件扫描", Place("南门服务部")),
        ("快件离开【城东网点】，已发往【北郊转运中心】", Place("城东网点")),
        ("快件已发往【北郊转运中心】", Place()),
        ("已发出 下一站 【北郊转运中心】", Place()),
        ("[广州市]快件已到达北郊中心", Place("北郊中心", "广州市")),
        ("[广州市]快件离开北郊中心已发往南门", Place("北郊中心", "广州市")),
        ("【广东省】快件到达【北郊转运中心】", Place("北郊转运中心", "广东")),
        ("城东分拨中心/下车扫描", Place("城东分拨中心")),
        ("到达目的地网点", Place()),
        ("[广州市]快件离开刘**已发往南门", Place(None, "广州市")),
        ("【张**/138****0000】正在派件", Place()),
        ("快递员【张三】正在派件", Place()),
        ("【南门网点，电话13800000000】正在派件", Place()),
        ("【请为我们点亮五颗星】", Place()),
        ("已签收", Place()),
    ],
)
def test_a_place_in_a_text_is_a_facility_and_never_a_person(text: str, place: Place) -> None:
    assert place_in_text(text) == place


@pytest.mark.parametrize(
    ("location", "area", "place"),
    [
        ("SPRINGFIELD", "IL", Place("SPRINGFIELD", "IL")),
        ("山东,济南市,历城区", None, Place(None, "山东")),
        ("山东", None, Place(None, "山东")),
        (None, "山东,济南市", Place(None, "山东")),
        (None, "苏州市", Place(None, "苏州市")),
        ("SPRINGFIELD, IL 62701", None, Place("SPRINGFIELD, IL 62701")),
        ("138****0000", None, Place()),
        (None, None, Place()),
    ],
)
def test_a_place_in_fields_is_taken_and_a_chinese_area_is_a_region(
    location: str | None, area: str | None, place: Place
) -> None:
    assert place_in_fields(location, area) == place


@pytest.mark.parametrize(
    "text",
    [
        "派件人:张三,电话:13812345678",
        "【张**/138****5678】在路上",
        "快递员 张三(138 1234 5678)",
        "signed by: Zhang 13812345678",
    ],
)
def test_a_listed_text_names_nobody(text: str) -> None:
    shown = without_people(text)
    assert "张" not in shown
    assert "Zhang" not in shown
    assert "*" not in shown
    assert "5678" not in shown


@pytest.mark.parametrize(
    ("written", "zone_name", "read"),
    [
        ("3/5/2024 12:26 PM ET", "America/New_York", "2024-03-05T12:26:00-05:00"),
        ("7/25/2024 12:26 PM ET", "America/Toronto", "2024-07-25T12:26:00-04:00"),
        ("3/5/2024 12:26 PM CT", "America/New_York", "2024-03-05T12:26:00-06:00"),
        ("2024-03-05 12:26 PST", "America/Chicago", "2024-03-05T12:26:00-08:00"),
        ("2024-07-25 12:26 MST", "America/Phoenix", "2024-07-25T12:26:00-07:00"),
    ],
)
def test_letters_of_a_zone_are_read_in_data_of_north_america(written: str, zone_name: str, read: str) -> None:
    assert rfc3339(read_time(written, zone(zone_name), day_first=False)) == read


@pytest.mark.parametrize(
    ("written", "zone_name"),
    [
        ("2024-03-05 12:26 CST", "Asia/Shanghai"),
        ("2024-03-05 12:26 EST", "Australia/Sydney"),
        ("2024-03-05 12:26 CST", "America/Havana"),
        ("2024-07-25 12:26 EST", "America/New_York"),
        ("2024-03-05 12:26 IST", "America/New_York"),
        ("2024-03-05 12:26 ET", "UTC"),
    ],
)
def test_letters_that_may_be_several_zones_are_refused(written: str, zone_name: str) -> None:
    with pytest.raises(ValueError, match="may be several zones"):
        read_time(written, zone(zone_name))
