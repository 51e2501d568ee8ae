//! Events of the topics `orders` and `chats` in a replay: decoded here as Python decodes them, and taken by Python.

use crate::book::{Clock, HandBack, Stop};
use crate::scan::MAX_BYTES;
use crate::time;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};
use std::collections::HashMap;

/// A kind of event: how many were taken, and whether Python checks more than its fields.
struct Kind {
    of: Py<PyType>,
    count: u64,
    checked: bool,
}

/// What takes the events that are no scans, and counts them.
#[pyclass(module = "parcelwatch_native")]
pub struct Others {
    /// By the topic's number: the decoder of its values, and its lateness in microseconds.
    topics: Vec<(Py<PyAny>, i64)>,
    /// By the address of the type, which `of` keeps alive.
    kinds: HashMap<usize, Kind>,
    check: Py<PyAny>,
    take: Py<PyAny>,
    pub scans: u64,
}

#[pymethods]
impl Others {
    /// `topics`: by their numbers, decoder and lateness; `checked`: the types of events that `check` has to see, which
    /// raises where one is invalid. `take`: called with (topic, event, time, value, place, greatest time); it returns
    /// how many names of carriers are known.
    #[new]
    fn new(topics: Vec<(Py<PyAny>, i64)>, checked: Vec<Py<PyType>>, check: Py<PyAny>, take: Py<PyAny>) -> Self {
        let kinds =
            checked.into_iter().map(|of| (of.as_ptr() as usize, Kind { of, count: 0, checked: true })).collect();
        Others { topics, kinds, check, take, scans: 0 }
    }

    /// How many scans were taken, and how many other events by their type.
    fn taken(&self, py: Python<'_>) -> (u64, Vec<(Py<PyType>, u64)>) {
        (self.scans, self.kinds.values().map(|kind| (kind.of.clone_ref(py), kind.count)).collect())
    }
}

/// What is wrong with a value is told by Python, which reads it again; an interrupt goes on.
fn told_by_python(py: Python<'_>, error: PyErr) -> Stop {
    if error.is_instance_of::<PyException>(py) {
        Stop::HandBack
    } else {
        Stop::Failed(error)
    }
}

impl Others {
    /// Takes one value; returns how many names of carriers are known by then.
    pub fn take<'py>(
        &mut self,
        py: Python<'py>,
        topic: usize,
        value: Bound<'py, PyBytes>,
        place: usize,
        latest: i64,
        clock: &mut Clock,
    ) -> Result<usize, Stop> {
        let bytes = value.as_bytes();
        if bytes.len() > MAX_BYTES || std::str::from_utf8(bytes).is_err() {
            return Err(Stop::HandBack);
        }
        let (decode, lateness) = self.topics.get(topic).ok_or(HandBack)?;
        let event = decode.bind(py).call1((&value,)).map_err(|error| told_by_python(py, error))?;
        let at = event.getattr(intern!(py, "occurred_at"))?;
        let time = time::parse(at.cast::<PyString>().map_err(|_| HandBack)?.to_str()?).ok_or(HandBack)?;
        if time > latest || time > clock.until || time < clock.greatest.saturating_sub(*lateness) {
            return Err(Stop::HandBack);
        }
        let of = event.get_type();
        let kind = self.kinds.entry(of.as_ptr() as usize);
        let kind = kind.or_insert_with(|| Kind { of: of.unbind(), count: 0, checked: false });
        if kind.checked {
            self.check.bind(py).call1((&event,)).map_err(|error| told_by_python(py, error))?;
        }
        kind.count += 1;
        clock.greatest = clock.greatest.max(time);
        let known = self.take.bind(py).call1((topic, event, time, value, place, clock.greatest))?;
        Ok(known.extract()?)
    }
}
