//! The records of a batch as producers write them since Kafka 0.11 (its format 2).

/// Bytes of a batch before its records.
pub const HEAD: usize = 61;
const NONE: u32 = u32::MAX;
const FORMAT: u8 = 2;
const APPEND_TIME: u16 = 8;

/// A part of a chunk of bytes, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    at: u32,
    length: u32,
}

impl Part {
    const NONE: Part = Part { at: 0, length: NONE };

    pub fn is_some(&self) -> bool {
        self.length != NONE
    }

    pub fn of<'a>(&self, chunk: &'a [u8]) -> Option<&'a [u8]> {
        self.is_some().then(|| &chunk[self.at as usize..][..self.length as usize])
    }
}

/// A record. `timestamp` in milliseconds; `headers` begin with their number, and end with the record.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub offset: i64,
    pub timestamp: i64,
    pub key: Part,
    pub value: Part,
    pub headers: Part,
    /// The number of the chunk that all parts are of.
    pub chunk: u32,
}

/// What a batch says of all of its records.
pub struct Head {
    first: i64,
    last: i64,
    count: usize,
    /// That of the first, or of all of them where the broker has set it.
    timestamp: i64,
    is_of_append: bool,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

impl Head {
    pub fn read(batch: &[u8]) -> Option<Head> {
        let first = i64::from_be_bytes(number(batch, 0)?);
        let last = first.checked_add(i32::from_be_bytes(number(batch, 23)?).into())?;
        let is_of_append = u16::from_be_bytes(number(batch, 21)?) & APPEND_TIME != 0;
        let timestamp = i64::from_be_bytes(number(batch, if is_of_append { 35 } else { 27 })?);
        let count = usize::try_from(i32::from_be_bytes(number(batch, 57)?)).ok()?;
        (batch[16] == FORMAT && last >= first).then_some(Head { first, last, count, timestamp, is_of_append })
    }
}

/// Reads the records of a batch, `chunk[start..end]`, and keeps those from offset `from` on.
///
/// None: not all of it is as it should be, and nothing is kept.
pub fn read(
    head: &Head,
    chunk: &[u8],
    (start, end): (usize, usize),
    from: i64,
    number: u32,
    kept: &mut Vec<Entry>,
) -> Option<()> {
    let before = kept.len();
    let found = all(head, chunk, (start, end), from, number, kept);
    if found.is_none() {
        kept.truncate(before);
    }
    found
}

fn all(
    head: &Head,
    chunk: &[u8],
    (start, end): (usize, usize),
    from: i64,
    number: u32,
    kept: &mut Vec<Entry>,
) -> Option<()> {
    if end > chunk.len() || end > NONE as usize {
        return None;
    }
    let mut reader = Reader { bytes: &chunk[..end], at: start };
    let mut next = head.first;
    for _ in 0..head.count {
        let entry = reader.record(head, number)?;
        if entry.offset < next || entry.offset > head.last {
            return None;
        }
        next = entry.offset + 1;
        if entry.offset >= from {
            kept.push(entry);
        }
    }
    (reader.at == end).then_some(())
}

/// Calls for each header of a record, with its name and value.
pub fn headers(part: &[u8], mut each: impl FnMut(&str, Option<&[u8]>)) -> Option<()> {
    let mut reader = Reader { bytes: part, at: 0 };
    for _ in 0..reader.int()? {
        let (name, value) = reader.header()?;
        each(std::str::from_utf8(name.of(part)?).ok()?, value.of(part));
    }
    Some(())
}

/// Adds a number as a record has it, and `Reader::long` reads it.
pub fn put_long(number: i64, out: &mut Vec<u8>) {
    let mut raw = ((number << 1) ^ (number >> 63)) as u64;
    while raw > 0x7F {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// A number of seven bits a byte, the least first, whose sign is its last bit.
    fn long(&mut self) -> Option<i64> {
        let (mut raw, mut shift) = (0_u64, 0);
        loop {
            let &byte = self.bytes.get(self.at)?;
            self.at += 1;
            raw |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some((raw >> 1) as i64 ^ -((raw & 1) as i64));
            }
            shift += 7;
            if shift > 56 {
                return None;
            }
        }
    }

    fn int(&mut self) -> Option<i32> {
        self.long()?.try_into().ok()
    }

    /// Bytes behind their length; a length of -1 is none.
    fn part(&mut self) -> Option<Part> {
        let length = self.int()?;
        if length == -1 {
            return Some(Part::NONE);
        }
        let (at, length) = (self.at, usize::try_from(length).ok()?);
        self.at = at.checked_add(length)?;
        (self.at <= self.bytes.len()).then_some(Part { at: at as u32, length: length as u32 })
    }

    fn header(&mut self) -> Option<(Part, Part)> {
        Some((self.part()?, self.part()?))
    }

    fn record(&mut self, head: &Head, chunk: u32) -> Option<Entry> {
        let length = usize::try_from(self.int()?).ok()?;
        let end = self.at.checked_add(length)?;
        if *self.bytes.get(self.at)? != 0 {
            return None;
        }
        self.at += 1;
        let delta = self.long()?;
        let timestamp = if head.is_of_append { head.timestamp } else { head.timestamp.checked_add(delta)? };
        let offset = head.first.checked_add(self.int()?.into())?;
        let (key, value) = (self.part()?, self.part()?);
        let at = self.at;
        for _ in 0..u32::try_from(self.int()?).ok()? {
            let (name, _) = self.header()?;
            std::str::from_utf8(name.of(self.bytes)?).ok()?;
        }
        if self.at != end {
            return None;
        }
        let headers = Part { at: at as u32, length: (end - at) as u32 };
        Some(Entry { offset, timestamp, key, value, headers, chunk })
    }
}

#[cfg(test)]
mod tests {
    use super::put_long as long;
    use super::*;

