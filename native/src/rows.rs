//! What a book keeps here, for Python: the table of its rows, and its ties.

use crate::table::Table;
use crate::ties;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Rows in memory; see `streams.engine.table.Table`.
#[pyclass(module = "parcelwatch_native")]
#[derive(Default)]
pub struct Rows {
    pub table: Table,
    changed: Changed,
}

impl Rows {
    /// Sets a row that is to be collected.
    pub fn change(&mut self, key: &[u8], row: &[u8]) {
        self.table.set(key, row);
        self.changed.add(key);
    }
}

/// The keys of rows that were changed here and are to be collected, each behind its length.
#[derive(Default)]
pub struct Changed(Vec<u8>);

impl Changed {
    pub fn add(&mut self, key: &[u8]) {
        // A key of a table is no longer than that.
        self.0.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.0.extend_from_slice(key);
    }

    /// Calls for each key, again where one was changed again, and forgets all of them.
    pub fn drain(&mut self, mut each: impl FnMut(&[u8]) -> PyResult<()>) -> PyResult<()> {
        let keys = std::mem::take(&mut self.0);
        let mut rest = &keys[..];
        while let Some((length, more)) = rest.split_first_chunk() {
            let (key, more) = more.split_at(u32::from_le_bytes(*length) as usize);
            each(key)?;
            rest = more;
        }
        Ok(())
    }
}

/// Puts a row there under its key with a prefix.
pub fn put(to: &Bound<'_, PyDict>, prefix: &[u8], key: &[u8], row: &[u8]) -> PyResult<()> {
    let whole = PyBytes::new_with(to.py(), prefix.len() + key.len(), |bytes| {
        let (first, last) = bytes.split_at_mut(prefix.len());
        first.copy_from_slice(prefix);
        last.copy_from_slice(key);
        Ok(())
    })?;
    to.set_item(whole, PyBytes::new(to.py(), row))
}

#[pymethods]
impl Rows {
    #[new]
    fn new() -> Self {
        Rows::default()
    }

    #[pyo3(signature = (key, /))]
    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> Option<Bound<'py, PyBytes>> {
        self.table.get(key).map(|row| PyBytes::new(py, row))
    }

    fn __setitem__(&mut self, key: &[u8], row: &[u8]) {
        self.table.set(key, row);
    }

    #[pyo3(signature = (key, default=None, /))]
    fn pop<'py>(
        &mut self,
        py: Python<'py>,
        key: &[u8],
        default: Option<Bound<'py, PyAny>>,
    ) -> Option<Bound<'py, PyAny>> {
        let Some(row) = self.get(py, key) else {
            return default;
        };
        self.table.remove(key);
        Some(row.into_any())
    }

    /// Puts those rows into `changed` which were changed here since the last time, as they are now, with the prefix
    /// before their keys.
    fn collect(&mut self, prefix: &[u8], changed: &Bound<'_, PyDict>) -> PyResult<()> {
        let table = &self.table;
        self.changed.drain(|key| table.get(key).map_or(Ok(()), |row| put(changed, prefix, key, row)))
    }

    fn items(rows: Py<Self>) -> Items {
        Items { rows, next: 0 }
    }

    fn size(&self) -> usize {
        self.table.len()
    }
}

/// All rows, as long as nothing is set or removed meanwhile.
#[pyclass(module = "parcelwatch_native")]
pub struct Items {
    rows: Py<Rows>,
    next: usize,
}

#[pymethods]
impl Items {
    fn __iter__(items: PyRef<'_, Self>) -> PyRef<'_, Self> {
        items
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let rows = self.rows.borrow(py);
        let (next, key, row) = rows.table.next(self.next)?;
        self.next = next;
        Some((PyBytes::new(py, key), PyBytes::new(py, row)))
    }
}

/// See `streams.stages.shipments.scan_ties.TieBook`.
#[pyclass(module = "parcelwatch_native")]
#[derive(Default)]
pub struct Ties {
    pub ties: ties::Ties,
}

/// The rows of notes by their numbers, and the numbers of those that have gone.
type Collected<'py> = (Vec<(u64, Bound<'py, PyBytes>)>, Vec<u64>);

#[pymethods]
impl Ties {
    #[new]
    fn new() -> Self {
        Ties::default()
    }

    fn note(&mut self, key: &[u8], packed: i64, event_id: &str, value: &[u8]) {
        self.ties.note(key, packed, event_id.as_bytes(), value);
    }

    fn holds_against(&mut self, key: &[u8], packed: i64, event_id: &str, value: &[u8]) -> bool {
        self.ties.holds_against(key, packed, event_id.as_bytes(), value)
    }

    fn settle(&mut self, settled: i64) {
        self.ties.settle(settled);
    }

    fn collect<'py>(&mut self, py: Python<'py>, settled: i64) -> Collected<'py> {
        let (rows, gone) = self.ties.collect(settled);
        (rows.into_iter().map(|(number, row)| (number, PyBytes::new(py, &row))).collect(), gone)
    }

    /// Restores a row, with its notes: (key, scan, event id, digest).
    fn restore(&mut self, number: u64, notes: Vec<(Vec<u8>, i64, String, Vec<u8>)>) {
        self.ties.restored(number);
        for (key, packed, event_id, short) in notes {
            self.ties.restored_note(&key, packed, event_id.as_bytes(), &short);
        }
    }
}
