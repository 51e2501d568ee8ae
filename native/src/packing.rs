//! Rows as the records of a batch, as `crate::batch` reads them.

use crate::batch::put_long as long;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

/// Most bytes of a record besides its key and value.
const BESIDES: usize = 32;

/// A record without headers, of the batch's own time.
fn record(number: usize, key: &[u8], value: Option<&[u8]>, body: &mut Vec<u8>, out: &mut Vec<u8>) {
    body.clear();
    // No attributes, no difference of time.
    body.extend_from_slice(&[0, 0]);
    long(number as i64, body);
    long(key.len() as i64, body);
    body.extend_from_slice(key);
    match value {
        Some(value) => {
            long(value.len() as i64, body);
            body.extend_from_slice(value);
        }
        None => long(-1, body),
    }
    body.push(0);
    long(body.len() as i64, out);
    out.extend_from_slice(body);
}

/// Packs rows, pairs of a key and a value or None, from `start` on into about `most` bytes.
///
/// Returns the bytes, and the place of the first row that is not among them; there is one row in any case.
#[pyfunction]
pub fn pack<'py>(
    py: Python<'py>,
    rows: &Bound<'py, PyList>,
    start: usize,
    most: usize,
) -> PyResult<(Bound<'py, PyBytes>, usize)> {
    let (mut out, mut body) = (Vec::with_capacity(most.min(1 << 20)), Vec::new());
    let mut next = start;
    while next < rows.len() {
        let row = rows.get_item(next)?;
        let row = row.cast::<PyTuple>()?;
        let (key, value) = (row.get_item(0)?, row.get_item(1)?);
        let key = key.cast::<PyBytes>()?.as_bytes();
        let value = match value.cast::<PyBytes>() {
            Ok(value) => Some(value.as_bytes()),
            Err(_) if value.is_none() => None,
            Err(_) => return Err(PyTypeError::new_err("a value is bytes or None")),
        };
        let size = key.len() + value.map_or(0, <[u8]>::len) + BESIDES;
        if next > start && out.len() + size > most {
            break;
        }
        record(next - start, key, value, &mut body, &mut out);
        next += 1;
    }
    Ok((PyBytes::new(py, &out), next))
}