    fn record(time: i64, offset: i64, key: &[u8], value: &[u8]) -> Vec<u8> {
        let mut body = vec![0];
        long(time, &mut body);
        long(offset, &mut body);
        for part in [key, value] {
            long(part.len() as i64, &mut body);
            body.extend_from_slice(part);
        }
        long(1, &mut body);
        long(1, &mut body);
        body.push(b'h');
        long(-1, &mut body);
        let mut whole = Vec::new();
        long(body.len() as i64, &mut whole);
        whole.extend(body);
        whole
    }

    fn batch(first: i64, records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; HEAD];
        bytes[..8].copy_from_slice(&first.to_be_bytes());
        bytes[16] = FORMAT;
        bytes[23..27].copy_from_slice(&(records.len() as i32 - 1).to_be_bytes());
        bytes[27..35].copy_from_slice(&1_000_i64.to_be_bytes());
        bytes[57..61].copy_from_slice(&(records.len() as i32).to_be_bytes());
        bytes.extend(records.concat());
        bytes
    }

    fn found(bytes: &[u8], from: i64) -> Option<Vec<Entry>> {
        let mut kept = Vec::new();
        read(&Head::read(bytes)?, bytes, (HEAD, bytes.len()), from, 0, &mut kept)?;
        Some(kept)
    }

    fn two() -> Vec<u8> {
        batch(70, &[record(0, 0, b"a", b"one"), record(-5, 1, b"b", &[7; 300])])
    }

    #[test]
    fn records_are_found_from_an_offset_on() {
        let bytes = two();
        let all = found(&bytes, 0).expect("plain");
        assert_eq!(all.iter().map(|one| (one.offset, one.timestamp)).collect::<Vec<_>>(), [(70, 1_000), (71, 995)]);
        assert_eq!((all[0].key.of(&bytes), all[1].value.of(&bytes)), (Some(&b"a"[..]), Some(&[7; 300][..])));
        let mut names = Vec::new();
        headers(all[1].headers.of(&bytes).expect("there"), |name, value| {
            names.push((name.to_owned(), value.is_none()))
        })
        .expect("plain");
        assert_eq!(names, [("h".to_owned(), true)]);
        assert_eq!(found(&bytes, 71).expect("plain").len(), 1);
        assert!(found(&bytes, 72).expect("plain").is_empty());
    }

    #[test]
    fn the_time_of_the_broker_is_that_of_all() {
        let mut bytes = two();
        bytes[22] = 8;
        bytes[35..43].copy_from_slice(&4_000_i64.to_be_bytes());
        let all = found(&bytes, 0).expect("plain");
        assert_eq!((all[0].timestamp, all[1].timestamp), (4_000, 4_000));
    }

    #[test]
    fn a_batch_that_is_cut_or_goes_on_or_has_odd_offsets_is_not_read() {
        let bytes = two();
        for end in 0..bytes.len() {
            assert!(found(&bytes[..end], 0).is_none(), "{end}");
        }
        let mut long = bytes.clone();
        long.push(0);
        assert!(found(&long, 0).is_none());
        for offsets in [[0, 2], [1, 0], [0, 0], [-1, 0]] {
            let records = offsets.map(|offset| record(0, offset, b"k", b"v"));
            assert!(found(&batch(70, &records), 0).is_none(), "{offsets:?}");
        }
        for (at, value) in [(16, 1), (HEAD + 1, 1), (57, 0x80)] {
            let mut odd = bytes.clone();
            odd[at] = value;
            assert!(found(&odd, 0).is_none(), "{at}");
        }
    }

    #[test]
    fn any_byte_may_be_wrong() {
        let bytes = two();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut odd = bytes.clone();
                odd[at] ^= 1 << bit;
                if let Some(all) = found(&odd, 0) {
                    for one in all {
                        let parts = [one.key.of(&odd), one.value.of(&odd)];
                        assert!(parts.iter().flatten().all(|part| part.len() <= odd.len()));
                        headers(one.headers.of(&odd).expect("there"), |_, _| ()).expect("looked at before");
                    }
                }
            }
        }
    }
}
