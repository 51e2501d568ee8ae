//! Segments hold what was written up to the last mark, wherever the process that wrote them ends.

use crate::segments::{Batch, Failure, Segments, Sizes};
use crate::segments_start::{destroy, last_mark};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

type Rows = HashMap<Vec<u8>, Vec<u8>>;
/// The files of a folder by name, oldest first.
type Image = BTreeMap<String, Vec<u8>>;

const SMALL: Sizes = Sizes { segment: 4096, slack: 2048 };

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("pw-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn of(image: &Image) -> Self {
        let folder = Folder::new();
        for (name, bytes) in image {
            fs::write(folder.0.join(name), bytes).unwrap();
        }
        folder
    }

    fn image(&self) -> Image {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap());
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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

fn opened(folder: &Path) -> Segments {
    Segments::open(folder, SMALL).unwrap()
}

fn all(segments: &Segments) -> Rows {
    let (mut reader, mut rows) = (segments.rows().unwrap(), Rows::new());
    while segments
        .next(&mut reader, |_| true, |key, row| assert!(rows.insert(key.to_vec(), row.to_vec()).is_none()))
        .unwrap()
    {}
    rows
}

fn same(segments: &Segments, rows: &Rows) {
    // Rows are many: which differ, the values would not tell.
    assert!(&all(segments) == rows);
    assert_eq!(segments.len(), rows.len());
    let mut found = Vec::new();
    for (key, row) in rows {
        assert!(segments.get(key, &mut found).unwrap());
        assert_eq!(&found, row);
    }
    assert!(!segments.get(b"nobody", &mut found).unwrap());
    let size = |(key, row): (&Vec<u8>, &Vec<u8>)| (20 + key.len() + row.len()).div_ceil(16) as u64 * 16;
    assert_eq!(segments.bytes().1, rows.iter().map(size).sum::<u64>());
}

