//! Rows by key in files that are only ever written at their end, and then deleted: a folder of segments, oldest first.
//!
//! What finds a row is in memory, eight bytes an entry (`places.rs`), and made anew from the files at a start. Of the oldest
//! segment what is still alive is written again at the end, some of it with each mark, once half of everything is dead: so
//! a mark needs the segments from one on, and says so. A segment is deleted only once what made it needless is safe.
//!
//! One thread writes at a time. Whoever reads waits for no file to be written.

use crate::frames::{self, Head, Kind, Row, Told, FRAME_HEAD, SEGMENT_HEAD, UNIT};
use crate::places::{Hash, Place, Places};
use crate::recent::Recent;
use crate::segments_start::{self, destroy, path_of};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Bits of a place that are the unit within its segment; the others are the segment's slot.
pub(crate) const UNIT_BITS: u32 = 24;
const SLOTS: usize = 1 << (Place::BITS - UNIT_BITS);
/// The most bytes of a segment, and of the rows of a frame if they are not a single one.
const LARGEST: usize = UNIT << UNIT_BITS;
const FRAME: usize = 1 << 20;
/// How many rows become visible at once: whoever reads waits for no more.
const AT_ONCE: usize = 256;
/// What is read at first of a row: more than most take.
const GUESS: usize = 512;

/// Bytes that a segment has at least before another one is begun, and dead ones that do not matter.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub segment: usize,
    pub slack: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { segment: 4 << 20, slack: 8 << 20 }
    }
}

#[derive(Debug)]
pub enum Failure {
    /// Of the machine: another file would fail alike.
    Machine(io::Error),
    /// What is in the files is not what was written.
    Broken(String),
    Closed,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Machine(error)
    }
}

pub type Done<T> = Result<T, Failure>;

/// `length`: the bytes of it that are written, and may be read.
#[derive(Clone)]
pub(crate) struct Segment {
    pub number: u64,
    pub file: Arc<File>,
    pub length: usize,
}

/// What is read while it is written. `order`: the slots in use, oldest first.
#[derive(Default)]
pub(crate) struct Shared {
    pub places: Places,
    pub slots: Vec<Option<Segment>>,
    pub order: VecDeque<u32>,
    /// Bytes of all rows that are alive.
    live: u64,
    closed: bool,
}

/// What only the thread has that writes. `cleaned`: the bytes of the oldest segment whose rows are dead or written again.
#[derive(Default)]
struct Writer {
    last: u64,
    cleaned: usize,
    needless: usize,
    /// Whether rows may have been written, or half written, since the last mark.
    unmarked: bool,
    mark: Option<Vec<u8>>,
    frame: Vec<u8>,
    body: Vec<u8>,
}

/// Rows to be written, in order; no key twice.
#[derive(Default)]
pub struct Batch(Vec<u8>);

impl Batch {
    /// None: the key's row goes.
    pub fn put(&mut self, key: &[u8], row: Option<&[u8]>) {
        frames::put_row(&mut self.0, key, row);
    }
}

/// A row that is written, and to be found from now on.
pub(crate) struct Placed {
    pub hash: Hash,
    pub before: Option<(Place, u32)>,
    pub units: u32,
    pub offset: u32,
    pub gone: bool,
}

pub struct Segments {
    folder: PathBuf,
    sizes: Sizes,
    shared: RwLock<Shared>,
    writer: Mutex<Writer>,
    /// It is looked at and changed while `shared` is held: so both say the same.
    recent: Mutex<Recent>,
    /// As many owners as there are readers of all rows, and one.
    readers: Arc<()>,
}

impl Segments {
    /// Opens the segments of a folder, and cuts off what is behind the last mark. The caller has locked the folder.
    pub fn open(folder: &Path, sizes: Sizes) -> Done<Segments> {
        let mut shared = Shared::empty();
        let (last, mark) = segments_start::start(folder, &mut shared)?;
        let writer = Writer { last, mark, cleaned: SEGMENT_HEAD, ..Writer::default() };
        Ok(Segments {
            folder: folder.into(),
            sizes,
            shared: RwLock::new(shared),
            writer: Mutex::new(writer),
            recent: Mutex::default(),
            readers: Arc::default(),
        })
    }

