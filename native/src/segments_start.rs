//! The start of segments: what is in their files up to the last mark, whatever has become of the process that wrote them.

use crate::frames::{self, Kind, Row, Told, FRAME_HEAD, SEGMENT_HEAD, UNIT};
use crate::places::Place;
use crate::segments::{head_at, read, whole_frame, Done, Failure, Placed, Segment, Shared, UNIT_BITS};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PREFIX: &str = "rows-";
/// Bytes of frames without a mark that are kept, in case one follows.
const KEPT: usize = 64 << 20;

pub fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{number:016x}"))
}

/// The numbers of all segments in a folder, oldest first.
pub(crate) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        numbers.extend(number.and_then(|number| u64::from_str_radix(number, 16).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Deletes all segments of a folder. The newest go first: so whatever is left is an earlier state.
pub fn destroy(folder: &Path) -> io::Result<()> {
    for number in numbers(folder)?.into_iter().rev() {
        fs::remove_file(path_of(folder, number))?;
    }
    Ok(())
}

/// What the last mark told, as far as can be seen without reading any rows.
pub fn last_mark(folder: &Path) -> Done<Option<Vec<u8>>> {
    for number in numbers(folder)?.into_iter().rev() {
        let Some((_, segment)) = opened(folder, number, false)? else {
            continue;
        };
        let (mut offset, mut marks) = (SEGMENT_HEAD, Vec::new());
        while let Some(head) = head_at(&segment, offset)? {
            if head.kind == Kind::Mark {
                marks.push(offset);
            }
            offset += FRAME_HEAD + head.length;
        }
        let mut body = Vec::new();
        for offset in marks.into_iter().rev() {
            if whole_frame(&segment, offset, &mut body)?.is_some() {
                return Ok(frames::mark_of(&body).map(|(_, told)| told.to_vec()));
            }
        }
    }
    Ok(None)
}

/// The segment of a number, and what it says of itself; None if its file has no whole head.
fn opened(folder: &Path, number: u64, write: bool) -> Done<Option<(Told, Segment)>> {
    let file = OpenOptions::new().read(true).write(write).open(path_of(folder, number))?;
    let length = file.metadata()?.len() as usize;
    if length < SEGMENT_HEAD {
        return Ok(None);
    }
    let mut head = [0; SEGMENT_HEAD];
    read(&file, &mut head, 0)?;
    let told = frames::segment_of(&head).map_err(Failure::Broken)?;
    if told.number != number {
        return Err(Failure::Broken(format!("segment {number} says that it is {}", told.number)));
    }
    Ok(Some((told, Segment { number, file: Arc::new(file), length })))
}

/// A frame of rows that no mark has followed yet; its body, if there was room for it.
struct Unmarked {
    slot: u32,
    segment: Segment,
    offset: usize,
    body: Option<Vec<u8>>,
}

/// The end of a mark: the place of its segment among all, and the offset behind it.
type End = (usize, usize);

/// Reads all segments, and cuts off what is behind the last mark. Returns the number of the last segment, and
/// what the last mark told.
///
/// A write that was broken off leaves the last segment's end without a whole frame; anywhere else something has destroyed
/// what was there, and all is `Broken`, as it is where a segment is missing that the last mark needs.
pub(crate) fn start(folder: &Path, shared: &mut Shared) -> Done<(u64, Option<Vec<u8>>)> {
    let numbers = numbers(folder)?;
    if numbers.windows(2).any(|two| two[0] + 1 != two[1]) {
        return Err(Failure::Broken("a segment is missing".into()));
    }
    let (mut mark, mut end, mut kept) = (None, None::<End>, 0);
    let (mut unmarked, mut length) = (Vec::new(), None);
    for (at, &number) in numbers.iter().enumerate() {
        let is_last = at + 1 == numbers.len();
        let Some((Told { slot, before, .. }, segment)) = opened(folder, number, true)? else {
            if is_last {
                break;
            }
            return Err(Failure::Broken(format!("segment {number} has no head")));
        };
        if !shared.push(slot, segment.clone()) {
            return Err(Failure::Broken(format!("segment {number} has no place of its own")));
        }
        if length.is_some_and(|length| length != before as usize) {
            return Err(Failure::Broken(format!("segment {} has another length", number - 1)));
        }
        length = Some(segment.length);
        let mut offset = SEGMENT_HEAD;
        let mut body = Vec::new();
        while let Some(head) = whole_frame(&segment, offset, &mut body)? {
            let behind = offset + FRAME_HEAD + head.length;
            if head.kind == Kind::Rows {
                kept += body.len();
                let body = (kept <= KEPT).then(|| std::mem::take(&mut body));
                unmarked.push(Unmarked { slot, segment: segment.clone(), offset, body });
            } else {
                let (first, told) = frames::mark_of(&body).ok_or_else(|| Failure::Broken("a mark is none".into()))?;
                mark = Some((first, told.to_vec()));
                end = Some((at, behind));
                kept = 0;
                take(shared, &mut unmarked)?;
            }
            offset = behind;
        }
        if offset != segment.length && !is_last {
            return Err(Failure::Broken(format!("segment {number} at {offset}: no whole frame")));
        }
    }
    // What an earlier mark needed may have been deleted since.
    if let Some((first, _)) = mark.as_ref().filter(|(first, _)| *first < numbers[0]) {
        return Err(Failure::Broken(format!("segment {first} is missing")));
    }
    cut(folder, shared, &numbers, end)?;
    // Numbers have no gap, so what was cut off gives its own to others.
    let last = end.map_or(0, |(at, _)| numbers[at]);
    Ok((last, mark.map(|(_, told)| told)))
}

/// The rows of these frames count.
fn take(shared: &mut Shared, unmarked: &mut Vec<Unmarked>) -> Done<()> {
    for frame in unmarked.drain(..) {
        let body = match frame.body {
            Some(body) => body,
            None => {
                let mut body = Vec::new();
                // It was whole a moment ago.
                whole_frame(&frame.segment, frame.offset, &mut body)?
                    .ok_or_else(|| Failure::Broken("a frame has changed".into()))?;
                body
            }
        };
        let start = frame.slot << UNIT_BITS | ((frame.offset + FRAME_HEAD) / UNIT) as u32;
        for (at, row) in frames::rows_of(&body) {
            let place: Place = start + (at / UNIT) as u32;
            shared.place(&placed(shared, &row), place);
        }
    }
    Ok(())
}

fn placed(shared: &Shared, row: &Row<'_>) -> Placed {
    Placed {
        hash: shared.places.hash(row.key()),
        before: row.before(),
        units: row.units(),
        offset: 0,
        gone: row.row().is_none(),
    }
}

/// Cuts off what is behind the last mark, newest first: so that whatever is left has no gap.
fn cut(folder: &Path, shared: &mut Shared, numbers: &[u64], end: Option<End>) -> Done<()> {
    let left = end.map_or(0, |(at, _)| at + 1);
    for &number in numbers[left..].iter().rev() {
        fs::remove_file(path_of(folder, number))?;
    }
    while shared.order.len() > left {
        if let Some(slot) = shared.order.pop_back() {
            shared.slots[slot as usize] = None;
        }
    }
    if let Some((slot, (_, offset))) = shared.order.back().copied().zip(end) {
        if let Some(segment) = &mut shared.slots[slot as usize] {
            if segment.length != offset {
                segment.file.set_len(offset as u64)?;
                segment.length = offset;
            }
        }
    }
    File::open(folder)?.sync_all()?;
    Ok(())
}
