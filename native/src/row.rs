//! The row of a parcel (`streams/stages/shipments/parcel_rows.py`), as far as the common scan changes it.

use crate::scan::{DELIVERED, DELIVERY_FAILED, FIRST_TERMINAL, INFO_RECEIVED, RETURNING};
use crate::ties::BEFORE_ALL;

const CALM: u8 = 1;
const AWAITED: u8 = 8;
const USED_BEFORE: u8 = 16;
const SPLIT: u8 = 32;
/// Rows of other formats are handed back.
pub const FORMAT: u8 = 128;
const FORMATS: u8 = 192;
/// The format, and that what is rare ends with the instant for which a delivery is promised.
const PROMISED: u8 = 192;
const PROMISE: usize = 8;
const HEAD: usize = 21;
const EACH: usize = 12;
const BITS: u32 = 4;

/// What the policy says, in microseconds, and the size in bytes up to which a row takes one more scan.
pub struct Rules {
    pub shortest: i64,
    pub keep: i64,
    pub full: usize,
}

/// A scan as a row holds it: its time and rank, the number of its facility.
#[derive(Clone, Copy)]
pub struct Packed {
    pub time: i64,
    pub rank: u8,
    pub facility: u32,
}

impl Packed {
    pub fn number(self) -> i64 {
        self.time << BITS | i64::from(self.rank)
    }

    fn bytes(self) -> [u8; EACH] {
        let mut bytes = [0; EACH];
        bytes[..8].copy_from_slice(&self.number().to_le_bytes());
        bytes[8..].copy_from_slice(&self.facility.to_le_bytes());
        bytes
    }
}

fn header(row: &mut Vec<u8>, flags: u8, last: i64, due: i64, size: u32) {
    row.push(flags);
    row.extend_from_slice(&last.to_le_bytes());
    row.extend_from_slice(&due.to_le_bytes());
    row.extend_from_slice(&size.to_le_bytes());
}

fn long(row: &[u8], at: usize) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&row[at..at + 8]);
    i64::from_le_bytes(bytes)
}

/// Writes the row of a new parcel into `out`; returns when it is due.
pub fn begun(scan: Packed, rules: &Rules, out: &mut Vec<u8>) -> i64 {
    out.clear();
    let (flags, due) = if scan.rank < FIRST_TERMINAL {
        (CALM | FORMAT, scan.time + rules.shortest + 1)
    } else {
        (FORMAT, scan.time + rules.keep)
    };
    header(out, flags, scan.time, due, 0);
    out.extend_from_slice(&scan.bytes());
    due
}

/// Writes the row with one more scan into `out`; returns when the parcel is due, if that is sooner than before.
///
/// None: the scan may change more than that.
pub fn taken(row: &[u8], scan: Packed, settled: i64, rules: &Rules, out: &mut Vec<u8>) -> Option<Option<i64>> {
    if row.len() < HEAD || row.len() > rules.full {
        return None;
    }
    let flags = row[0];
    if flags & FORMAT == 0 || flags & SPLIT != 0 {
        return None;
    }
    let (last, due) = (long(row, 1), long(row, 9));
    let mut size = [0; 4];
    size.copy_from_slice(&row[17..HEAD]);
    let size = u32::from_le_bytes(size);
    if size > 0 && raises(scan.rank) {
        return None;
    }
    let promised = flags & FORMATS == PROMISED;
    if promised && scan.rank >= FIRST_TERMINAL {
        return None;
    }
    let by = if promised { promise(row, size as usize)? } else { i64::MAX };
    let silent = scan.time.checked_sub(last)?;
    let in_time = 0 < silent && silent <= rules.shortest;
    let calm = (scan.time, by.min(scan.time + rules.shortest + 1));
    out.clear();
    let ordinary = if flags & USED_BEFORE != 0 {
        None
    } else if flags & CALM != 0 {
        if silent < 0 && scan.rank < FIRST_TERMINAL && scan.time >= settled {
            return inserted(row, last, size as usize, scan, rules, out).map(|()| None);
        }
        let ended = scan.rank >= FIRST_TERMINAL;
        let (next, due) = if ended { (flags ^ CALM, scan.time + rules.keep) } else { (flags, calm.1) };
        in_time.then_some((next, scan.time, due))
    } else if flags & AWAITED != 0 && scan.time < due && in_time && scan.rank < FIRST_TERMINAL {
        if scan.rank != INFO_RECEIVED {
            Some((flags ^ (AWAITED | CALM), calm.0, calm.1))
        } else {
            (due <= last + rules.shortest).then_some((flags, scan.time, due))
        }
    } else {
        None
    };
    // It has no effect before it is settled, and is judged then.
    let tells = raises(scan.rank) || scan.rank == DELIVERED;
    let waits =
        !promised && !tells && last < scan.time && scan.time >= settled && ends_before(row, size as usize, scan.time);
    let waiting = waits.then_some((flags & !(CALM | AWAITED), last, due.min(scan.time)));
    let (flags, last, next) = ordinary.or(waiting)?;
    header(out, flags, last, next, size);
    out.extend_from_slice(&row[HEAD..]);
    out.extend_from_slice(&scan.bytes());
    Some((next < due).then_some(next))
}

/// When the parcel is due, as its row says, or None. Rows of another format are due at once.
pub fn due_of(row: &[u8]) -> Option<i64> {
    if row.len() < HEAD || row[0] & FORMATS == 0 {
        return Some(BEFORE_ALL);
    }
    Some(long(row, 9)).filter(|&due| due != i64::MAX)
}

