//! RFC 3339 times in the usual form; `None` hands any other back to Python.

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Microseconds since 1970-01-01T00:00:00Z; digits of a second after the sixth are cut.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    if text.len() < 20 || text[4] != b'-' || text[7] != b'-' || text[10] != b'T' || text[13] != b':' || text[16] != b':'
    {
        return None;
    }
    let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..10])?);
    let (hour, minute, second) = (number(&text[11..13])?, number(&text[14..16])?, number(&text[17..19])?);
    // Away from the ends of the calendar, which only Python knows.
    if !(1971..=9998).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, zone) = match text[19] {
        b'.' => {
            let length = text[20..].iter().position(|byte| !byte.is_ascii_digit())?;
            if length == 0 {
                return None;
            }
            let kept = length.min(6);
            let fraction = number(&text[20..20 + kept])? * 10_i64.pow(6 - kept as u32);
            (fraction, &text[20 + length..])
        }
        _ => (0, &text[19..]),
    };
    let offset = match zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * HOUR + minutes * MINUTE) * if *sign == b'+' { 1 } else { -1 }
        }
        _ => return None,
    };
    Some(days_until(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND + micros - offset)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let last = year - 1;
    let leaps = last / 4 - last / 100 + last / 400;
    let after_february = i64::from(month > 2 && is_leap(year));
    last * 365 + leaps + BEFORE[month as usize - 1] + after_february + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_the_usual_form() {
        assert_eq!(parse("1971-01-01T00:00:00Z"), Some(365 * DAY));
        assert_eq!(parse("2026-03-04T18:10:00+08:00"), Some(1_772_619_000 * SECOND));
        assert_eq!(parse("2024-02-29T23:59:59.1234567-00:30"), Some(1_709_252_999 * SECOND + 123_456));
        assert_eq!(parse("2026-01-01T00:00:00.5Z"), parse("2026-01-01T00:00:00Z").map(|time| time + 500_000));
    }

    #[test]
    fn others_are_handed_back() {
        for odd in [
            "",
            "2026-03-04",
            "2026-03-04T18:10:00",
            "2026-03-04T18:10:60Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01t00:00:00Z",
            "2026-01-01T00:00:00z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+0800",
            "1970-12-31T23:59:59Z",
            "9999-01-01T00:00:00Z",
            "２026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Zx",
        ] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
