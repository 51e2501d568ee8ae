//! The partitions of keys, as Kafka's Java client has them (`streams.engine.partitioner`).

const M: u32 = 0x5BD1_E995;
const SEED: u32 = 0x9747_B28C;

/// MurmurHash2 of a key.
pub fn murmur2(key: &[u8]) -> u32 {
    let mut found = SEED ^ key.len() as u32;
    let words = key.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        found = found.wrapping_mul(M) ^ (word ^ word >> 24).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte));
        found = (found ^ last).wrapping_mul(M);
    }
    found = (found ^ found >> 13).wrapping_mul(M);
    found ^ found >> 15
}

/// The partition of a key among so many.
pub fn partition_for(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7FFF_FFFF) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_kafka_clients() {
        for (key, expected) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, expected, "{key}");
        }
    }
}
