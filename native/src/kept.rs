//! Where rows are: in memory here, on disk, or in a table of Python's.

use crate::row_file::FileTable;
use crate::rows::Rows;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

pub enum Kept {
    Here(Py<Rows>),
    Disk(Py<FileTable>),
    There(Py<PyAny>),
}

impl From<&Bound<'_, PyAny>> for Kept {
    fn from(rows: &Bound<'_, PyAny>) -> Self {
        match (rows.cast::<Rows>(), rows.cast::<FileTable>()) {
            (Ok(rows), _) => Kept::Here(rows.clone().unbind()),
            (_, Ok(rows)) => Kept::Disk(rows.clone().unbind()),
            _ => Kept::There(rows.clone().unbind()),
        }
    }
}

impl Kept {
    /// What `look` makes of a key's row. It must call nothing of Python's, as the table is at hand meanwhile.
    pub fn row<T>(&self, py: Python<'_>, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> PyResult<T> {
        match self {
            Kept::Here(rows) => Ok(look(rows.borrow(py).table.get(key))),
            Kept::Disk(rows) => Ok(look(rows.borrow_mut(py).row(py, key)?)),
            Kept::There(rows) => {
                let found = rows.bind(py).call_method1(intern!(py, "get"), (PyBytes::new(py, key),))?;
                if found.is_none() {
                    return Ok(look(None));
                }
                Ok(look(Some(found.cast::<PyBytes>()?.as_bytes())))
            }
        }
    }

    /// Sets a row. `changed`: where rows go that somebody collects; those kept here tell them by themselves.
    pub fn set(&self, py: Python<'_>, key: &[u8], row: &[u8], changed: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        match self {
            Kept::Here(rows) if changed.is_some() => rows.borrow_mut(py).change(key, row),
            Kept::Here(rows) => rows.borrow_mut(py).table.set(key, row),
            Kept::Disk(rows) if changed.is_some() => rows.borrow_mut(py).change(key, row),
            Kept::Disk(rows) => rows.borrow_mut(py).set(key, row),
            Kept::There(rows) => {
                let (key, row) = (PyBytes::new(py, key), PyBytes::new(py, row));
                rows.bind(py).set_item(&key, &row)?;
                if let Some(changed) = changed {
                    changed.set_item(key, row)?;
                }
            }
        }
        Ok(())
    }
}
