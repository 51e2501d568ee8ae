//! Rows by key, packed: a key and its row lie side by side in a place of a page, and what finds them takes eight bytes.
//!
//! Places are of some sizes, and a page of 64 KiB has those of one size; a page without any rows is given back, to be cut
//! for another size. Rows beyond the largest place are kept one by one.

use std::collections::hash_map::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;

/// Bytes of a page, and of the unit that places are told in: so 32 bits reach 64 GiB.
const PAGE: usize = 64 << 10;
const UNIT: usize = 16;
const UNITS: usize = PAGE / UNIT;
/// The lengths of key and row, before both.
const HEAD: usize = 4;
/// The sizes of places in bytes, as many as a page's number of its size has values.
const SIZES: [usize; 43] = sizes();
const LARGEST: usize = SIZES[SIZES.len() - 1];
const NONE: u32 = u32::MAX;
const EMPTY: u64 = u64::MAX;
/// Before it is fuller than that, in eighths, the index grows, by a half of what it has.
const FULL: usize = 6;
const FIRST: usize = 16;

const fn sizes() -> [usize; 43] {
    let (mut sizes, mut at) = ([0; 43], 0);
    // An eighth is lost at the most from 128 bytes on.
    while at < 32 {
        sizes[at] = (at + 1) * UNIT;
        at += 1;
    }
    while at < sizes.len() {
        let last = sizes[at - 1];
        let step = if last < 1024 {
            128
        } else if last < 2048 {
            256
        } else {
            512
        };
        sizes[at] = last + step;
        at += 1;
    }
    sizes
}

fn class_of(bytes: usize) -> usize {
    SIZES.partition_point(|&size| size < bytes)
}

/// `free`: the number of the last place that was given back, each of which holds the number of the one before it;
/// `fresh`: places from there on were never used.
struct Page {
    bytes: Box<[u8]>,
    class: usize,
    free: u32,
    fresh: usize,
    live: usize,
}

impl Page {
    fn new(class: usize) -> Self {
        Page { bytes: vec![0; PAGE].into_boxed_slice(), class, free: NONE, fresh: 0, live: 0 }
    }

    fn has_room(&self) -> bool {
        self.free != NONE || (self.fresh + 1) * SIZES[self.class] <= self.bytes.len()
    }
}

/// Pages by size, and where in them there is room.
#[derive(Default)]
struct Pages {
    pages: Vec<Page>,
    /// By size, pages that had room when they were put here; and the numbers of those that were given back.
    roomy: Vec<Vec<u32>>,
    spare: Vec<u32>,
}

impl Pages {
    fn take(&mut self, class: usize) -> u32 {
        self.roomy.resize_with(SIZES.len(), Vec::new);
        let number = loop {
            match self.roomy[class].last() {
                Some(&number) => {
                    let page = &self.pages[number as usize];
                    if page.class == class && page.has_room() {
                        break number;
                    }
                    self.roomy[class].pop();
                }
                None => {
                    let number = self.cut(class);
                    self.roomy[class].push(number);
                    break number;
                }
            }
        };
        let size = SIZES[class];
        let page = &mut self.pages[number as usize];
        page.live += 1;
        let start = if page.free == NONE {
            page.fresh += 1;
            (page.fresh - 1) * size
        } else {
            let start = page.free as usize * size;
            page.free = u32_at(&page.bytes, start);
            start
        };
        // It is put back with the first place that is given back: no page is there twice.
        if !page.has_room() {
            self.roomy[class].pop();
        }
        // Sizes are multiples of the unit.
        number * UNITS as u32 + (start / UNIT) as u32
    }

    /// A page of places of that size.
    fn cut(&mut self, class: usize) -> u32 {
        match self.spare.pop() {
            Some(number) => {
                self.pages[number as usize] = Page::new(class);
                number
            }
            None => {
                // Beyond that, places would have no number of their own.
                assert!(self.pages.len() < NONE as usize / UNITS, "more rows than 64 GiB");
                self.pages.push(Page::new(class));
                (self.pages.len() - 1) as u32
            }
        }
    }

    fn give_back(&mut self, place: u32) {
        let number = place / UNITS as u32;
        let page = &mut self.pages[number as usize];
        let had_room = page.has_room();
        let class = page.class;
        let start = (place as usize % UNITS) * UNIT;
        page.bytes[start..start + 4].copy_from_slice(&page.free.to_le_bytes());
        page.free = (start / SIZES[class]) as u32;
        page.live -= 1;
        if page.live == 0 && self.roomy[class].len() > 1 {
            page.bytes = Box::default();
            (page.free, page.fresh) = (NONE, 0);
            self.spare.push(number);
        } else if !had_room {
            self.roomy[class].push(number);
        }
    }

    fn class(&self, place: u32) -> usize {
        self.pages[place as usize / UNITS].class
    }

    /// Key and row.
    fn pair(&self, place: u32) -> (&[u8], &[u8]) {
        let bytes = &self.pages[place as usize / UNITS].bytes[(place as usize % UNITS) * UNIT..];
        let key = u16::from_le_bytes([bytes[0], bytes[1]]) as usize;
        let row = u16::from_le_bytes([bytes[2], bytes[3]]) as usize;
        (&bytes[HEAD..HEAD + key], &bytes[HEAD + key..HEAD + key + row])
    }

