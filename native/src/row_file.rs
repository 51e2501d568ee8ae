//! Rows on disk, for Python: all rows of a changelog, and the table over those of one prefix.

use crate::pairs::Pairs;
use crate::rows::{put, Changed};
use crate::segments::{Batch, Done, Failure, Reader, Segments, Sizes};
use crate::segments_start;
use crate::table::Table;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

/// Rows taken from Python before other threads get a turn.
const AT_ONCE: usize = 4096;

/// As Python knows it: an error of the machine is an `OSError`, what is broken a `ValueError`.
fn told(failure: Failure) -> PyErr {
    match failure {
        Failure::Machine(error) => error.into(),
        Failure::Broken(what) => PyValueError::new_err(what),
        Failure::Closed => PyOSError::new_err("it is closed"),
    }
}

/// Rows in a folder, which must be locked; see `streams.engine.store.interface.Copy`.
///
/// `unusable` makes what is raised of an `OSError`, or of a `ValueError` where what is in the files is broken. Opening
/// raises those themselves.
#[pyclass(module = "parcelwatch_native", frozen)]
pub struct RowFile {
    segments: Arc<Segments>,
    unusable: Arc<Py<PyAny>>,
}

impl RowFile {
    fn done<T>(&self, py: Python<'_>, done: Done<T>) -> PyResult<T> {
        raised(py, &self.unusable, done)
    }
}

fn raised<T>(py: Python<'_>, unusable: &Py<PyAny>, done: Done<T>) -> PyResult<T> {
    done.map_err(|failure| match unusable.call1(py, (told(failure),)) {
        Ok(error) => PyErr::from_value(error.into_bound(py)),
        Err(error) => error,
    })
}

#[pymethods]
impl RowFile {
    /// `left`: what `close` has returned, of that folder; `segment`, `slack`: bytes; what a segment has at least, and dead
    /// rows that do not matter.
    #[new]
    #[pyo3(signature = (folder, unusable, left=None, segment=None, slack=None))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        unusable: Py<PyAny>,
        left: Option<&LeftFile>,
        segment: Option<usize>,
        slack: Option<usize>,
    ) -> PyResult<Self> {
        let usual = Sizes::default();
        let sizes = Sizes { segment: segment.unwrap_or(usual.segment), slack: slack.unwrap_or(usual.slack) };
        let left = left.and_then(|left| left.0.upgrade());
        let segments = py.detach(|| match left {
            Some(left) if left.again()? => Ok(left),
            _ => Segments::open(&folder, sizes).map(Arc::new),
        });
        Ok(RowFile { segments: segments.map_err(told)?, unusable: Arc::new(unusable) })
    }

    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut row = Vec::new();
        let found = self.done(py, self.segments.get(key, &mut row))?;
        Ok(found.then(|| PyBytes::new(py, &row)))
    }

    /// What the last mark told.
    fn mark<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mark = py.detach(|| self.segments.mark());
        Ok(self.done(py, mark)?.map(|mark| PyBytes::new(py, &mark)))
    }

    /// Adds pairs of key and row, or None; a mark must follow. In a list no key comes twice.
    fn add(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        let batch = match rows.cast::<Pairs>() {
            Ok(pairs) => pairs.get().batch(py),
            Err(_) => batch(py, rows.cast::<PyList>()?)?,
        };
        let done = py.detach(|| self.segments.add(batch));
        self.done(py, done)
    }

    /// Adds such pairs, and marks everything so far.
    fn write(&self, py: Python<'_>, rows: &Bound<'_, PyList>, mark: &[u8]) -> PyResult<()> {
        let (batch, mark) = (batch(py, rows)?, mark.to_vec());
        let done = py.detach(|| self.segments.write(batch, &mark));
        self.done(py, done)
    }

    /// All rows whose keys begin with `prefix`, or all others, in no order.
    fn rows(&self, py: Python<'_>, prefix: &[u8], begins: bool) -> PyResult<FileRows> {
        let reader = py.detach(|| self.segments.rows());
        let reader = self.done(py, reader)?;
        Ok(FileRows {
            segments: self.segments.clone(),
            unusable: self.unusable.clone(),
            reader,
            prefix: prefix.to_vec(),
            begins,
            found: VecDeque::new(),
        })
    }

    fn table(&self, prefix: &[u8]) -> PyResult<FileTable> {
        let Some((_, lead)) = prefix.split_last() else {
            return Err(PyValueError::new_err("a table needs a prefix"));
        };
        Ok(FileTable {
            segments: self.segments.clone(),
            unusable: self.unusable.clone(),
            prefix: prefix.to_vec(),
            key: lead.to_vec(),
            row: Vec::new(),
            set: Changes::default(),
            flying: Changes::default(),
            changed: Changed::default(),
        })
    }

    fn size(&self) -> usize {
        self.segments.len()
    }

    /// Bytes on disk, and those of them that are alive.
    fn bytes(&self) -> (u64, u64) {
        self.segments.bytes()
    }

    /// Deletes everything.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let done = py.detach(|| self.segments.clear());
        self.done(py, done)
    }

    /// From now on everything fails. Waits for what is being written. Returns what a table that is kept has in memory.
    fn close(&self, py: Python<'_>) -> LeftFile {
        py.detach(|| self.segments.close());
        LeftFile(Arc::downgrade(&self.segments))
    }

    /// What the last mark in a folder told, as far as can be seen without reading any rows.
    #[staticmethod]
    fn last_mark<'py>(py: Python<'py>, folder: PathBuf) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mark = py.detach(|| segments_start::last_mark(&folder)).map_err(told)?;
        Ok(mark.map(|mark| PyBytes::new(py, &mark)))
    }

    /// Deletes everything in a folder, whatever it is.
    #[staticmethod]
    fn destroy(py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        Ok(py.detach(|| segments_start::destroy(&folder))?)
    }
}

