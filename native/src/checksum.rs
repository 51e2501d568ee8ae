//! CRC-32C, as Kafka's records have it.

const POLYNOMIAL: u32 = 0x82F6_3B78;
/// Bytes taken at once: of each place among them, what a byte there makes of the sum.
const AT_ONCE: usize = 16;
static TABLES: [[u32; 256]; AT_ONCE] = tables();

const fn tables() -> [[u32; 256]; AT_ONCE] {
    let mut tables = [[0; 256]; AT_ONCE];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut place = 1;
    while place < AT_ONCE {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[place - 1][byte];
            tables[place][byte] = before >> 8 ^ tables[0][(before & 255) as usize];
            byte += 1;
        }
        place += 1;
    }
    tables
}

/// The sum of `bytes` behind what has the sum `before`, which is 0 at the beginning.
pub fn crc32c(before: u32, bytes: &[u8]) -> u32 {
    let mut sum = !before;
    let mut chunks = bytes.chunks_exact(AT_ONCE);
    for chunk in &mut chunks {
        let head = sum ^ u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        let first = head.to_le_bytes();
        sum = 0;
        for (place, &byte) in first.iter().chain(&chunk[4..]).enumerate() {
            sum ^= TABLES[AT_ONCE - 1 - place][byte as usize];
        }
    }
    for &byte in chunks.remainder() {
        sum = sum >> 8 ^ TABLES[0][((sum ^ u32::from(byte)) & 255) as usize];
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_standard() {
        // RFC 3720, B.4
        assert_eq!(crc32c(0, &[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(0, &[255; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(0, &(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
        assert_eq!(crc32c(0, b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(0, b""), 0);
    }

    #[test]
    fn parts_give_what_the_whole_gives() {
        let bytes: Vec<u8> = (0..100_u8).map(|byte| byte.wrapping_mul(37)).collect();
        for cut in 0..bytes.len() {
            assert_eq!(crc32c(crc32c(0, &bytes[..cut]), &bytes[cut..]), crc32c(0, &bytes));
        }
    }
}
