//! The form of a segment: a head, and frames behind it. Everything is in units of sixteen bytes; numbers are little-endian.
//!
//! A frame has rows, or is a mark: what stands before a mark belongs to it, what stands behind the last one to nothing. Its
//! sum counts the segment's number and its own offset, too: what an earlier life has left in a file is no frame.

use crate::checksum::crc32c;
use crate::places::Place;
use std::ops::Range;

pub const UNIT: usize = 16;
/// The form of the files. A version that is not known is not read.
pub const VERSION: u32 = 1;
pub const SEGMENT_HEAD: usize = 32;
pub const FRAME_HEAD: usize = 16;
pub const ROW_HEAD: usize = 20;

const MAGIC: [u8; 8] = *b"pw-rows\n";
const GONE: u32 = u32::MAX;
const NOWHERE: u32 = u32::MAX;
const ROWS: u32 = 1;
const MARK: u32 = 2;

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn put_u32(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

/// So many bytes in whole units.
pub fn whole(bytes: usize) -> usize {
    bytes.div_ceil(UNIT) * UNIT
}

/// What a segment says of itself.
///
/// `number`: in the order of writing; `slot`: by which places tell it; `before`: the bytes of the one before it, which was
/// at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    pub number: u64,
    pub slot: u32,
    pub before: u32,
}

pub fn segment_head(told: Told) -> [u8; SEGMENT_HEAD] {
    let mut head = [0; SEGMENT_HEAD];
    head[..8].copy_from_slice(&MAGIC);
    put_u32(&mut head, 8, VERSION);
    head[16..24].copy_from_slice(&told.number.to_le_bytes());
    put_u32(&mut head, 24, told.slot);
    put_u32(&mut head, 28, told.before);
    let sum = crc32c(0, &head);
    put_u32(&mut head, 12, sum);
    head
}

/// What a segment's head says, or what is wrong with it.
pub fn segment_of(head: &[u8; SEGMENT_HEAD]) -> Result<Told, String> {
    if head[..8] != MAGIC {
        return Err("it is no file of rows".into());
    }
    if u32_at(head, 8) != VERSION {
        return Err(format!("its form is {}, not {VERSION}", u32_at(head, 8)));
    }
    let told = Told { number: u64_at(head, 16), slot: u32_at(head, 24), before: u32_at(head, 28) };
    if segment_head(told) != *head {
        return Err("its head is broken".into());
    }
    Ok(told)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Rows,
    Mark,
}

/// What a frame's head says: of what kind it is, and how many bytes follow.
#[derive(Clone, Copy)]
pub struct Head {
    pub kind: Kind,
    pub length: usize,
    sum: u32,
}

impl Head {
    /// None if no frame begins so.
    pub fn of(bytes: &[u8]) -> Option<Head> {
        let kind = match u32_at(bytes, 8) {
            ROWS => Kind::Rows,
            MARK => Kind::Mark,
            _ => return None,
        };
        let length = u32_at(bytes, 4) as usize;
        (length > 0 && length % UNIT == 0).then(|| Head { kind, length, sum: u32_at(bytes, 0) })
    }

    /// Whether that is what followed it when it was written there.
    pub fn is_of(&self, number: u64, offset: usize, body: &[u8]) -> bool {
        self.sum == sum_of(self.kind, number, offset, body)
    }
}

fn sum_of(kind: Kind, number: u64, offset: usize, body: &[u8]) -> u32 {
    let mut told = [0; 24];
    told[..8].copy_from_slice(&number.to_le_bytes());
    told[8..16].copy_from_slice(&(offset as u64).to_le_bytes());
    put_u32(&mut told, 16, body.len() as u32);
    put_u32(&mut told, 20, if kind == Kind::Rows { ROWS } else { MARK });
    crc32c(crc32c(0, &told), body)
}

/// Fills in the head of a frame that will be at that offset; `frame` has room for it before its body.
pub fn seal(frame: &mut [u8], kind: Kind, number: u64, offset: usize) {
    let sum = sum_of(kind, number, offset, &frame[FRAME_HEAD..]);
    let length = (frame.len() - FRAME_HEAD) as u32;
    put_u32(frame, 0, sum);
    put_u32(frame, 4, length);
    put_u32(frame, 8, if kind == Kind::Rows { ROWS } else { MARK });
    put_u32(frame, 12, 0);
}