/// What is in memory of a file that was closed, as long as a table keeps it.
#[pyclass(module = "parcelwatch_native", frozen)]
pub struct LeftFile(Weak<Segments>);

fn batch(py: Python<'_>, rows: &Bound<'_, PyList>) -> PyResult<Batch> {
    let mut batch = Batch::default();
    for at in 0..rows.len() {
        if at % AT_ONCE == AT_ONCE - 1 {
            py.detach(std::thread::yield_now);
        }
        let pair = rows.get_item(at)?;
        let pair = pair.cast::<PyTuple>()?;
        let (key, row) = (pair.get_item(0)?, pair.get_item(1)?);
        let row = if row.is_none() { None } else { Some(row.cast::<PyBytes>()?) };
        batch.put(key.cast::<PyBytes>()?.as_bytes(), row.map(|row| row.as_bytes()));
    }
    Ok(batch)
}

/// Pairs of key and row. What is added after the beginning is left out, and nothing is cleaned meanwhile.
#[pyclass(module = "parcelwatch_native")]
pub struct FileRows {
    segments: Arc<Segments>,
    unusable: Arc<Py<PyAny>>,
    reader: Reader,
    prefix: Vec<u8>,
    begins: bool,
    found: VecDeque<(Vec<u8>, Vec<u8>)>,
}

type Pair<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pymethods]
impl FileRows {
    fn __iter__(rows: PyRef<'_, Self>) -> PyRef<'_, Self> {
        rows
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Pair<'py>>> {
        let Some((key, row)) = self.next(py)? else {
            return Ok(None);
        };
        Ok(Some((PyBytes::new(py, &key), PyBytes::new(py, &row))))
    }
}

impl FileRows {
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<(Vec<u8>, Vec<u8>)>> {
        while self.found.is_empty() {
            let (prefix, begins) = (&self.prefix, self.begins);
            let (reader, found) = (&mut self.reader, &mut self.found);
            let wanted = |key: &[u8]| key.starts_with(prefix) == begins;
            let give = |key: &[u8], row: &[u8]| found.push_back((key.to_vec(), row.to_vec()));
            let more = py.detach(|| self.segments.next(reader, wanted, give));
            if !raised(py, &self.unusable, more)? {
                return Ok(None);
            }
        }
        Ok(self.found.pop_front())
    }
}

/// Rows that were set, and keys whose rows were removed.
#[derive(Default)]
struct Changes {
    rows: Table,
    gone: HashSet<Box<[u8]>>,
}

impl Changes {
    /// None if the key was left as it was.
    fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        match self.rows.get(key) {
            None if !self.gone.is_empty() && self.gone.contains(key) => Some(None),
            None => None,
            row => Some(row),
        }
    }

    fn set(&mut self, key: &[u8], row: &[u8]) {
        if !self.gone.is_empty() {
            self.gone.remove(key);
        }
        self.rows.set(key, row);
    }

    fn remove(&mut self, key: &[u8]) {
        self.rows.remove(key);
        self.gone.insert(key.into());
    }
}

/// A table over the rows of one prefix; see `streams.engine.store.interface.CommittedTable`.
///
/// What is set is in memory until it is committed: looked for among uncommitted rows, rows being committed, and on disk.
#[pyclass(module = "parcelwatch_native")]
pub struct FileTable {
    segments: Arc<Segments>,
    unusable: Arc<Py<PyAny>>,
    prefix: Vec<u8>,
    /// The prefix of its keys on disk, and behind it the last key asked for.
    key: Vec<u8>,
    row: Vec<u8>,
    set: Changes,
    flying: Changes,
    changed: Changed,
}

