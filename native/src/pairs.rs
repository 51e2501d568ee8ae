//! Keys and values of fetched records, as they lie in their batches: the rows of a changelog.

use crate::batch::Entry;
use crate::segments::Batch;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use std::collections::HashMap;
use std::sync::Arc;

type Pair<'py> = (Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);

/// A sequence of pairs of key and row, or None where it is gone. It is not to be cut.
#[pyclass(module = "parcelwatch_native", sequence, frozen)]
pub struct Pairs {
    chunks: Arc<Vec<Py<PyBytes>>>,
    entries: Vec<Entry>,
}

type Parts<'a> = (&'a [u8], Option<&'a [u8]>);

fn parts<'a>(entry: &Entry, chunk: &'a [u8]) -> Parts<'a> {
    (entry.key.of(chunk).unwrap_or_default(), entry.value.of(chunk))
}

fn pair<'py>(py: Python<'py>, (key, row): Parts<'_>) -> Pair<'py> {
    (PyBytes::new(py, key), row.map(|row| PyBytes::new(py, row)))
}

impl Pairs {
    /// Of those records that have a key.
    pub fn new(chunks: Arc<Vec<Py<PyBytes>>>, entries: &[Entry]) -> Self {
        Pairs { chunks, entries: entries.iter().filter(|entry| entry.key.is_some()).copied().collect() }
    }

    /// The last pair of each key, to be written.
    pub fn batch(&self, py: Python<'_>) -> Batch {
        let chunks: Vec<&[u8]> = self.chunks.iter().map(|chunk| chunk.as_bytes(py)).collect();
        py.detach(|| {
            let all = || self.entries.iter().map(|entry| parts(entry, chunks[entry.chunk as usize])).enumerate();
            let mut last = HashMap::with_capacity(self.entries.len());
            for (place, (key, _)) in all() {
                last.insert(key, place);
            }
            let mut batch = Batch::default();
            for (place, (key, row)) in all() {
                if last[key] == place {
                    batch.put(key, row);
                }
            }
            batch
        })
    }
}

#[pymethods]
impl Pairs {
    fn __len__(&self) -> usize {
        self.entries.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, place: isize) -> PyResult<Pair<'py>> {
        let place = if place < 0 { place + self.entries.len() as isize } else { place };
        let entry = usize::try_from(place).ok().and_then(|place| self.entries.get(place));
        let entry = entry.ok_or_else(|| PyIndexError::new_err("there is no such row"))?;
        Ok(pair(py, parts(entry, self.chunks[entry.chunk as usize].as_bytes(py))))
    }

    /// Those whose keys do not begin so.
    fn besides<'py>(&self, py: Python<'py>, prefix: &[u8]) -> PyResult<Bound<'py, PyList>> {
        let found = PyList::empty(py);
        for entry in &self.entries {
            let (key, row) = parts(entry, self.chunks[entry.chunk as usize].as_bytes(py));
            if !key.starts_with(prefix) {
                found.append(pair(py, (key, row)))?;
            }
        }
        Ok(found)
    }
}