/// A mark: the number of the oldest segment that what it closes needs, and what the store wants to know again.
pub fn put_mark(frame: &mut Vec<u8>, first: u64, told: &[u8]) {
    frame.extend_from_slice(&first.to_le_bytes());
    frame.extend_from_slice(&(told.len() as u64).to_le_bytes());
    frame.extend_from_slice(told);
    frame.resize(whole(frame.len()), 0);
}

pub fn mark_of(body: &[u8]) -> Option<(u64, &[u8])> {
    let length = usize::try_from(u64_at(body, 8)).ok()?;
    Some((u64_at(body, 0), body.get(16..)?.get(..length)?))
}

/// A row as it is in a frame. `before`: where the key's row was until then, and how many units it took. By that it is known
/// again at a start, though no key is read but those that come along.
pub struct Row<'a> {
    bytes: &'a [u8],
    key: usize,
    row: Option<usize>,
}

impl<'a> Row<'a> {
    /// The row at the beginning of `bytes`, without a look at its sum; None if there is none, or not all of it.
    pub fn of(bytes: &'a [u8]) -> Option<Row<'a>> {
        let size = size_of(bytes)?;
        let row = u32_at(bytes, 16);
        let row = (row != GONE).then_some(row as usize);
        Some(Row { bytes: bytes.get(..size)?, key: u32_at(bytes, 12) as usize, row })
    }

    pub fn is_whole(&self) -> bool {
        let end = ROW_HEAD + self.key + self.row.unwrap_or(0);
        crc32c(0, &self.bytes[4..end]) == u32_at(self.bytes, 0)
    }

    pub fn key(&self) -> &'a [u8] {
        &self.bytes[ROW_HEAD..ROW_HEAD + self.key]
    }

    /// None: the key has no row from here on.
    pub fn row(&self) -> Option<&'a [u8]> {
        self.range().map(|range| &self.bytes[range])
    }

    /// Where the row is in all of it.
    pub fn range(&self) -> Option<Range<usize>> {
        self.row.map(|row| ROW_HEAD + self.key..ROW_HEAD + self.key + row)
    }

    pub fn before(&self) -> Option<(Place, u32)> {
        let place = u32_at(self.bytes, 4);
        (place != NOWHERE).then(|| (place, u32_at(self.bytes, 8)))
    }

    /// All of it, and how many units that is.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn units(&self) -> u32 {
        (self.bytes.len() / UNIT) as u32
    }
}

/// How many bytes the row takes that begins so; None if that many cannot be.
pub fn size_of(bytes: &[u8]) -> Option<usize> {
    if bytes.len() < ROW_HEAD {
        return None;
    }
    let (key, row) = (u32_at(bytes, 12) as usize, u32_at(bytes, 16));
    let row = if row == GONE { 0 } else { row as usize };
    Some(whole(ROW_HEAD.checked_add(key)?.checked_add(row)?))
}

/// Adds a row that is not yet placed.
pub fn put_row(rows: &mut Vec<u8>, key: &[u8], row: Option<&[u8]>) {
    rows.extend_from_slice(&[0; 12]);
    rows.extend_from_slice(&(key.len() as u32).to_le_bytes());
    rows.extend_from_slice(&row.map_or(GONE, |row| row.len() as u32).to_le_bytes());
    rows.extend_from_slice(key);
    rows.extend_from_slice(row.unwrap_or_default());
    rows.resize(whole(rows.len()), 0);
}

/// Says in a row where it was before, and sums it up.
pub fn place_row(bytes: &mut [u8], before: Option<(Place, u32)>) {
    let (place, units) = before.unwrap_or((NOWHERE, 0));
    put_u32(bytes, 4, place);
    put_u32(bytes, 8, units);
    let row = u32_at(bytes, 16);
    let end = ROW_HEAD + u32_at(bytes, 12) as usize + if row == GONE { 0 } else { row as usize };
    let sum = crc32c(0, &bytes[4..end]);
    put_u32(bytes, 0, sum);
}

/// The rows of a frame's body, and the offset of each in it. It ends early where one is cut off.
pub fn rows_of(body: &[u8]) -> impl Iterator<Item = (usize, Row<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let row = Row::of(&body[at..])?;
        at += row.bytes.len();
        Some((at - row.bytes.len(), row))
    })
}