    fn put(&mut self, place: u32, key: &[u8], row: &[u8]) {
        let start = (place as usize % UNITS) * UNIT;
        let bytes = &mut self.pages[place as usize / UNITS].bytes[start..];
        // Together they are no larger than the largest place.
        bytes[..2].copy_from_slice(&(key.len() as u16).to_le_bytes());
        bytes[2..HEAD].copy_from_slice(&(row.len() as u16).to_le_bytes());
        bytes[HEAD..HEAD + key.len()].copy_from_slice(key);
        bytes[HEAD + key.len()..HEAD + key.len() + row.len()].copy_from_slice(row);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The rows. An entry of the index has 32 bits of a key's hash, by which it is found and moved, and its place.
pub struct Table<S = RandomState> {
    hasher: S,
    index: Vec<u64>,
    held: usize,
    pages: Pages,
    large: Large,
}

/// Key and row.
type Pair = (Box<[u8]>, Box<[u8]>);

/// Rows that no place is large enough for, and by key the number of each.
#[derive(Default)]
struct Large {
    rows: Vec<Pair>,
    numbers: HashMap<Box<[u8]>, usize>,
}

impl Large {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        if self.rows.is_empty() {
            return None;
        }
        self.numbers.get(key).map(|&number| &self.rows[number].1[..])
    }

    fn set(&mut self, key: &[u8], row: &[u8]) {
        match self.numbers.get(key) {
            Some(&number) => self.rows[number].1 = row.into(),
            None => {
                self.numbers.insert(key.into(), self.rows.len());
                self.rows.push((key.into(), row.into()));
            }
        }
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        let Some(number) = self.numbers.remove(key) else {
            return false;
        };
        self.rows.swap_remove(number);
        if let Some((moved, _)) = self.rows.get(number) {
            self.numbers.insert(moved.clone(), number);
        }
        true
    }
}

impl Default for Table {
    fn default() -> Self {
        Table::with(RandomState::new())
    }
}

impl<S: BuildHasher> Table<S> {
    pub fn with(hasher: S) -> Self {
        Table { hasher, index: vec![EMPTY; FIRST], held: 0, pages: Pages::default(), large: Large::default() }
    }

    pub fn len(&self) -> usize {
        self.held + self.large.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        match self.find(self.hash(key), key) {
            Ok(at) => Some(self.pages.pair(place_of(self.index[at])).1),
            Err(_) => self.large.get(key),
        }
    }

    pub fn set(&mut self, key: &[u8], row: &[u8]) {
        let size = HEAD + key.len() + row.len();
        if size > LARGEST {
            self.take_small(key);
            self.large.set(key, row);
            return;
        }
        self.large.remove(key);
        let (hash, class) = (self.hash(key), class_of(size));
        match self.find(hash, key) {
            Ok(at) => {
                let mut place = place_of(self.index[at]);
                if self.pages.class(place) != class {
                    let before = place;
                    place = self.pages.take(class);
                    self.pages.give_back(before);
                    self.index[at] = entry(hash, place);
                }
                self.pages.put(place, key, row);
            }
            Err(mut at) => {
                if (self.held + 1) * 8 > self.index.len() * FULL {
                    self.grow();
                    at = self.find(hash, key).unwrap_or_else(|at| at);
                }
                let place = self.pages.take(class);
                self.pages.put(place, key, row);
                self.index[at] = entry(hash, place);
                self.held += 1;
            }
        }
    }

    /// Removes a row; whether there was one.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.take_small(key) || self.large.remove(key)
    }

    /// The next row from a position on, and the position behind it. Positions hold until something is set or removed.
    pub fn next(&self, from: usize) -> Option<(usize, &[u8], &[u8])> {
        let rest = self.index.get(from..).unwrap_or_default();
        if let Some(step) = rest.iter().position(|&entry| entry != EMPTY) {
            let at = from + step;
            let (key, row) = self.pages.pair(place_of(self.index[at]));
            return Some((at + 1, key, row));
        }
        let number = from.max(self.index.len()) - self.index.len();
        self.large.rows.get(number).map(|(key, row)| (self.index.len() + number + 1, &key[..], &row[..]))
    }

    fn take_small(&mut self, key: &[u8]) -> bool {
        let Ok(mut hole) = self.find(self.hash(key), key) else {
            return false;
        };
        self.pages.give_back(place_of(self.index[hole]));
        self.held -= 1;
        // Those behind it that would not be found any more move up.
        let mut at = hole;
        loop {
            at = self.behind(at);
            let entry = self.index[at];
            if entry == EMPTY {
                break;
            }
            let home = self.home(hash_of(entry));
            if self.distance(home, at) >= self.distance(hole, at) {
                self.index[hole] = entry;
                hole = at;
            }
        }
        self.index[hole] = EMPTY;
        true
    }