    fn read(&self) -> Done<RwLockReadGuard<'_, Shared>> {
        let shared = self.shared.read().map_err(|_| Failure::Closed)?;
        if shared.closed {
            return Err(Failure::Closed);
        }
        Ok(shared)
    }

    fn change(&self) -> Done<RwLockWriteGuard<'_, Shared>> {
        self.shared.write().map_err(|_| Failure::Closed)
    }

    fn recent(&self) -> Done<MutexGuard<'_, Recent>> {
        self.recent.lock().map_err(|_| Failure::Closed)
    }

    fn writer(&self) -> Done<MutexGuard<'_, Writer>> {
        let writer = self.writer.lock().map_err(|_| Failure::Closed)?;
        self.read().map(|_| writer)
    }

    /// Puts the row of a key into `row`; whether there is one.
    pub fn get(&self, key: &[u8], row: &mut Vec<u8>) -> Done<bool> {
        let shared = self.read()?;
        if let Some((_, _, known)) = self.recent()?.get(key) {
            row.clear();
            row.extend_from_slice(known);
            return Ok(true);
        }
        let Some(place) = shared.find(shared.places.hash(key), key, row)? else {
            return Ok(false);
        };
        let range = Row::of(row).and_then(|found| found.range());
        let range = range.ok_or_else(|| Failure::Broken("a row is none".into()))?;
        let units = (row.len() / UNIT) as u32;
        row.truncate(range.end);
        row.drain(..range.start);
        self.recent()?.put(key, (place, units, row));
        Ok(true)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.shared.read().map_or(0, |shared| shared.places.held())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in all files, and those of them that are alive.
    pub fn bytes(&self) -> (u64, u64) {
        self.shared.read().map_or((0, 0), |shared| (shared.total(), shared.live))
    }

    /// What the last mark told.
    pub fn mark(&self) -> Done<Option<Vec<u8>>> {
        Ok(self.writer()?.mark.clone())
    }

    /// Writes rows, which belong to the next mark: without one they are lost at the next start.
    pub fn add(&self, batch: Batch) -> Done<()> {
        self.put(&mut *self.writer()?, &batch.0)
    }

    /// Writes rows and marks everything so far.
    pub fn write(&self, batch: Batch, told: &[u8]) -> Done<()> {
        let mut writer = self.writer()?;
        self.put(&mut writer, &batch.0)?;
        // What half of it is dead costs as much again to clean as is written; twice as much catches up.
        self.clean(&mut writer, 4 * batch.0.len() + FRAME)?;
        let first = {
            let shared = self.read()?;
            let place = shared.order.get(writer.needless).and_then(|&slot| shared.slots[slot as usize].as_ref());
            place.map_or(writer.last + 1, |segment| segment.number)
        };
        let mut frame = std::mem::take(&mut writer.frame);
        frame.clear();
        frame.resize(FRAME_HEAD, 0);
        frames::put_mark(&mut frame, first, told);
        let done = self.append(&mut writer, &mut frame, Kind::Mark);
        writer.frame = frame;
        done?;
        writer.mark = Some(told.to_vec());
        writer.unmarked = false;
        self.drop_needless(&mut writer)
    }

    /// Deletes everything. Whatever is left if that fails midway is an earlier state.
    pub fn clear(&self) -> Done<()> {
        let mut writer = self.writer()?;
        *writer = Writer { last: writer.last, cleaned: SEGMENT_HEAD, ..Writer::default() };
        let mut shared = self.change()?;
        *shared = Shared::empty();
        *self.recent()? = Recent::default();
        drop(shared);
        Ok(destroy(&self.folder)?)
    }

    /// From now on everything fails, until `again`.
    pub fn close(&self) {
        // Not in the midst of a write.
        let writer = self.writer.lock();
        if let Ok(mut shared) = self.shared.write() {
            shared.closed = true;
            if let Ok(mut recent) = self.recent.lock() {
                *recent = Recent::default();
            }
        }
        drop(writer);
    }

    /// Goes on after `close` with what is in memory. False if the files may no longer be what they were then, or held
    /// what no mark has closed: they must be opened. The caller has locked the folder.
    pub fn again(&self) -> Done<bool> {
        let writer = self.writer.lock().map_err(|_| Failure::Closed)?;
        let mut shared = self.change()?;
        let segments: Vec<_> = shared.order.iter().filter_map(|&slot| shared.slots[slot as usize].as_ref()).collect();
        let numbers: Vec<_> = segments.iter().map(|segment| segment.number).collect();
        if writer.unmarked || writer.needless > 0 || numbers != segments_start::numbers(&self.folder)? {
            return Ok(false);
        }
        for segment in segments {
            let (found, had) = (fs::metadata(path_of(&self.folder, segment.number))?, segment.file.metadata()?);
            // Whoever writes a mark makes the last file longer, or another one.
            if (found.dev(), found.ino(), found.len()) != (had.dev(), had.ino(), segment.length as u64) {
                return Ok(false);
            }
        }
        shared.closed = false;
        Ok(true)
    }

    fn put(&self, writer: &mut Writer, rows: &[u8]) -> Done<()> {
        writer.unmarked = true;
        let mut frame = std::mem::take(&mut writer.frame);
        let mut placed = Vec::new();
        let mut found = Vec::new();
        let mut rows = frames::rows_of(rows).peekable();
        while rows.peek().is_some() {
            frame.clear();
            frame.resize(FRAME_HEAD, 0);
            placed.clear();
            while let Some((_, row)) = rows.next_if(|(_, row)| fits(&frame, row.bytes().len())) {
                let before = {
                    let shared = self.read()?;
                    let hash = shared.places.hash(row.key());
                    let known = self.recent()?.peek(row.key()).map(|(place, units, _)| (place, units));
                    let before = match known {
                        Some(known) => Some(known),
                        None => {
                            shared.find(hash, row.key(), &mut found)?.map(|place| (place, (found.len() / UNIT) as u32))
                        }
                    };
                    (hash, before)
                };
                if row.row().is_none() && before.1.is_none() {
                    continue;
                }
                self.take(&mut frame, &mut placed, &row, before.0, before.1)?;
            }
            self.write_rows(writer, &mut frame, &placed)?;
        }
        writer.frame = frame;
        Ok(())
    }

    fn take(
        &self,
        frame: &mut Vec<u8>,
        placed: &mut Vec<Placed>,
        row: &Row<'_>,
        hash: Hash,
        before: Option<(Place, u32)>,
    ) -> Done<()> {
        let start = frame.len();
        frame.extend_from_slice(row.bytes());
        if frame.len() > LARGEST - SEGMENT_HEAD {
            return Err(Failure::Machine(io::Error::other("a row is larger than a file may be")));
        }
        frames::place_row(&mut frame[start..], before);
        placed.push(Placed { hash, before, units: row.units(), offset: start as u32, gone: row.row().is_none() });
        Ok(())
    }

    /// Appends a frame of rows, and makes them visible.
    fn write_rows(&self, writer: &mut Writer, frame: &mut [u8], placed: &[Placed]) -> Done<()> {
        if placed.is_empty() {
            return Ok(());
        }
        let start = self.append(writer, frame, Kind::Rows)?;
        for some in placed.chunks(AT_ONCE) {
            let mut shared = self.change()?;
            let mut recent = self.recent()?;
            for each in some {
                let place = start + each.offset / UNIT as u32;
                shared.place(each, place);
                if let Some(row) = Row::of(&frame[each.offset as usize..]) {
                    recent.written(row.key(), row.row().map(|row| (place, each.units, row)));
                }
            }
        }
        Ok(())
    }

    /// Writes a frame at the end; returns the place of its head.
    fn append(&self, writer: &mut Writer, frame: &mut [u8], kind: Kind) -> Done<Place> {
        let shared = self.read()?;
        // What a restore adds is dead for the most part until it is marked and cleaned: there are slots for all of it.
        let target = (shared.live / 8).max(shared.total() / 64) as usize;
        let target = target.clamp(self.sizes.segment, LARGEST);
        let last = shared.last();
        drop(shared);
        let (slot, segment) = match last {
            Some((slot, segment)) if segment.length + frame.len() <= target => (slot, segment),
            Some((slot, segment)) if segment.length == SEGMENT_HEAD => (slot, segment),
            last => self.begin(writer, last)?,
        };
        let offset = segment.length;
        frames::seal(frame, kind, segment.number, offset);
        if let Err(error) = segment.file.write_all_at(frame, offset as u64) {
            // Not necessary: nothing behind the last mark counts.
            let _ = segment.file.set_len(offset as u64);
            return Err(error.into());
        }
        if let Some(segment) = &mut self.change()?.slots[slot as usize] {
            segment.length += frame.len();
        }
        Ok(slot << UNIT_BITS | (offset / UNIT) as u32)
    }

    /// Begins a segment behind the last one, which is safe from then on: what is broken in it later is no end.
    fn begin(&self, writer: &mut Writer, last: Option<(u32, Segment)>) -> Done<(u32, Segment)> {
        let mut before = 0;
        if let Some((_, last)) = last {
            last.file.set_len(last.length as u64)?;
            last.file.sync_data()?;
            before = last.length as u32;
        }
        let slot = self.read()?.slots.iter().position(Option::is_none);
        let slot = slot.ok_or_else(|| io::Error::other("there are more rows than 64 GiB"))? as u32;
        let number = writer.last + 1;
        let path = path_of(&self.folder, number);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all_at(&frames::segment_head(Told { number, slot, before }), 0)?;
        sync(&self.folder)?;
        writer.last = number;
        let segment = Segment { number, file: Arc::new(file), length: SEGMENT_HEAD };
        self.change()?.push(slot, segment.clone());
        Ok((slot, segment))
    }

    /// Writes again what is alive of the oldest segments, if half of everything is dead: of so many bytes about.
    fn clean(&self, writer: &mut Writer, bytes: usize) -> Done<()> {
        let mut left = bytes;
        while left > 0 {
            // No reader begins while there is a writer.
            if Arc::strong_count(&self.readers) > 1 {
                return Ok(());
            }
            let shared = self.read()?;
            let dead = (shared.total() - self.needless(&shared, writer)).saturating_sub(shared.live);
            let Some(&slot) = shared.order.get(writer.needless) else {
                return Ok(());
            };
            let is_last = writer.needless + 1 == shared.order.len();
            let Some(segment) = shared.slots[slot as usize].clone() else {
                return Ok(());
            };
            drop(shared);
            if writer.cleaned == SEGMENT_HEAD && dead < (self.sizes.slack as u64).max(self.bytes().1) {
                return Ok(());
            }
            if is_last {
                self.begin(writer, Some((slot, segment)))?;
                continue;
            }
            if writer.cleaned >= segment.length {
                writer.needless += 1;
                writer.cleaned = SEGMENT_HEAD;
                continue;
            }
            let mut body = std::mem::take(&mut writer.body);
            let done = self.clean_frame(writer, slot, &segment, &mut body);
            writer.body = body;
            left = left.saturating_sub(done?);
        }
        Ok(())
    }

    fn clean_frame(&self, writer: &mut Writer, slot: u32, segment: &Segment, body: &mut Vec<u8>) -> Done<usize> {
        let offset = writer.cleaned;
        let head = frame_at(segment, offset, body)?;
        if head.kind == Kind::Rows {
            let start = slot << UNIT_BITS | ((offset + FRAME_HEAD) / UNIT) as u32;
            let mut frame = std::mem::take(&mut writer.frame);
            frame.clear();
            frame.resize(FRAME_HEAD, 0);
            let mut placed = Vec::new();
            let shared = self.read()?;
            for (at, row) in frames::rows_of(body) {
                let place = start + (at / UNIT) as u32;
                let hash = shared.places.hash(row.key());
                if row.row().is_some() && shared.places.holds(hash, place) {
                    self.take(&mut frame, &mut placed, &row, hash, Some((place, row.units())))?;
                }
            }
            drop(shared);
            let done = self.write_rows(writer, &mut frame, &placed);
            writer.frame = frame;
            done?;
        }
        writer.cleaned += FRAME_HEAD + head.length;
        Ok(FRAME_HEAD + head.length)
    }

    fn needless(&self, shared: &Shared, writer: &Writer) -> u64 {
        let needless = shared.order.iter().take(writer.needless);
        needless.filter_map(|&slot| shared.slots[slot as usize].as_ref()).map(|segment| segment.length as u64).sum()
    }

    /// Deletes the segments that the last mark does not need, once it is safe.
    fn drop_needless(&self, writer: &mut Writer) -> Done<()> {
        if writer.needless == 0 {
            return Ok(());
        }
        let last = self.read()?.last();
        if let Some((_, last)) = last {
            last.file.sync_data()?;
        }
        while writer.needless > 0 {
            let Some(number) = self.change()?.drop_first() else {
                break;
            };
            writer.needless -= 1;
            fs::remove_file(path_of(&self.folder, number))?;
        }
        Ok(())
    }

    /// Reads the rows that there are now and that remain. Nothing is cleaned meanwhile.
    pub fn rows(&self) -> Done<Reader> {
        let writer = self.writer()?;
        let shared = self.read()?;
        let segments = shared.order.iter().filter_map(|&slot| Some((slot, shared.slots[slot as usize].clone()?)));
        let reader = Reader {
            segments: segments.collect(),
            offset: SEGMENT_HEAD,
            body: Vec::new(),
            _reads: self.readers.clone(),
        };
        drop(writer);
        Ok(reader)
    }

    /// Gives the rows of the next frame that `wanted` wants by key; false at the end.
    pub fn next(
        &self,
        reader: &mut Reader,
        wanted: impl Fn(&[u8]) -> bool,
        mut give: impl FnMut(&[u8], &[u8]),
    ) -> Done<bool> {
        let Some((slot, segment)) = reader.segments.front() else {
            return Ok(false);
        };
        if reader.offset >= segment.length {
            reader.segments.pop_front();
            reader.offset = SEGMENT_HEAD;
            return Ok(true);
        }
        let head = frame_at(segment, reader.offset, &mut reader.body)?;
        if head.kind == Kind::Rows {
            let start = slot << UNIT_BITS | ((reader.offset + FRAME_HEAD) / UNIT) as u32;
            let shared = self.read()?;
            for (at, row) in frames::rows_of(&reader.body) {
                let Some(bytes) = row.row().filter(|_| wanted(row.key())) else {
                    continue;
                };
                if shared.places.holds(shared.places.hash(row.key()), start + (at / UNIT) as u32) {
                    give(row.key(), bytes);
                }
            }
        }
        reader.offset += FRAME_HEAD + head.length;
        Ok(true)
    }
}

