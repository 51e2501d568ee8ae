//! Where the row of each key is: an open hash table of eight bytes an entry, which knows no keys.
//!
//! An entry has 32 bits of its key's hash and a place of 32 bits. It is cut into shards, each of which grows by itself: so
//! no step takes long, however many entries there are.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

const EMPTY: u64 = u64::MAX;
/// Before it is fuller than that, in eighths, a shard grows, by a half of what it has.
const FULL: usize = 6;
const FIRST: usize = 16;
const SHARDS: usize = 64;

/// A hash, and a place of a row: never the last one there could be.
pub type Hash = u64;
pub type Place = u32;

#[derive(Default)]
struct Shard {
    index: Vec<u64>,
    held: usize,
}

pub struct Places<S = RandomState> {
    hasher: S,
    shards: Vec<Shard>,
}

impl Default for Places {
    fn default() -> Self {
        Places::with(RandomState::new())
    }
}

impl<S: BuildHasher> Places<S> {
    pub fn with(hasher: S) -> Self {
        Places { hasher, shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    pub fn hash(&self, key: &[u8]) -> Hash {
        self.hasher.hash_one(key)
    }

    pub fn held(&self) -> usize {
        self.shards.iter().map(|shard| shard.held).sum()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.shards.iter_mut().for_each(|shard| *shard = Shard::default());
    }

    /// The place of a key with that hash, among those that may be its own: `is` tells, having read the row there.
    pub fn find<E>(&self, hash: Hash, mut is: impl FnMut(Place) -> Result<bool, E>) -> Result<Option<Place>, E> {
        let shard = &self.shards[shard_of(hash)];
        for at in shard.from(bits_of(hash)) {
            let entry = shard.index[at];
            if entry == EMPTY {
                break;
            }
            if (entry >> 32) as u32 == bits_of(hash) && is(entry as Place)? {
                return Ok(Some(entry as Place));
            }
        }
        Ok(None)
    }

    /// Whether the row at that place is the one of its key.
    pub fn holds(&self, hash: Hash, place: Place) -> bool {
        self.shards[shard_of(hash)].at(bits_of(hash), place).is_some()
    }

    /// The key's row is at `place` now, no longer at `before`; whether it was there.
    pub fn set(&mut self, hash: Hash, before: Option<Place>, place: Place) -> bool {
        let shard = &mut self.shards[shard_of(hash)];
        match before.and_then(|before| shard.at(bits_of(hash), before)) {
            Some(at) => {
                shard.index[at] = entry(bits_of(hash), place);
                true
            }
            None => {
                shard.insert(entry(bits_of(hash), place));
                false
            }
        }
    }

    /// The key has no row any more; whether it was at that place.
    pub fn remove(&mut self, hash: Hash, place: Place) -> bool {
        let shard = &mut self.shards[shard_of(hash)];
        let Some(at) = shard.at(bits_of(hash), place) else {
            return false;
        };
        shard.remove(at);
        true
    }
}

impl Shard {
    fn home(&self, bits: u32) -> usize {
        ((u64::from(bits) * self.index.len() as u64) >> 32) as usize
    }

    /// The positions in which an entry with that hash may be, in order.
    fn from(&self, bits: u32) -> impl Iterator<Item = usize> {
        let home = self.home(bits);
        (home..self.index.len()).chain(0..home)
    }

    fn at(&self, bits: u32, place: Place) -> Option<usize> {
        for at in self.from(bits) {
            match self.index[at] {
                EMPTY => return None,
                found if found == entry(bits, place) => return Some(at),
                _ => {}
            }
        }
        None
    }

    fn insert(&mut self, entry: u64) {
        if (self.held + 1) * 8 > self.index.len() * FULL {
            let larger = vec![EMPTY; FIRST.max(self.index.len() + self.index.len() / 2)];
            for entry in std::mem::replace(&mut self.index, larger) {
                if entry != EMPTY {
                    self.put(entry);
                }
            }
        }
        self.put(entry);
        self.held += 1;
    }

    fn put(&mut self, entry: u64) {
        let free = self.from((entry >> 32) as u32).find(|&at| self.index[at] == EMPTY);
        // It is never full.
        if let Some(at) = free {
            self.index[at] = entry;
        }
    }

    fn remove(&mut self, mut hole: usize) {
        let size = self.index.len();
        self.held -= 1;
        // Those behind it that would not be found any more move up.
        let mut at = hole;
        loop {
            at = (at + 1) % size;
            let entry = self.index[at];
            if entry == EMPTY {
                break;
            }
            let home = self.home((entry >> 32) as u32);
            if (at + size - home) % size >= (at + size - hole) % size {
                self.index[hole] = entry;
                hole = at;
            }
        }
        self.index[hole] = EMPTY;
    }
}

fn shard_of(hash: Hash) -> usize {
    hash as usize % SHARDS
}

fn bits_of(hash: Hash) -> u32 {
    (hash >> 32) as u32
}

fn entry(bits: u32, place: Place) -> u64 {
    u64::from(bits) << 32 | u64::from(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::convert::Infallible;

    fn found(places: &Places, hash: Hash, wanted: Place) -> Option<Place> {
        let is = |place| Ok::<bool, Infallible>(place == wanted);
        places.find(hash, is).unwrap_or_default()
    }

    #[test]
    fn it_holds_what_a_map_holds_even_where_hashes_meet() {
        for kinds in [u64::MAX, 40, 3] {
            let mut places = Places::default();
            let (mut kept, mut drawn) = (HashMap::new(), 1_u64);
            for place in 0..60_000_u32 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let key = (drawn >> 33) % 500;
                // One after the other around the end of a shard, all in one shard.
                let hash = ((key % kinds).wrapping_mul(0x9E37_79B9) << 32 | 63 << 26) & !63;
                let before = kept.get(&key).copied();
                if drawn >> 60 < 6 {
                    assert_eq!(before.is_some_and(|before| places.remove(hash, before)), kept.remove(&key).is_some());
                } else {
                    assert_eq!(places.set(hash, before, place), kept.insert(key, place).is_some());
                    assert!(places.holds(hash, place));
                    assert_eq!(found(&places, hash, place), Some(place));
                }
                if let Some(before) = before {
                    assert!(!places.holds(hash, before));
                }
            }
            assert_eq!(places.held(), kept.len());
            for (key, place) in kept {
                let hash = ((key % kinds).wrapping_mul(0x9E37_79B9) << 32 | 63 << 26) & !63;
                assert!(places.holds(hash, place) && found(&places, hash, place) == Some(place));
            }
        }
    }
}
