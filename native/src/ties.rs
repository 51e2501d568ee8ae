//! Tie-breakers between unsettled scans with the same time and status (`streams/stages/shipments/scan_ties.py`).
//!
//! Notes lie packed one behind the other. Once collected, a note has the digest of its value alone; those that were
//! settled by then are gone, as nobody asks for them.

use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Before every event, packed or not.
pub const BEFORE_ALL: i64 = -(1 << 62);
const BITS: u32 = 4;
/// Notes per row.
const MOST: usize = 500;
/// Bytes kept of a digest.
const SHORT: usize = 8;

pub fn digest(value: &[u8]) -> [u8; SHORT] {
    let mut short = [0; SHORT];
    short.copy_from_slice(&Sha256::digest(value)[..SHORT]);
    short
}

/// Key, event id and value (or its digest) begin at `at`, one behind the other.
struct Note {
    at: usize,
    key: u32,
    id: u32,
    value: u32,
    packed: i64,
    is_short: bool,
}

/// A note's event id, its value or digest, and which of the two.
type Known<'a> = (&'a [u8], &'a [u8], bool);

#[derive(Default)]
struct Notes {
    bytes: Vec<u8>,
    notes: Vec<Note>,
    /// By key and scan the last note, of so many of the first.
    places: HashMap<Box<[u8]>, usize>,
    indexed: usize,
}

impl Notes {
    fn add(&mut self, key: &[u8], packed: i64, id: &[u8], value: &[u8], is_short: bool) {
        let (at, value_length) = (self.bytes.len(), value.len() as u32);
        for part in [key, id, value] {
            self.bytes.extend_from_slice(part);
        }
        self.notes.push(Note { at, key: key.len() as u32, id: id.len() as u32, value: value_length, packed, is_short });
    }

    fn parts(&self, note: &Note) -> [&[u8]; 3] {
        let (key, rest) = self.bytes[note.at..].split_at(note.key as usize);
        let (id, rest) = rest.split_at(note.id as usize);
        [key, id, &rest[..note.value as usize]]
    }

    fn find(&mut self, key: &[u8], packed: i64) -> Option<Known<'_>> {
        for place in self.indexed..self.notes.len() {
            let note = &self.notes[place];
            let name = joined(self.parts(note)[0], note.packed);
            self.places.insert(name, place);
        }
        self.indexed = self.notes.len();
        let note = &self.notes[*self.places.get(&joined(key, packed))?];
        let [_, id, value] = self.parts(note);
        Some((id, value, note.is_short))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.notes.clear();
        self.places.clear();
        self.indexed = 0;
    }
}

fn joined(key: &[u8], packed: i64) -> Box<[u8]> {
    [key, &packed.to_le_bytes()].concat().into()
}

/// `has_any`: whether there was ever a note in it.
#[derive(Default)]
struct Generation {
    fresh: Notes,
    collected: Notes,
    rows: Vec<u64>,
    has_any: bool,
}

impl Generation {
    fn find(&mut self, key: &[u8], packed: i64) -> Option<Known<'_>> {
        // Of two notes the later one holds.
        if let Some(known) = self.fresh.find(key, packed) {
            return Some(known);
        }
        self.collected.find(key, packed)
    }

    /// Gives the rows of what is unsettled and new.
    fn collect(&mut self, settled: i64, last: &mut u64, rows: &mut Vec<(u64, Vec<u8>)>) {
        let first = self.collected.notes.len();
        for note in &self.fresh.notes {
            if note.packed >> BITS < settled {
                continue;
            }
            let [key, id, value] = self.fresh.parts(note);
            if note.is_short {
                self.collected.add(key, note.packed, id, value, true);
            } else {
                self.collected.add(key, note.packed, id, &digest(value), true);
            }
        }
        self.fresh.clear();
        for some in self.collected.notes[first..].chunks(MOST) {
            *last += 1;
            self.rows.push(*last);
            rows.push((*last, self.encoded(some)));
        }
    }

    /// As Python's `msgpack` encoder writes a list of (key, scan, event id, digest).
    fn encoded(&self, notes: &[Note]) -> Vec<u8> {
        let mut out = Vec::new();
        array(notes.len(), &mut out);
        for note in notes {
            let [key, id, value] = self.collected.parts(note);
            array(4, &mut out);
            binary(key, &mut out);
            integer(note.packed, &mut out);
            text(id, &mut out);
            binary(value, &mut out);
        }
        out
    }
}

fn array(length: usize, out: &mut Vec<u8>) {
    if length < 16 {
        out.push(0x90 | length as u8);
    } else {
        out.push(0xDC);
        out.extend_from_slice(&(length as u16).to_be_bytes());
    }
}