/// How far all rows have been read.
pub struct Reader {
    segments: VecDeque<(u32, Segment)>,
    offset: usize,
    body: Vec<u8>,
    _reads: Arc<()>,
}

impl Shared {
    fn total(&self) -> u64 {
        self.slots.iter().flatten().map(|segment| segment.length as u64).sum()
    }

    pub(crate) fn empty() -> Self {
        Shared { slots: vec![None; SLOTS], ..Shared::default() }
    }

    fn last(&self) -> Option<(u32, Segment)> {
        let slot = *self.order.back()?;
        Some((slot, self.slots[slot as usize].clone()?))
    }

    /// False if its slot is taken.
    pub(crate) fn push(&mut self, slot: u32, segment: Segment) -> bool {
        match self.slots.get_mut(slot as usize) {
            Some(place) if place.is_none() => *place = Some(segment),
            _ => return false,
        }
        self.order.push_back(slot);
        true
    }

    fn drop_first(&mut self) -> Option<u64> {
        let slot = self.order.pop_front()?;
        self.slots[slot as usize].take().map(|segment| segment.number)
    }

    /// The key's row is at that place now, or nowhere.
    pub(crate) fn place(&mut self, row: &Placed, place: Place) {
        let before = row.before.map(|(place, _)| place);
        let was = if row.gone {
            before.is_some_and(|before| self.places.remove(row.hash, before))
        } else {
            self.live += u64::from(row.units) * UNIT as u64;
            self.places.set(row.hash, before, place)
        };
        if let Some((_, units)) = row.before.filter(|_| was) {
            self.live = self.live.saturating_sub(u64::from(units) * UNIT as u64);
        }
    }

