//! Fetched records that lie in their batches: Python gets those that it asks for.

use crate::batch::{self, Entry, Head, HEAD};
use crate::pairs::Pairs;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PySlice, PyTuple, PyType};
use std::sync::Arc;

/// A sequence of records.
#[pyclass(module = "parcelwatch_native", sequence)]
pub struct Records {
    made: Py<PyType>,
    chunks: Arc<Vec<Py<PyBytes>>>,
    entries: Arc<Vec<Entry>>,
    start: usize,
    end: usize,
}

impl Records {
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// The record at a place, and the bytes that its parts are of.
    pub fn at<'a>(&'a self, py: Python<'a>, place: usize) -> (&'a Entry, &'a [u8]) {
        let entry = &self.entries[self.start + place];
        (entry, self.chunks[entry.chunk as usize].as_bytes(py))
    }

    fn record<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyAny>> {
        let (entry, chunk) = self.at(py, place);
        let headers = PyList::empty(py);
        let mut failed = Ok(());
        let part = entry.headers.of(chunk).unwrap_or_default();
        if part.len() > 1 {
            batch::headers(part, |name, value| {
                let added = headers.append((name, value.map(|value| PyBytes::new(py, value))));
                if failed.is_ok() {
                    failed = added;
                }
            });
            failed?;
        }
        let bytes = |part: &batch::Part| part.of(chunk).map(|bytes| PyBytes::new(py, bytes));
        self.made.bind(py).call1((
            entry.offset,
            entry.timestamp,
            bytes(&entry.key),
            bytes(&entry.value),
            PyTuple::new(py, headers)?,
        ))
    }

    fn part(&self, py: Python<'_>, start: usize, end: usize) -> Records {
        Records {
            made: self.made.clone_ref(py),
            chunks: self.chunks.clone(),
            entries: self.entries.clone(),
            start: self.start + start,
            end: self.start + end.max(start),
        }
    }
}

#[pymethods]
impl Records {
    /// None yet. `made`: called with (offset, timestamp, key, value, headers), it makes a record.
    #[new]
    fn new(made: Py<PyType>) -> Self {
        Records { made, chunks: Arc::default(), entries: Arc::default(), start: 0, end: 0 }
    }

    /// Adds the records of the batch `fetched[begin:end]` from offset `from_` on; `unpacked`: its records, where the
    /// batch has them packed. To be called before anything else.
    ///
    /// False: it is not certain what the batch says, and nothing is added.
    #[pyo3(signature = (fetched, begin, end, from_, unpacked=None))]
    fn add(
        &mut self,
        py: Python<'_>,
        fetched: Py<PyBytes>,
        begin: usize,
        end: usize,
        from_: i64,
        unpacked: Option<Py<PyBytes>>,
    ) -> bool {
        let (Some(chunks), Some(entries)) = (Arc::get_mut(&mut self.chunks), Arc::get_mut(&mut self.entries)) else {
            return false;
        };
        let whole = fetched.as_bytes(py);
        let Some(head) = whole.get(begin..end.min(whole.len())).and_then(Head::read) else {
            return false;
        };
        let (chunk, span) = match &unpacked {
            Some(unpacked) => (unpacked, (0, unpacked.as_bytes(py).len())),
            None => (&fetched, (begin + HEAD, end)),
        };
        // Batches of one fetch lie in one chunk.
        let known = chunks.last().is_some_and(|last| last.is(chunk));
        let number = if known { chunks.len() - 1 } else { chunks.len() };
        if batch::read(&head, chunk.as_bytes(py), span, from_, number as u32, entries).is_none() {
            return false;
        }
        if !known {
            chunks.push(chunk.clone_ref(py));
        }
        self.end = entries.len();
        true
    }

    /// Their keys and values, of those that have a key.
    fn pairs(&self) -> Pairs {
        Pairs::new(self.chunks.clone(), &self.entries[self.start..self.end])
    }

    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, which: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = which.cast::<PySlice>() {
            let found = slice.indices(self.len() as isize)?;
            if found.step != 1 {
                return Err(PyIndexError::new_err("records are cut in their order"));
            }
            return Ok(Bound::new(py, self.part(py, found.start as usize, found.stop as usize))?.into_any());
        }
        let place: isize = which.extract()?;
        let place = if place < 0 { place + self.len() as isize } else { place };
        if place < 0 || place >= self.len() as isize {
            return Err(PyIndexError::new_err("there is no such record"));
        }
        self.record(py, place as usize)
    }

    fn __iter__(records: Py<Self>) -> Each {
        Each { records, next: 0 }
    }
}

#[pyclass(module = "parcelwatch_native")]
pub struct Each {
    records: Py<Records>,
    next: usize,
}

#[pymethods]
impl Each {
    fn __iter__(each: PyRef<'_, Self>) -> PyRef<'_, Self> {
        each
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let records = self.records.borrow(py);
        if self.next >= records.len() {
            return Ok(None);
        }
        self.next += 1;
        records.record(py, self.next - 1).map(Some)
    }
}