/// A length in the least of one, two and four bytes, behind the mark of that many.
fn sized(length: usize, marks: [u8; 3], out: &mut Vec<u8>) {
    match length {
        0..=0xFF => out.extend_from_slice(&[marks[0], length as u8]),
        0x100..=0xFFFF => {
            out.push(marks[1]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(marks[2]);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
}

fn binary(bytes: &[u8], out: &mut Vec<u8>) {
    sized(bytes.len(), [0xC4, 0xC5, 0xC6], out);
    out.extend_from_slice(bytes);
}

fn text(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.len() < 32 {
        out.push(0xA0 | bytes.len() as u8);
    } else {
        sized(bytes.len(), [0xD9, 0xDA, 0xDB], out);
    }
    out.extend_from_slice(bytes);
}

fn integer(number: i64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let (mark, from) = match number {
        -32..=0x7F => (None, 7),
        0x80..=0xFF => (Some(0xCC), 7),
        0x100..=0xFFFF => (Some(0xCD), 6),
        0x1_0000..=0xFFFF_FFFF => (Some(0xCE), 4),
        0x1_0000_0000.. => (Some(0xCF), 0),
        -0x80..=-33 => (Some(0xD0), 7),
        -0x8000..=-0x81 => (Some(0xD1), 6),
        -0x8000_0000..=-0x8001 => (Some(0xD2), 4),
        _ => (Some(0xD3), 0),
    };
    out.extend(mark);
    out.extend_from_slice(&bytes[from..]);
}

/// Unsettled scans in two generations.
pub struct Ties {
    young: Generation,
    old: Generation,
    /// The greatest scan, packed.
    greatest: i64,
    /// No scan in the old generation is later than this time.
    old_until: i64,
    /// Rows to delete, and the number of the last one.
    gone: Vec<u64>,
    last: u64,
}

impl Default for Ties {
    fn default() -> Self {
        Ties {
            young: Generation::default(),
            old: Generation::default(),
            greatest: BEFORE_ALL,
            old_until: BEFORE_ALL,
            gone: Vec::new(),
            last: 0,
        }
    }
}

impl Ties {
    pub fn note(&mut self, key: &[u8], packed: i64, id: &[u8], value: &[u8]) {
        self.young.fresh.add(key, packed, id, value, false);
        self.young.has_any = true;
        self.greatest = self.greatest.max(packed);
    }

    /// True unless the known scan of that time and status is found to sort after this one.
    pub fn holds_against(&mut self, key: &[u8], packed: i64, id: &[u8], value: &[u8]) -> bool {
        let known = match self.young.find(key, packed) {
            None => self.old.find(key, packed),
            known => known,
        };
        let Some((known_id, known, is_short)) = known else {
            return true;
        };
        if known == value {
            return true;
        }
        if known_id != id {
            return known_id < id;
        }
        let short = digest(value);
        if is_short {
            known <= &short[..]
        } else {
            digest(known) <= short
        }
    }

    /// Evicts a generation once all its events are below `settled` (microseconds).
    pub fn settle(&mut self, settled: i64) {
        while settled > self.old_until && (self.old.has_any || self.young.has_any) {
            self.gone.append(&mut self.old.rows);
            self.old = std::mem::take(&mut self.young);
            self.old_until = self.greatest >> BITS;
        }
    }

    /// The rows of new unsettled scans, and the numbers of rows to delete.
    pub fn collect(&mut self, settled: i64) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
        let mut rows = Vec::new();
        for generation in [&mut self.old, &mut self.young] {
            generation.collect(settled, &mut self.last, &mut rows);
        }
        (rows, std::mem::take(&mut self.gone))
    }

    /// A row that there is has been restored; its notes follow.
    pub fn restored(&mut self, number: u64) {
        self.last = number;
        self.young.rows.push(number);
    }

    pub fn restored_note(&mut self, key: &[u8], packed: i64, id: &[u8], short: &[u8]) {
        self.young.collected.add(key, packed, id, short, true);
        self.young.has_any = true;
        self.greatest = self.greatest.max(packed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_begin_of_a_sha_256() {
        assert_eq!(digest(b"abc"), [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
    }

    #[test]
    fn of_two_the_first_to_sort_holds() {
        let mut ties = Ties::default();
        ties.note(b"k", 5 << BITS, b"b", b"one");
        assert!(ties.holds_against(b"k", 5 << BITS, b"b", b"one"));
        assert!(ties.holds_against(b"k", 6 << BITS, b"a", b"two"));
        assert!(!ties.holds_against(b"k", 5 << BITS, b"a", b"two"));
        ties.note(b"k", 5 << BITS, b"a", b"two");
        assert!(ties.holds_against(b"k", 5 << BITS, b"b", b"one"));
        ties.collect(0);
        assert!(ties.holds_against(b"k", 5 << BITS, b"a", b"two"));
    }

    #[test]
    fn what_is_settled_is_not_kept() {
        let mut ties = Ties::default();
        for time in 0..1_200 {
            ties.note(b"key", time << BITS, b"id", &[7; 200]);
        }
        let (rows, gone) = ties.collect(100);
        assert_eq!((rows.len(), gone.len(), ties.young.collected.notes.len()), (3, 0, 1_100));
        assert_eq!(ties.young.collected.bytes.len(), 1_100 * (3 + 2 + SHORT));
        assert!(ties.young.fresh.bytes.is_empty());
        ties.settle(1_200);
        ties.note(b"key", 1_300 << BITS, b"id", b"");
        ties.settle(1_200);
        assert_eq!(ties.collect(1_200).1, [1, 2, 3]);
    }
}
