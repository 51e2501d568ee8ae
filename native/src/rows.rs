//! The table of a book's rows, for Python.

use crate::table::Table;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Rows in memory; see `streams.engine.table.Table`.
#[pyclass(module = "parcelwatch_native")]
#[derive(Default)]
pub struct Rows {
    pub table: Table,
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