/// The instant for which a delivery is promised, at the end of what is rare.
fn promise(row: &[u8], size: usize) -> Option<i64> {
    let end = HEAD.checked_add(size)?;
    (size >= PROMISE && end <= row.len()).then(|| long(row, end - PROMISE))
}

/// Whether a row holds more than scans: orders, or alerts.
pub fn is_told_more(row: &[u8]) -> bool {
    row.get(17..HEAD).is_none_or(|size| size != [0; 4])
}

/// Whether all scans of the row are before that time.
fn ends_before(row: &[u8], size: usize, time: i64) -> bool {
    row.len() < HEAD + size + EACH || long(row, row.len() - EACH) >> BITS < time
}

/// Whether a scan may raise an alert of itself where an order is known.
fn raises(rank: u8) -> bool {
    rank == DELIVERY_FAILED || rank == RETURNING || rank > DELIVERED
}

/// The scan before the last update, where it changes nothing else.
fn inserted(row: &[u8], last: i64, size: usize, scan: Packed, rules: &Rules, out: &mut Vec<u8>) -> Option<()> {
    let start = HEAD + size;
    let mut place = row.len().checked_sub(EACH)?;
    while place >= start {
        let known = long(row, place);
        let before = known >> BITS;
        if before == scan.time {
            return None;
        }
        if before < scan.time {
            let rank = (known & 15) as u8;
            // Where an order is known, the first scan that collects its parcel matters.
            if rank >= FIRST_TERMINAL || last - before > rules.shortest || (size > 0 && rank == INFO_RECEIVED) {
                return None;
            }
            out.extend_from_slice(&row[..place + EACH]);
            out.extend_from_slice(&scan.bytes());
            out.extend_from_slice(&row[place + EACH..]);
            return Some(());
        }
        place = place.checked_sub(EACH)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { shortest: 100, keep: 1_000, full: 2_036 };

    fn scan(time: i64, rank: u8) -> Packed {
        Packed { time, rank, facility: 7 }
    }

    #[test]
    fn a_calm_parcel_takes_what_comes_in_time() {
        let (mut row, mut next) = (Vec::new(), Vec::new());
        assert_eq!(begun(scan(1_000, 0), &RULES, &mut row), 1_101);
        assert!(taken(&row, scan(1_100, 0), 0, &RULES, &mut next).is_some());
        assert_eq!((long(&next, 1), long(&next, 9), next.len()), (1_100, 1_201, HEAD + 2 * EACH));
        assert_eq!(taken(&row, scan(1_101, 0), 0, &RULES, &mut next), Some(None));
        assert_eq!((next[0], long(&next, 1), long(&next, 9)), (FORMAT, 1_000, 1_101));
        assert_eq!(taken(&row, scan(1_101, 0), 1_102, &RULES, &mut next), None);
        assert!(taken(&row, scan(1_000, 0), 0, &RULES, &mut next).is_none());
    }

    #[test]
    fn one_in_between_is_inserted_unless_it_is_settled_or_known() {
        let (mut row, mut next, mut third) = (Vec::new(), Vec::new(), Vec::new());
        begun(scan(1_000, 0), &RULES, &mut row);
        taken(&row, scan(1_050, 0), 0, &RULES, &mut next).expect("in time");
        assert!(taken(&next, scan(1_020, 0), 1_020, &RULES, &mut third).is_some());
        assert_eq!([long(&third, 21) >> 4, long(&third, 33) >> 4, long(&third, 45) >> 4], [1_000, 1_020, 1_050]);
        assert!(taken(&next, scan(1_020, 0), 1_021, &RULES, &mut third).is_none());
        assert!(taken(&next, scan(1_000, 1), 0, &RULES, &mut third).is_none());
    }

    #[test]
    fn a_promised_parcel_is_due_by_its_promise_and_only_a_plain_scan_is_taken() {
        let (mut row, mut next) = (Vec::new(), Vec::new());
        header(&mut row, CALM | PROMISED, 1_000, 1_050, 8);
        row.extend_from_slice(&1_050_i64.to_le_bytes());
        row.extend_from_slice(&scan(1_000, 0).bytes());
        assert_eq!(taken(&row, scan(1_040, 0), 0, &RULES, &mut next), Some(None));
        assert_eq!((next[0], long(&next, 1), long(&next, 9)), (CALM | PROMISED, 1_040, 1_050));
        assert_eq!(long(&next, HEAD), 1_050);
        assert_eq!(taken(&row, scan(1_040, FIRST_TERMINAL), 0, &RULES, &mut next), None);
        assert_eq!(taken(&row, scan(1_101, 0), 0, &RULES, &mut next), None);
        row[17] = 7;
        assert_eq!(taken(&row, scan(1_040, 0), 0, &RULES, &mut next), None);
    }

    #[test]
    fn a_scan_of_an_ended_parcel_waits_until_it_is_settled() {
        let (mut row, mut next) = (Vec::new(), Vec::new());
        assert_eq!(begun(scan(1_000, FIRST_TERMINAL), &RULES, &mut row), 2_000);
        assert_eq!(taken(&row, scan(1_010, 0), 1_010, &RULES, &mut next), Some(Some(1_010)));
        assert_eq!(taken(&row, scan(1_010, 0), 1_011, &RULES, &mut next), None);
        assert_eq!(taken(&row, scan(1_000, 0), 0, &RULES, &mut next), None);
    }
}