/// Some changes, which `rows` takes, too.
fn drawn(drawn: &mut Drawn, rows: &mut Rows) -> Batch {
    let mut changes = HashMap::new();
    for _ in 0..drawn.below(30) {
        let row = (drawn.below(4) > 0).then(|| vec![drawn.below(256) as u8; drawn.below(300)]);
        changes.insert(format!("k{}", drawn.below(60)).into_bytes(), row);
    }
    let mut batch = Batch::default();
    for (key, row) in changes {
        batch.put(&key, row.as_deref());
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
    batch
}

/// What a process may leave that ends in the midst of a write: everything before it, and behind the end of it more and
/// more of what the write has added; of what it deleted all, or the newest.
fn crashes(before: &Image, after: &Image, drawn: &mut Drawn) -> Vec<Image> {
    let mut images = Vec::new();
    let deleted: Vec<_> = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
    for (name, bytes) in after {
        let had = before.get(name).map_or(0, Vec::len);
        if had == bytes.len() {
            continue;
        }
        for cut in [had, had + 1, had + drawn.below(bytes.len() - had), bytes.len() - 1] {
            let mut image = before.clone();
            image.extend(after.range(..name.clone()).map(|(name, bytes)| (name.clone(), bytes.clone())));
            image.insert(name.clone(), bytes[..cut].to_vec());
            images.push(image);
        }
    }
    for left in 0..deleted.len() {
        let mut image = after.clone();
        image.extend(deleted[left..].iter().map(|name| (name.clone(), before[name].clone())));
        images.push(image);
    }
    images
}

#[test]
fn whatever_is_left_of_a_write_is_all_of_it_or_nothing() {
    let (mut draws, mut cleaned, mut dead) = (Drawn(3), 0, 0);
    let folder = Folder::new();
    let mut segments = opened(&folder.0);
    let mut rows = Rows::new();
    for turn in 0..120_u64 {
        let (before, marked) = (folder.image(), rows.clone());
        if draws.below(5) == 0 {
            let batch = drawn(&mut draws, &mut rows);
            segments.add(batch).unwrap();
            same(&segments, &rows);
        }
        let batch = drawn(&mut draws, &mut rows);
        segments.write(batch, &turn.to_le_bytes()).unwrap();
        same(&segments, &rows);
        let after = folder.image();
        cleaned += before.keys().filter(|name| !after.contains_key(*name)).count();
        let (total, live) = segments.bytes();
        assert_eq!(total, after.values().map(Vec::len).sum::<usize>() as u64);
        dead = dead.max(total - live);
        for image in crashes(&before, &after, &mut draws) {
            let left = Folder::of(&image);
            let seen = last_mark(&left.0).unwrap();
            let again = opened(&left.0);
            let mark = again.mark().unwrap();
            assert_eq!(seen, mark);
            let done = mark == Some(turn.to_le_bytes().to_vec());
            assert!(done || mark == turn.checked_sub(1).map(|turn| turn.to_le_bytes().to_vec()));
            same(&again, if done { &rows } else { &marked });
            // And it goes on from there.
            let mut batch = Batch::default();
            batch.put(b"one more", Some(b"row"));
            again.write(batch, b"more").unwrap();
            let mut more = if done { rows.clone() } else { marked.clone() };
            more.insert(b"one more".to_vec(), b"row".to_vec());
            drop(again);
            same(&opened(&left.0), &more);
        }
        if draws.below(6) == 0 {
            drop(segments);
            segments = opened(&folder.0);
            same(&segments, &rows);
        }
    }
    assert!(cleaned > 10, "{cleaned}");
    assert!(dead < 40_000, "{dead}");
}

#[test]
fn what_is_destroyed_is_told_or_was_behind_the_last_mark() {
    let (folder, mut draws, mut rows) = (Folder::new(), Drawn(7), Rows::new());
    // Where something has just been cleaned, no earlier mark will do: nothing is cleaned here but at the beginning.
    let segments = Segments::open(&folder.0, Sizes { slack: 50_000, ..SMALL }).unwrap();
    let mut states = vec![(None, Rows::new())];
    for turn in 0..40_u64 {
        let batch = drawn(&mut draws, &mut rows);
        segments.write(batch, &turn.to_le_bytes()).unwrap();
        states.push((Some(turn.to_le_bytes().to_vec()), rows.clone()));
    }
    let image = folder.image();
    let mut broken = 0;
    for _ in 0..1000 {
        let mut image = image.clone();
        // Half of them in the last file, of which something may be left.
        let place = draws.below(2 * image.len()).min(image.len() - 1);
        let name = image.keys().nth(place).unwrap().clone();
        let bytes = image.get_mut(&name).unwrap();
        let at = draws.below(bytes.len());
        match draws.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.drain(at..(at + 16).min(bytes.len())).for_each(drop),
            2 => drop(image.remove(&name)),
            _ => bytes[at] ^= 1 << draws.below(8),
        }
        let left = Folder::of(&image);
        match Segments::open(&left.0, SMALL) {
            Ok(again) => {
                let mark = again.mark().unwrap();
                same(&again, &states.iter().find(|(told, _)| *told == mark).unwrap().1);
            }
            Err(Failure::Broken(_)) => broken += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!((300..700).contains(&broken), "{broken}");
}

#[test]
fn what_is_destroyed_under_a_live_process_is_told() {
    let folder = Folder::new();
    let segments = opened(&folder.0);
    let mut batch = Batch::default();
    batch.put(b"key", Some(&[7; 100]));
    segments.write(batch, b"").unwrap();
    let (name, mut bytes) = folder.image().pop_first().unwrap();
    let at = bytes.iter().position(|&byte| byte == 7).unwrap();
    bytes[at + 50] = 8;
    fs::write(folder.0.join(&name), &bytes).unwrap();
    let mut row = Vec::new();
    assert!(matches!(segments.get(b"key", &mut row), Err(Failure::Broken(_))));
    assert!(matches!(segments.next(&mut segments.rows().unwrap(), |_| true, |_, _| ()), Err(Failure::Broken(_))));
    fs::write(folder.0.join(&name), &bytes[..60]).unwrap();
    assert!(matches!(segments.get(b"key", &mut row), Err(Failure::Broken(_))));
}

#[test]
fn rows_of_every_size_and_many_at_once() {
    let folder = Folder::new();
    let segments = opened(&folder.0);
    let mut rows = Rows::new();
    for size in (0..700).chain([4095, 4096, 70_000, (1 << 20) + 1]) {
        rows.insert(vec![1; size % 800], vec![size as u8; size]);
        rows.insert(format!("{size}").into_bytes(), vec![size as u8; size]);
    }
    for turn in 0..3 {
        let mut batch = Batch::default();
        for (key, row) in &rows {
            batch.put(key, Some(row));
        }
        if turn == 0 {
            segments.add(batch).unwrap();
        } else {
            segments.write(batch, b"").unwrap();
        }
        same(&segments, &rows);
    }
    drop(segments);
    same(&opened(&folder.0), &rows);
}

#[test]
fn nothing_is_cleaned_while_it_is_read() {
    let folder = Folder::new();
    let segments = opened(&folder.0);
    let mut rows = Rows::new();
    let mut draws = Drawn(1);
    let batch = drawn(&mut draws, &mut rows);
    segments.write(batch, b"").unwrap();
    let before = rows.clone();
    let mut reader = segments.rows().unwrap();
    let mut others = Rows::new();
    for turn in 0..200_u64 {
        let mut batch = Batch::default();
        let key = format!("other {}", turn % 7).into_bytes();
        batch.put(&key, Some(&[1; 200]));
        others.insert(key, vec![1; 200]);
        segments.write(batch, b"").unwrap();
    }
    let mut found = Rows::new();
    while segments.next(&mut reader, |_| true, |key, row| drop(found.insert(key.to_vec(), row.to_vec()))).unwrap() {}
    assert!(found == before);
    let files = folder.image().len();
    drop(reader);
    for _ in 0..30 {
        segments.write(Batch::default(), b"").unwrap();
    }
    assert!(folder.image().len() < files);
    rows.extend(others);
    same(&segments, &rows);
}

#[test]
fn what_was_closed_goes_on_if_nobody_has_written_since() {
    let (folder, mut draws, mut rows) = (Folder::new(), Drawn(5), Rows::new());
    let segments = opened(&folder.0);
    for turn in 0..40_u64 {
        let batch = drawn(&mut draws, &mut rows);
        segments.write(batch, &turn.to_le_bytes()).unwrap();
        segments.close();
        assert!(matches!(segments.get(b"", &mut Vec::new()), Err(Failure::Closed)));
        assert!(segments.again().unwrap());
        same(&segments, &rows);
    }
    let image = folder.image();
    segments.close();
    opened(&folder.0).write(Batch::default(), b"another's").unwrap();
    assert!(!segments.again().unwrap());
    // The same files made anew are others.
    destroy(&folder.0).unwrap();
    assert!(!segments.again().unwrap());
    for (name, bytes) in &image {
        fs::write(folder.0.join(name), bytes).unwrap();
    }
    assert!(!segments.again().unwrap());
    let segments = opened(&folder.0);
    same(&segments, &rows);
    let batch = drawn(&mut draws, &mut rows.clone());
    segments.add(batch).unwrap();
    segments.close();
    assert!(!segments.again().unwrap());
}

#[test]
fn a_newer_form_and_a_closed_folder() {
    let folder = Folder::new();
    let segments = opened(&folder.0);
    segments.write(Batch::default(), b"told").unwrap();
    segments.close();
    segments.close();
    assert!(matches!(segments.get(b"", &mut Vec::new()), Err(Failure::Closed)));
    assert!(matches!(segments.write(Batch::default(), b""), Err(Failure::Closed)));
    assert!(matches!(segments.clear(), Err(Failure::Closed)));
    let segments = opened(&folder.0);
    assert_eq!(segments.mark().unwrap().unwrap(), b"told");
    segments.clear().unwrap();
    assert_eq!(segments.mark().unwrap(), None);
    segments.write(Batch::default(), b"again").unwrap();
    assert_eq!(opened(&folder.0).mark().unwrap().unwrap(), b"again");
    let (name, mut bytes) = folder.image().pop_first().unwrap();
    bytes[8] += 1;
    fs::write(folder.0.join(&name), &bytes).unwrap();
    let told = format!("{:?}", Segments::open(&folder.0, SMALL).err().unwrap());
    assert!(told.contains("its form is 2, not 1"), "{told}");
    destroy(&folder.0).unwrap();
    assert!(opened(&folder.0).is_empty());
}