impl FileTable {
    /// The row of a key, if there is one.
    pub fn row(&mut self, py: Python<'_>, key: &[u8]) -> PyResult<Option<&[u8]>> {
        if let Some(row) = self.set.get(key).or_else(|| self.flying.get(key)) {
            return Ok(row);
        }
        self.key.truncate(self.prefix.len() - 1);
        self.key.extend_from_slice(key);
        let found = self.segments.get(&self.key, &mut self.row);
        Ok(raised(py, &self.unusable, found)?.then_some(&self.row[..]))
    }

    pub fn set(&mut self, key: &[u8], row: &[u8]) {
        self.set.set(key, row);
    }

    /// Sets a row that is to be collected.
    pub fn change(&mut self, key: &[u8], row: &[u8]) {
        self.set.set(key, row);
        self.changed.add(key);
    }
}

#[pymethods]
impl FileTable {
    #[getter]
    fn prefix<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.prefix)
    }

    #[pyo3(signature = (key, /))]
    fn get<'py>(&mut self, py: Python<'py>, key: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.row(py, key)?.map(|row| PyBytes::new(py, row)))
    }

    fn __setitem__(&mut self, key: &[u8], row: &[u8]) {
        self.set(key, row);
    }

    #[pyo3(signature = (key, default=None, /))]
    fn pop<'py>(
        &mut self,
        py: Python<'py>,
        key: &[u8],
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(row) = self.get(py, key)? else {
            return Ok(default);
        };
        self.set.remove(key);
        Ok(Some(row.into_any()))
    }

    fn items(slf: Bound<'_, Self>) -> PyResult<TableItems> {
        let (py, table) = (slf.py(), slf.borrow());
        let (segments, unusable) = (table.segments.clone(), table.unusable.clone());
        let reader = py.detach(|| segments.rows());
        let disk = FileRows {
            reader: raised(py, &unusable, reader)?,
            segments,
            unusable,
            prefix: table.prefix.clone(),
            begins: true,
            found: VecDeque::new(),
        };
        drop(table);
        Ok(TableItems { table: slf.unbind(), disk: Some(disk), flying: 0, set: 0 })
    }

    /// The number of all rows on disk.
    fn size(&self) -> usize {
        self.segments.len()
    }

    /// As that of `crate::rows::Rows`. To be called before `collected`.
    fn collect(&mut self, prefix: &[u8], changed: &Bound<'_, PyDict>) -> PyResult<()> {
        let set = &self.set;
        self.changed.drain(|key| set.rows.get(key).map_or(Ok(()), |row| put(changed, prefix, key, row)))
    }

    fn collected(&mut self) {
        // Rows still in flight belong to a commit that failed; nobody uses the table after that.
        self.flying = std::mem::take(&mut self.set);
    }

    fn committed(&mut self) {
        self.flying = Changes::default();
    }

    /// `copy`: the store's, of which the table is asked for the same rows.
    #[pyo3(name = "move")]
    fn move_(slf: &Bound<'_, Self>, copy: &Bound<'_, PyAny>) -> PyResult<bool> {
        let prefix = slf.borrow().prefix(slf.py());
        let other = copy.call_method1("table", (prefix,))?;
        let Ok(other) = other.cast::<FileTable>() else {
            return Ok(false);
        };
        let (segments, unusable) = {
            let other = other.borrow();
            (other.segments.clone(), other.unusable.clone())
        };
        let mut table = slf.borrow_mut();
        (table.segments, table.unusable) = (segments, unusable);
        Ok(true)
    }
}

/// All rows of a table, as long as nothing is set meanwhile.
#[pyclass(module = "parcelwatch_native")]
pub struct TableItems {
    table: Py<FileTable>,
    disk: Option<FileRows>,
    flying: usize,
    set: usize,
}

#[pymethods]
impl TableItems {
    fn __iter__(items: PyRef<'_, Self>) -> PyRef<'_, Self> {
        items
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Pair<'py>>> {
        let table = self.table.borrow(py);
        let lead = table.prefix.len() - 1;
        if let Some(disk) = &mut self.disk {
            while let Some((key, row)) = disk.next(py)? {
                let key = &key[lead..];
                if table.set.get(key).is_none() && table.flying.get(key).is_none() {
                    return Ok(Some((PyBytes::new(py, key), PyBytes::new(py, &row))));
                }
            }
            self.disk = None;
        }
        while let Some((next, key, row)) = table.flying.rows.next(self.flying) {
            self.flying = next;
            if table.set.get(key).is_none() {
                return Ok(Some((PyBytes::new(py, key), PyBytes::new(py, row))));
            }
        }
        Ok(table.set.rows.next(self.set).map(|(next, key, row)| {
            self.set = next;
            (PyBytes::new(py, key), PyBytes::new(py, row))
        }))
    }
}
