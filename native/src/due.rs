//! A due-time index that stores keys only, as `streams.engine.due_keys` has it.

use crate::kept::Kept;
use crate::row::due_of;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

const BUCKET: i64 = 3_600_000_000;
/// Entries examined between two pauses.
const STRIDE: usize = 5_000;

type Key = Box<[u8]>;

/// Keys by the hour in which they are due.
#[pyclass(module = "parcelwatch_native")]
pub struct DueKeys {
    /// Tells when a key is due (microseconds), or None.
    moment_of: Py<PyAny>,
    /// Where that is a row's due time, unless the key is in `besides`.
    rows: Kept,
    besides: Py<PyDict>,
    buckets: HashMap<i64, Vec<u8>>,
    order: BinaryHeap<Reverse<i64>>,
    /// The current hour: entries examined and not due yet, and those not examined.
    number: i64,
    current: BinaryHeap<Reverse<(i64, Key)>>,
    unread: Vec<u8>,
    place: usize,
    /// The keys examined in the current hour: of several entries that have met there, one is enough.
    seen: HashSet<Key>,
}

/// What a look into the index has come to.
enum Found {
    Due(Key),
    Pause,
    End,
}

impl DueKeys {
    pub fn insert(&mut self, moment: i64, key: &[u8]) {
        let number = moment.div_euclid(BUCKET);
        if number <= self.number {
            self.current.push(Reverse((moment, key.into())));
            return;
        }
        let bucket = self.buckets.entry(number).or_insert_with(|| {
            self.order.push(Reverse(number));
            Vec::new()
        });
        // Keys are those of a table: no longer than that.
        bucket.extend_from_slice(&(key.len() as u16).to_be_bytes());
        bucket.extend_from_slice(key);
    }

    fn moment(&self, py: Python<'_>, key: &[u8]) -> PyResult<Option<i64>> {
        let besides = self.besides.bind(py);
        let is_elsewhere = matches!(self.rows, Kept::There(_));
        if !is_elsewhere && (besides.is_empty() || !besides.contains(PyBytes::new(py, key))?) {
            return self.rows.row(py, key, |row| row.and_then(due_of));
        }
        self.moment_of.bind(py).call1((PyBytes::new(py, key),))?.extract()
    }

    /// The next key due before that moment. `opening`: whether the rest of the current hour is being examined.
    fn next(&mut self, py: Python<'_>, before: i64, opening: &mut bool) -> PyResult<Found> {
        loop {
            if !*opening {
                while self.current.peek().is_some_and(|Reverse((moment, _))| *moment < before) {
                    let Some(Reverse((moment, key))) = self.current.pop() else { break };
                    match self.moment(py, &key)? {
                        None => {}
                        Some(now) if now <= moment => return Ok(Found::Due(key)),
                        Some(now) => self.insert(now, &key),
                    }
                }
                *opening = true;
            }
            match self.open(py, before)? {
                Found::End => *opening = false,
                found => return Ok(found),
            }
            if let Some(Reverse((moment, _))) = self.current.peek() {
                if *moment < before {
                    continue;
                }
                return Ok(Found::End);
            }
            match self.order.peek() {
                Some(Reverse(number)) if number * BUCKET < before => self.number = *number,
                _ => return Ok(Found::End),
            }
            self.order.pop();
            self.unread = self.buckets.remove(&self.number).unwrap_or_default();
            self.place = 0;
            self.seen.clear();
        }
    }

    /// Examines the rest of the current hour.
    fn open(&mut self, py: Python<'_>, before: i64) -> PyResult<Found> {
        let unread = std::mem::take(&mut self.unread);
        let found = self.examine(py, before, &unread);
        if !matches!(found, Ok(Found::End)) {
            self.unread = unread;
        } else if !unread.is_empty() {
            self.place = 0;
            self.seen.clear();
        }
        found
    }

    fn examine(&mut self, py: Python<'_>, before: i64, unread: &[u8]) -> PyResult<Found> {
        let mut passed = 0;
        while let Some((length, rest)) = unread[self.place..].split_first_chunk() {
            let key = &rest[..usize::from(u16::from_be_bytes(*length))];
            self.place += length.len() + key.len();
            let moment = if self.seen.contains(key) { None } else { self.moment(py, key)? };
            if let Some(moment) = moment {
                self.seen.insert(key.into());
                if moment < before {
                    return Ok(Found::Due(key.into()));
                }
                self.insert(moment, key);
            }
            passed += 1;
            if passed == STRIDE {
                return Ok(Found::Pause);
            }
        }
        Ok(Found::End)
    }
}

#[pymethods]
impl DueKeys {
    #[new]
    fn new(py: Python<'_>, moment_of: Py<PyAny>, besides: Py<PyDict>) -> Self {
        DueKeys {
            moment_of,
            rows: Kept::There(py.None()),
            besides,
            buckets: HashMap::new(),
            order: BinaryHeap::new(),
            number: -(1 << 62),
            current: BinaryHeap::new(),
            unread: Vec::new(),
            place: 0,
            seen: HashSet::new(),
        }
    }

    /// The due times of keys are those of these rows, but for keys in `besides`; None: `moment_of` tells all of them.
    /// Other rows than this package's are as none.
    fn look_in(&mut self, rows: &Bound<'_, PyAny>) {
        self.rows = rows.into();
    }

    #[getter]
    fn size(&self) -> usize {
        self.buckets.values().map(Vec::len).sum::<usize>() + self.unread.len() - self.place
    }

    fn put(&mut self, moment: i64, key: &[u8]) {
        self.insert(moment, key);
    }

    fn pop(due: Py<Self>, before: i64) -> Popping {
        Popping { due, before, opening: false, is_over: false }
    }
}

/// The keys due before a moment; None between them is a pause.
#[pyclass(module = "parcelwatch_native")]
pub struct Popping {
    due: Py<DueKeys>,
    before: i64,
    opening: bool,
    is_over: bool,
}

#[pymethods]
impl Popping {
    fn __iter__(popping: PyRef<'_, Self>) -> PyRef<'_, Self> {
        popping
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Option<Bound<'py, PyBytes>>>> {
        if self.is_over {
            return Ok(None);
        }
        Ok(match self.due.borrow_mut(py).next(py, self.before, &mut self.opening)? {
            Found::Due(key) => Some(Some(PyBytes::new(py, &key))),
            Found::Pause => Some(None),
            Found::End => {
                self.is_over = true;
                None
            }
        })
    }
}
