"""RFC 3339 with an offset, to and from whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import times
from schemas.times import HOUR, MINUTE, SECOND, parse, render

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = parse("0001-01-01T00:00:00Z"), parse("9999-12-31T23:59:59.999999Z")


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1969-12-31T18:30:00-05:30", 0),
        ("2026-11-03T08:15:00+08:00", 1_793_664_900_000_000),
        ("2026-11-03T00:15:00Z", 1_793_664_900_000_000),
        ("2026-11-03t00:15:00z", 1_793_664_900_000_000),
        ("2024-02-29T00:00:00+00:00", 1_709_164_800_000_000),
        ("2024-02-29T00:00:00-00:00", 1_709_164_800_000_000),
    ],
)
def test_a_time_with_an_offset_is_an_instant(text: str, micros: int) -> None:
    assert parse(text) == micros
    # Again, from the tables that the first has filled.
    assert parse(text) == micros


@pytest.mark.parametrize(
    ("fraction", "micros"),
    [
        ("", 0),
        (".5", 500_000),
        (".000001", 1),
        (".1234567", 123_456),
        (".9999999", 999_999),
        (".999999999999999999999999", 999_999),
        (".0000009", 0),
        (".000000", 0),
    ],
)
def test_digits_of_a_second_after_the_sixth_are_cut(fraction: str, micros: int) -> None:
    assert parse(f"2026-11-03T08:15:00{fraction}Z") == parse("2026-11-03T08:15:00Z") + micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-03",
        "2026-11-03T08:15:00",
        "2026-11-03T08:15:00.5",
        "2026-11-03 08:15:00Z",
        "2026-11-03T08:15Z",
        "2026-11-03T08:15:00.Z",
        "2026-11-03T08:15:00,5Z",
        "2026-11-03T08:15:00+0800",
        "2026-11-03T08:15:00+08",
        "2026-11-03T08:15:00+8:00",
        "2026-11-03T08:15:00 +08:00",
        "2026-11-03T08:15:00Z ",
        " 2026-11-03T08:15:00Z",
        "2026-11-03T08:15:00Z\n",
        "2026-11-03T08:15:00ZZ",
        "2026-11-03T08:15:00UTC",
        "2026-11-3T08:15:00Z",
        "26-11-03T08:15:00Z",
        "+2026-11-03T08:15:00Z",
        "-2026-11-03T08:15:00Z",
        "20261103T081500Z",
        "2026-W45-2T08:15:00Z",
        "1793664900",
        "２０２６-11-03T08:15:00Z",
        "2026-11-03T08:15:0٣Z",
        "2026-11-03T08:15:00+０8:00",
    ],
)
def test_what_is_of_another_form_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T23:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:99Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+08:60",
        "2026-01-01T00:00:00-99:99",
    ],
)
def test_what_is_no_time_of_any_day_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no such"):
        parse(text)


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00", "2026-06-30T12:00:60.5Z"])
def test_a_leap_second_is_refused_whether_there_was_one_or_not(text: str) -> None:
    with pytest.raises(ValueError, match="second"):
        parse(text)


def test_a_minute_that_is_known_makes_no_bad_rest_good() -> None:
    parse("2026-11-03T08:15:00Z")
    parse("2026-11-03T08:15:00+08:00")
    rests = ("60Z", "0Z", "00", "00+08:60", "00.Z", "00+24:00", "00.5", "00z ", "", "Z", "00.+08:00", "00.5+8:00",
             "00.5 Z", "00.٣Z", "00.²Z", "00.5.5Z", "00.-5Z", "00.5_5Z", "00,5Z", "00.5ZZ", "00.5+08:000")  # fmt: skip
    for rest in rests:
        with pytest.raises(ValueError, match=r"RFC 3339|no such"):
            parse(f"2026-11-03T08:15:{rest}")


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("0001-01-01T00:00:00Z", True),
        ("0001-01-01T00:00:00+00:01", False),
        ("0001-01-01T00:00:00-00:01", True),
        ("9999-12-31T23:59:59.999999Z", True),
        ("9999-12-31T23:59:59+00:01", True),
        ("9999-12-31T23:59:59-00:01", False),
        ("9999-12-31T23:59:59.9999999Z", True),
    ],
)
def test_times_are_of_the_years_1_to_9999_in_utc(text: str, valid: bool) -> None:
    for _ in range(2):
        if valid:
            assert FIRST <= parse(text) <= LAST
        else:
            with pytest.raises(ValueError, match="years"):
                parse(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-12-31T23:59:59.999999Z", "2027-01-01T07:59:59.999999+08:00"),
        ("2027-01-01T00:00:00Z", "2026-12-31T16:00:00-08:00"),
        ("2024-02-29T16:00:00Z", "2024-03-01T00:00:00+08:00"),
        ("2026-01-01T00:00:00Z", "2025-12-31T12:15:00-11:45"),
    ],
)
def test_an_offset_carries_over_the_end_of_days_and_years(one: str, other: str) -> None:
    assert parse(one) == parse(other)


MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(moment=MOMENTS, minutes=OFFSETS, digits=st.integers(0, 9), nudge=st.integers(-2, 2))
def test_the_tables_say_what_the_calendar_says(moment: datetime, minutes: int, digits: int, nudge: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    sign, rest = "-" if minutes < 0 else "+", abs(minutes)
    offset = f"{sign}{rest // 60:02d}:{rest % 60:02d}"
    for second in (aware.second, (aware.second + nudge) % 60):
        at = aware.replace(second=second)
        fraction = f"{at.microsecond:06d}000"[:digits]
        text = f"{at.isoformat()[:19]}{'.' + fraction if fraction else ''}{offset}"
        cut = int(fraction[:6].ljust(6, "0")) if fraction else 0
        expected = (at.replace(microsecond=cut) - EPOCH) // timedelta(microseconds=1)
        assert parse(text) == expected
        assert parse(text) == expected


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.integers(FIRST, LAST))
def test_what_is_rendered_is_parsed_again(micros: int) -> None:
    text = render(micros)
    assert parse(text) == micros
    assert text.endswith("Z")
    assert not text.removesuffix("Z").endswith(".")
    assert not ("." in text and text.endswith("0Z"))


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (500_000, "1970-01-01T00:00:00.5Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (FIRST, "0001-01-01T00:00:00Z"),
        (LAST, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_rendered_in_utc_with_a_fraction_only_where_there_is_one(micros: int, text: str) -> None:
    assert render(micros) == text


def test_full_tables_are_emptied_and_filled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_MOST", 3)
    monkeypatch.setattr(times, "_hours", {})
    monkeypatch.setattr(times, "_ends", {})
    start = parse("2026-11-03T00:00:00Z")
    for hour in range(10):
        for second in range(10):
            expected = start + hour * HOUR + 5 * MINUTE + second * SECOND
            assert parse(f"2026-11-03T{hour:02d}:05:{second:02d}Z") == expected
            assert len(times._hours) <= 3
            assert len(times._ends) <= 3


@pytest.mark.parametrize("zone", ["Z", "z", "+08:00", "-05:30"])
def test_tables_that_a_time_with_a_fraction_has_filled_serve_those_without_and_the_other_way_round(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    for first in (f"2026-11-03T08:15:07.25{zone}", f"2026-11-03T08:15:07{zone}"):
        monkeypatch.setattr(times, "_hours", {})
        monkeypatch.setattr(times, "_ends", {})
        parse(first)
        assert len(times._hours) == len(times._ends) == 1
        whole = parse(f"2026-11-03T08:15:07{zone}")
        assert parse(f"2026-11-03T08:15:07.1234567{zone}") == whole + 123_456
        assert parse(f"2026-11-03T08:15:07.25{zone}") == whole + 250_000
        assert len(times._hours) == len(times._ends) == 1
