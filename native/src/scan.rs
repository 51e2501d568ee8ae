//! One scan of a parcel, as `schemas.events.Scan` and `schemas.decode` accept it.

use crate::json::Reader;
use crate::time;
use std::borrow::Cow;

pub const MAX_BYTES: usize = 65_536;
const LONGEST_ID: usize = 128;

pub struct Scan<'a> {
    pub event_id: Cow<'a, str>,
    pub tracking_no: Cow<'a, str>,
    pub carrier: Cow<'a, str>,
    /// As `streams.rules.shipments.scan_status` ranks it.
    pub rank: u8,
    pub facility: Option<Cow<'a, str>>,
    /// Microseconds.
    pub time: i64,
    /// Of a `delivered` scan alone, whose place it is part of.
    pub region: Option<Cow<'a, str>>,
}

impl Scan<'_> {
    /// Whether its place is more than its facility's name.
    pub fn has_region(&self) -> bool {
        self.rank == DELIVERED && (self.region.is_some() || self.facility.as_deref().is_some_and(is_odd))
    }
}

/// Ranks go by (terminal, name); the position is the rank.
const STATUSES: [&str; 14] = [
    "arrived",
    "customs",
    "delivery_failed",
    "departed",
    "exception",
    "held",
    "in_transit",
    "info_received",
    "out_for_delivery",
    "picked_up",
    "returning",
    "delivered",
    "destroyed",
    "returned",
];
pub const DELIVERY_FAILED: u8 = 2;
pub const INFO_RECEIVED: u8 = 7;
pub const RETURNING: u8 = 10;
pub const DELIVERED: u8 = 11;
pub const FIRST_TERMINAL: u8 = 11;

/// The names by rank, for Python to compare with its own.
pub fn statuses() -> &'static [&'static str] {
    &STATUSES
}

/// The scan in `value`, or None: Python has to tell.
pub fn decode(value: &[u8]) -> Option<Scan<'_>> {
    if value.len() > MAX_BYTES {
        return None;
    }
    let mut reader = Reader::new(std::str::from_utf8(value).ok()?);
    reader.blanks();
    let mut is_scan = false;
    let (mut event_id, mut tracking_no, mut carrier) = (None, None, None);
    let (mut rank, mut at) = (None, None);
    let (mut facility, mut platform, mut region, mut note) = (None, None, None, None);
    reader.object(|name, reader| {
        match name {
            "type" if !is_scan => is_scan = reader.string()?.as_ref() == "scan",
            "event_id" => once(&mut event_id, id(reader.string()?)?)?,
            "tracking_no" => once(&mut tracking_no, id(reader.string()?)?)?,
            "carrier" => once(&mut carrier, id(reader.string()?)?)?,
            "status" => {
                let status = reader.string()?;
                once(&mut rank, STATUSES.iter().position(|&name| name == status)? as u8)?;
            }
            "occurred_at" => once(&mut at, time::parse(&reader.string()?)?)?,
            "facility" => once(&mut facility, reader.string_or_null()?)?,
            "platform" => once(&mut platform, reader.string_or_null()?)?,
            "region" => once(&mut region, reader.string_or_null()?)?,
            "note" => once(&mut note, reader.string_or_null()?)?,
            "type" => return None,
            _ => reader.skip()?,
        }
        Some(())
    })?;
    if !is_scan {
        return None;
    }
    let (facility, rank) = (facility.flatten(), rank?);
    let region = region.flatten().filter(|_| rank == DELIVERED);
    Some(Scan { event_id: event_id?, tracking_no: tracking_no?, carrier: carrier?, rank, facility, time: at?, region })
}

/// A name with what Python puts between a facility and its region.
fn is_odd(name: &str) -> bool {
    name.contains(['\x1e', '\x1f'])
}

/// A name that comes twice is handed back.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// An id has 1 to 128 characters.
fn id(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty() && (text.len() <= LONGEST_ID || text.chars().count() <= LONGEST_ID)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"event_id":"e","type":"scan","occurred_at":"2026-01-01T00:00:00Z","tracking_no":"T","carrier":"SF","status":"arrived","facility":"\u7532","more":{"x":[1,2]}}"#;

    #[test]
    fn a_plain_scan() {
        let scan = decode(PLAIN.as_bytes()).expect("plain");
        assert_eq!((scan.tracking_no.as_ref(), scan.rank, scan.facility.as_deref()), ("T", 0, Some("甲")));
    }

    #[test]
    fn odd_ones_are_handed_back() {
        for (from, to) in [
            (r#""type":"scan","#, ""),
            (r#""scan""#, r#""order.paid""#),
            (r#""T""#, r#""""#),
            (r#""T""#, "7"),
            (r#""arrived""#, r#""gone""#),
            ("}}", "}} x"),
            ("}}", "}"),
            (r#""more""#, r#""carrier""#),
            (r#""more""#, r#""type""#),
            (r#""more""#, r#""ca\u0072rier""#),
        ] {
            let odd = PLAIN.replacen(from, to, 1);
            assert!(odd != PLAIN && decode(odd.as_bytes()).is_none(), "{odd}");
        }
        let long = |length| PLAIN.replacen(r#""T""#, &format!("\"{}\"", "中".repeat(length)), 1);
        assert!(decode(long(128).as_bytes()).is_some());
        assert!(decode(long(129).as_bytes()).is_none());
    }
}
