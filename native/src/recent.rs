//! Rows on disk that were read lately, and where each of them is: what is in use is not read of its file again.

use crate::places::Place;
use crate::table::Table;

/// Bytes of keys and rows in a generation; there are two.
const GENERATION: usize = 8 << 20;
/// Larger rows are left out.
const LARGEST: usize = 2048;
const HEAD: usize = 8;

/// Rows by key: each is that on disk, and its place the one where it is now.
#[derive(Default)]
pub struct Recent {
    young: Table,
    old: Table,
    bytes: usize,
    value: Vec<u8>,
}

/// Where a row is, how many units it takes there, and what it is.
pub type Known<'a> = (Place, u32, &'a [u8]);

fn known(value: &[u8]) -> Known<'_> {
    let number = |at: usize| u32::from_le_bytes([value[at], value[at + 1], value[at + 2], value[at + 3]]);
    (number(0), number(4), &value[HEAD..])
}

impl Recent {
    /// What is known of a key, which becomes young again.
    pub fn get(&mut self, key: &[u8]) -> Option<Known<'_>> {
        if self.young.get(key).is_none() {
            let value = self.old.get(key)?.to_vec();
            self.insert(key, &value);
        }
        self.young.get(key).map(known)
    }

    pub fn peek(&self, key: &[u8]) -> Option<Known<'_>> {
        self.young.get(key).or_else(|| self.old.get(key)).map(known)
    }

    /// A row has been read.
    pub fn put(&mut self, key: &[u8], (place, units, row): Known<'_>) {
        if key.len() + row.len() > LARGEST {
            return;
        }
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        value.extend_from_slice(&place.to_le_bytes());
        value.extend_from_slice(&units.to_le_bytes());
        value.extend_from_slice(row);
        self.insert(key, &value);
        self.value = value;
    }

    /// A row has been written, or removed: what is known of its key is that from now on. Others are left unknown.
    pub fn written(&mut self, key: &[u8], row: Option<Known<'_>>) {
        if self.peek(key).is_none() {
            return;
        }
        self.old.remove(key);
        match row {
            Some(row) if key.len() + row.2.len() <= LARGEST => self.put(key, row),
            _ => drop(self.young.remove(key)),
        }
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) {
        let was = self.young.get(key).map_or(0, |known| key.len() + known.len());
        self.bytes = (self.bytes + key.len() + value.len()).saturating_sub(was);
        if self.bytes > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = key.len() + value.len();
        }
        self.young.set(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_what_was_written_last() {
        let mut recent = Recent::default();
        recent.written(b"a", Some((1, 1, b"nobody has read it")));
        assert_eq!(recent.get(b"a"), None);
        recent.put(b"a", (1, 2, b"read"));
        assert_eq!(recent.get(b"a"), Some((1, 2, &b"read"[..])));
        recent.written(b"a", Some((3, 4, b"written")));
        assert_eq!(recent.peek(b"a"), Some((3, 4, &b"written"[..])));
        recent.written(b"a", Some((5, 200, &[0; 3000])));
        assert_eq!(recent.get(b"a"), None);
        recent.put(b"a", (1, 2, b"read"));
        recent.written(b"a", None);
        assert_eq!(recent.get(b"a"), None);
    }

    #[test]
    fn what_is_in_use_stays_and_what_is_not_goes() {
        let mut recent = Recent::default();
        for number in 0..200_000_u32 {
            recent.put(&number.to_le_bytes(), (number, 1, &[0; 200]));
            recent.put(b"in use", (number, 0, b""));
            if number > 60_000 {
                assert!(recent.get(&60_000_u32.to_le_bytes()).is_some());
            }
        }
        assert_eq!(recent.peek(&0_u32.to_le_bytes()), None);
        assert!(recent.young.len() + recent.old.len() < 2 * GENERATION / 200);
        // In the older generation, too, it is what was written last.
        let number = recent.old.next(0).map(|(_, key, _)| key.to_vec()).unwrap();
        recent.written(&number, Some((7, 7, b"new")));
        assert_eq!(recent.get(&number), Some((7, 7, &b"new"[..])));
    }
}