    /// The place of a key's row, which is read into `bytes`, all of it.
    fn find(&self, hash: Hash, key: &[u8], bytes: &mut Vec<u8>) -> Done<Option<Place>> {
        self.places.find(hash, |place| {
            self.row_at(place, bytes)?;
            Ok(Row::of(bytes).is_some_and(|row| row.key() == key))
        })
    }

    fn row_at(&self, place: Place, bytes: &mut Vec<u8>) -> Done<()> {
        let segment = self.slots[(place >> UNIT_BITS) as usize].as_ref();
        let segment = segment.ok_or_else(|| Failure::Broken("a row is in no file".into()))?;
        let offset = (place as usize & (LARGEST / UNIT - 1)) * UNIT;
        let broken = || Failure::Broken(format!("segment {} at {offset}: no whole row", segment.number));
        let most = segment.length.checked_sub(offset).ok_or_else(broken)?;
        bytes.resize(GUESS.min(most), 0);
        read(&segment.file, bytes, offset)?;
        let size = frames::size_of(bytes).filter(|&size| size <= most).ok_or_else(broken)?;
        let had = bytes.len();
        bytes.resize(size, 0);
        if size > had {
            read(&segment.file, &mut bytes[had..], offset + had)?;
        }
        if !Row::of(bytes).is_some_and(|row| row.is_whole()) {
            return Err(broken());
        }
        Ok(())
    }
}