    fn hash(&self, key: &[u8]) -> u32 {
        (self.hasher.hash_one(key) >> 32) as u32
    }

    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.index.len() as u64) >> 32) as usize
    }

    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.index.len() {
            0
        } else {
            at + 1
        }
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.index.len() - from
        }
    }

    /// Where in the index a key is, or where it would be put.
    fn find(&self, hash: u32, key: &[u8]) -> Result<usize, usize> {
        let mut at = self.home(hash);
        loop {
            let entry = self.index[at];
            if entry == EMPTY {
                return Err(at);
            }
            if hash_of(entry) == hash && self.pages.pair(place_of(entry)).0 == key {
                return Ok(at);
            }
            at = self.behind(at);
        }
    }

    fn grow(&mut self) {
        let larger = vec![EMPTY; self.index.len() + self.index.len() / 2];
        for entry in std::mem::replace(&mut self.index, larger) {
            if entry != EMPTY {
                let mut at = self.home(hash_of(entry));
                while self.index[at] != EMPTY {
                    at = self.behind(at);
                }
                self.index[at] = entry;
            }
        }
    }
}

fn entry(hash: u32, place: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(place)
}

fn hash_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

fn place_of(entry: u64) -> u32 {
    entry as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasherDefault, Hasher};

    /// All keys of one first byte meet.
    #[derive(Default)]
    struct Poor(u64);

    impl Hasher for Poor {
        fn write(&mut self, bytes: &[u8]) {
            self.0 = self.0.wrapping_mul(31).wrapping_add(bytes.first().map_or(0, |&byte| u64::from(byte & 7)));
        }

        fn finish(&self) -> u64 {
            self.0 << 60
        }
    }

    /// Numbers that look drawn, the same each time.
    struct Drawn(u64);

    impl Drawn {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % most
        }
    }

    fn same<S: BuildHasher>(table: &Table<S>, kept: &HashMap<Vec<u8>, Vec<u8>>) {
        let mut found = HashMap::new();
        let mut from = 0;
        while let Some((next, key, row)) = table.next(from) {
            assert!(found.insert(key.to_vec(), row.to_vec()).is_none());
            from = next;
        }
        assert_eq!(&found, kept);
        assert_eq!(table.len(), kept.len());
    }

    fn played<S: BuildHasher>(mut table: Table<S>, keys: usize, longest: usize, steps: usize) {
        let (mut drawn, mut kept) = (Drawn(keys as u64), HashMap::new());
        for step in 0..steps {
            let key = format!("{}", drawn.below(keys)).into_bytes();
            match drawn.below(4) {
                0 => assert_eq!(table.remove(&key), kept.remove(&key).is_some()),
                1 => assert_eq!(table.get(&key), kept.get(&key).map(|row: &Vec<u8>| &row[..])),
                _ => {
                    let row = vec![step as u8; drawn.below(longest)];
                    table.set(&key, &row);
                    kept.insert(key, row);
                }
            }
            if step % 1000 == 0 {
                same(&table, &kept);
            }
        }
        same(&table, &kept);
    }

    #[test]
    fn it_holds_what_a_map_holds() {
        played(Table::default(), 3000, 300, 60_000);
        played(Table::default(), 40, 9000, 20_000);
        played(Table::with(BuildHasherDefault::<Poor>::default()), 300, 200, 20_000);
    }

    #[test]
    fn every_size_up_to_the_largest_place_and_beyond_it() {
        let mut table = Table::default();
        for size in 0..LARGEST + 3 {
            table.set(b"k", &vec![7; size]);
            assert_eq!(table.get(b"k"), Some(&vec![7; size][..]));
            assert_eq!(table.len(), 1);
        }
        table.set(b"k", b"");
        assert_eq!(table.get(b"k"), Some(&b""[..]));
        assert!(table.remove(b"k") && table.is_empty());
    }

    #[test]
    fn a_row_that_changes_between_two_sizes_leaves_nothing_behind() {
        let mut table = Table::default();
        for key in 0..4096_u32 {
            table.set(&key.to_le_bytes(), b"");
        }
        for turn in 0..200_000_u32 {
            table.set(&(turn % 4096).to_le_bytes(), &[0; 100][..if turn % 8192 < 4096 { 100 } else { 0 }]);
        }
        let listed: usize = table.pages.roomy.iter().map(Vec::len).sum();
        assert!(listed <= 2 * table.pages.pages.len(), "{listed} of {}", table.pages.pages.len());
    }

    #[test]
    fn pages_of_rows_that_have_gone_are_used_for_others() {
        let mut table = Table::default();
        let keys: Vec<_> = (0..20_000_u32).map(u32::to_le_bytes).collect();
        let mut most = 0;
        for round in 0..30 {
            for key in &keys {
                table.set(key, &vec![1; 40 + 12 * round]);
            }
            most = most.max(table.pages.pages.iter().map(|page| page.bytes.len()).sum());
        }
        let live: usize = keys.len() * SIZES[class_of(HEAD + 4 + 40 + 12 * 29)];
        assert!(most < live * 5 / 4, "{most} of {live}");
        for key in &keys {
            table.remove(key);
        }
        let left: usize = table.pages.pages.iter().map(|page| page.bytes.len()).sum();
        assert!(left <= SIZES.len() * PAGE, "{left}");
    }
}
