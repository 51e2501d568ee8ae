//! The lines of a folder's files in one order: by the time of each file's next line, a tie by topic.

use crate::json::Reader;
use crate::time;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use std::collections::VecDeque;

/// A line of one file: its time in microseconds, its number, its value.
type Head = (i64, u64, Py<PyBytes>);
/// Values, the numbers of their topics, the numbers of their lines.
type Merged<'py> = (Bound<'py, PyList>, Bound<'py, PyBytes>, Vec<u64>);

/// What has been read of one file.
#[derive(Default)]
struct File {
    lines: VecDeque<Head>,
    ended: bool,
}

/// Merges files that are fed some lines at a time.
#[pyclass(module = "parcelwatch_native")]
pub struct Heads {
    files: Vec<File>,
    look: Py<PyAny>,
}

#[pymethods]
impl Heads {
    /// `count`: of files, which have the topics' numbers; `look`: from a line that is not an object in the usual form to
    /// its time and its value, which is empty where the line is blank.
    #[new]
    fn new(count: usize, look: Py<PyAny>) -> Self {
        Heads { files: (0..count).map(|_| File::default()).collect(), look }
    }

    /// More lines of a file, with their ends; `first`: the number of the first of them.
    fn feed(&mut self, py: Python<'_>, file: usize, first: u64, lines: &Bound<'_, PyList>) -> PyResult<()> {
        for (number, line) in (first..).zip(lines.iter()) {
            let line = line.cast::<PyBytes>()?;
            let (time, value) = match plain(line.as_bytes()) {
                Some((time, value)) => (time, PyBytes::new(py, value).unbind()),
                None => self.look.call1(py, (line,))?.extract(py)?,
            };
            if !value.as_bytes(py).is_empty() {
                self.files[file].lines.push_back((time, number, value));
            }
        }
        Ok(())
    }

    /// Nothing more comes of a file.
    fn end(&mut self, file: usize) {
        self.files[file].ended = true;
    }

    /// The files of which more has to come before anything else can be told.
    fn wanting(&self) -> Vec<usize> {
        let wanting = |&at: &usize| self.files[at].lines.is_empty() && !self.files[at].ended;
        (0..self.files.len()).filter(wanting).collect()
    }

    /// Adds the next lines to a list that is to hold `most` of them; fewer where more has to come.
    fn take<'py>(&mut self, py: Python<'py>, most: usize) -> PyResult<Merged<'py>> {
        let (values, mut topics, mut numbers) = (PyList::empty(py), Vec::new(), Vec::new());
        while numbers.len() < most && self.wanting().is_empty() {
            let head = |at: usize| self.files[at].lines.front().map(|(time, ..)| (*time, at));
            let Some((_, at)) = (0..self.files.len()).filter_map(head).min() else { break };
            if let Some((_, number, value)) = self.files[at].lines.pop_front() {
                values.append(value)?;
                topics.push(at as u8);
                numbers.push(number);
            }
        }
        Ok((values, PyBytes::new(py, &topics), numbers))
    }
}

/// The time and the value of a line that is an object with one valid time; None: Python has to tell.
fn plain(line: &[u8]) -> Option<(i64, &[u8])> {
    let value = line.strip_suffix(b"\n")?;
    if !value.ends_with(b"}") {
        return None;
    }
    let mut reader = Reader::new(std::str::from_utf8(value).ok()?);
    Some((time_of(&mut reader)?, value))
}

fn time_of(reader: &mut Reader<'_>) -> Option<i64> {
    let mut at = None;
    reader.object(|name, reader| {
        if name != "occurred_at" {
            return reader.skip();
        }
        at.replace(time::parse(&reader.string()?)?).is_none().then_some(())
    })?;
    at
}