/// Whether a frame of rows takes another one of so many bytes.
fn fits(frame: &[u8], bytes: usize) -> bool {
    frame.len() == FRAME_HEAD || frame.len() + bytes <= FRAME
}

/// Reads the body of the frame at that offset.
fn frame_at(segment: &Segment, offset: usize, body: &mut Vec<u8>) -> Done<Head> {
    let broken = || Failure::Broken(format!("segment {} at {offset}: no whole frame", segment.number));
    whole_frame(segment, offset, body)?.ok_or_else(broken)
}

/// As `frame_at`; None if there is no whole frame.
pub(crate) fn whole_frame(segment: &Segment, offset: usize, body: &mut Vec<u8>) -> Done<Option<Head>> {
    let Some(head) = head_at(segment, offset)? else {
        return Ok(None);
    };
    body.resize(head.length, 0);
    read(&segment.file, body, offset + FRAME_HEAD)?;
    Ok(head.is_of(segment.number, offset, body).then_some(head))
}

/// The head at that offset, if there is as much behind it as it says.
pub(crate) fn head_at(segment: &Segment, offset: usize) -> Done<Option<Head>> {
    if offset + FRAME_HEAD > segment.length {
        return Ok(None);
    }
    let mut head = [0; FRAME_HEAD];
    read(&segment.file, &mut head, offset)?;
    Ok(Head::of(&head).filter(|head| offset + FRAME_HEAD + head.length <= segment.length))
}

pub(crate) fn read(file: &File, bytes: &mut [u8], offset: usize) -> Done<()> {
    file.read_exact_at(bytes, offset as u64).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::Broken("a file has become shorter".into()),
        _ => Failure::Machine(error),
    })
}

/// What was made or deleted in a folder is safe from then on.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
