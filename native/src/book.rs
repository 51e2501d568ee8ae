//! The common scan, from a record's bytes to the parcel's row.

use crate::lines;
use crate::names::{Counted, Names};
use crate::others::Others;
use crate::row::{self, Packed, Rules};
use crate::rows::Rows;
use crate::scan::{self, Scan};
use crate::time::HOUR;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

/// How far an event may lie ahead of its record's own timestamp, in microseconds.
pub const MAX_AHEAD: i64 = 24 * HOUR;

/// Why what is at hand is not taken here.
pub struct HandBack;

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Stop::Failed(error)
    }
}

impl From<HandBack> for Stop {
    fn from(_: HandBack) -> Self {
        Stop::HandBack
    }
}

pub enum Stop {
    HandBack,
    Failed(PyErr),
}

/// The place of the first that is handed back, the greatest time, the greatest scan, and what was taken by hour.
type Told = (usize, i64, i64, Vec<Counted>);

/// What is known of the partition when a call begins, and what the scans taken make of it. Microseconds.
pub struct Clock {
    pub until: i64,
    lateness: i64,
    ceiling: i64,
    pub greatest: i64,
    settled: i64,
}

/// Where the rows are: in memory here, or in a table of Python's.
enum Kept<'a, 'py> {
    Here(&'a Bound<'py, Rows>),
    There(&'a Bound<'py, PyAny>),
}

impl<'a, 'py> From<&'a Bound<'py, PyAny>> for Kept<'a, 'py> {
    fn from(rows: &'a Bound<'py, PyAny>) -> Self {
        rows.cast::<Rows>().map_or(Kept::There(rows), Kept::Here)
    }
}

/// What is made of a row by one more scan.
enum Taken {
    New,
    /// When it is due, if that is sooner than before; and the row before, where that may tell more.
    Known(Option<i64>, Option<Vec<u8>>),
    HandedBack,
}

/// What a call changes in Python.
pub struct State<'a, 'py> {
    rows: Kept<'a, 'py>,
    changed: &'a Bound<'py, PyDict>,
    notes: &'a Bound<'py, PyList>,
    due: &'a Bound<'py, PyAny>,
    belongs: Option<&'a Bound<'py, PyAny>>,
}

/// Takes scans in order up to the first that is out of the ordinary.
#[pyclass(module = "parcelwatch_native")]
pub struct Scans {
    rules: Rules,
    names: Names,
    tells: Py<PyAny>,
    /// How many names of carriers Python knew when it was last heard.
    known: usize,
    row: Vec<u8>,
    key: Vec<u8>,
    counted: Vec<Counted>,
    /// The greatest scan taken in a call, packed.
    greatest: i64,
}

#[pymethods]
impl Scans {
    /// `carrier_of`: from a carrier to its prefix and whether it is alone, or None where Python has to look;
    /// `number_of`: from a facility to its number, or None; `place_of`: from a facility and a region to the number of
    /// the place of a delivery, or None, and whether the region is a province; `tells`: whether a delivery in a province
    /// may tell something of the parcel with that row.
    #[new]
    fn new(
        shortest: i64,
        keep: i64,
        full: usize,
        carrier_of: Py<PyAny>,
        number_of: Py<PyAny>,
        place_of: Py<PyAny>,
        tells: Py<PyAny>,
    ) -> Self {
        Scans {
            rules: Rules { shortest, keep, full },
            names: Names::new(carrier_of, number_of, place_of),
            tells,
            known: 0,
            row: Vec::new(),
            key: Vec::new(),
            counted: Vec::new(),
            greatest: i64::MIN,
        }
    }

    /// Forgets what is known of carriers, as another one has become known.
    fn forget_carriers(&mut self) {
        self.names.forget_carriers();
    }

    /// Takes records, tuples (offset, timestamp, key, value, headers) or the Kafka client's own, from `start` on.
    ///
    /// Returns the place of the first that is handed back, the partition's greatest time, the greatest scan, and
    /// (carrier, hour, scans, time of the first) of what was taken. Whatever is raised leaves the state unusable.
    #[pyo3(signature = (records, start, clock, rows, changed, notes, due, belongs))]
    #[allow(clippy::too_many_arguments)]
    fn take<'py>(
        &mut self,
        py: Python<'py>,
        records: &Bound<'py, PyList>,
        start: usize,
        clock: (i64, i64, i64, i64, i64),
        rows: &Bound<'py, PyAny>,
        changed: &Bound<'py, PyDict>,
        notes: &Bound<'py, PyList>,
        due: &Bound<'py, PyAny>,
        belongs: &Bound<'py, PyAny>,
    ) -> PyResult<Told> {
        let state = State { rows: rows.into(), changed, notes, due, belongs: Some(belongs) };
        self.all(py, records, start, clock, |scans, _, record, clock| scans.record(py, record, clock, &state))
    }

    /// As `take`, of a replay's lines of any topic: what is no scan goes to `others`.
    ///
    /// `topics`: of each line the topic by its number; its value is the whole line. Else each line tells it.
    #[pyo3(signature = (lines, topics, start, clock, now, rows, changed, notes, due, others))]
    #[allow(clippy::too_many_arguments)]
    fn take_lines<'py>(
        &mut self,
        py: Python<'py>,
        lines: &Bound<'py, PyList>,
        topics: Option<&[u8]>,
        start: usize,
        clock: (i64, i64, i64, i64, i64),
        now: Option<i64>,
        rows: &Bound<'py, PyAny>,
        changed: &Bound<'py, PyDict>,
        notes: &Bound<'py, PyList>,
        due: &Bound<'py, PyAny>,
        others: &Bound<'py, Others>,
    ) -> PyResult<Told> {
        let state = State { rows: rows.into(), changed, notes, due, belongs: None };
        let latest = now.map_or(i64::MAX, |now| now.saturating_add(MAX_AHEAD));
        let mut others = others.borrow_mut();
        self.all(py, lines, start, clock, |scans, place, line, clock| {
            let line = line.cast::<PyBytes>().map_err(|_| HandBack)?;
            let (topic, value) = match topics {
                Some(topics) => (*topics.get(place).ok_or(HandBack)?, Value::Line(line)),
                None => {
                    lines::parts(line.as_bytes()).map(|(topic, value)| (topic, Value::Part(value))).ok_or(HandBack)?
                }
            };
            if topic != lines::SCANS {
                let known = others.take(py, usize::from(topic), value.of(py), place, latest, clock)?;
                scans.heard(py, known);
                return Ok(());
            }
            let scan = scan::decode(value.bytes()).ok_or(HandBack)?;
            if scan.time > latest {
                return Err(Stop::HandBack);
            }
            scans.scan(py, &scan, &value.of(py), None, clock, &state)?;
            others.scans += 1;
            Ok(())
        })
    }
}

/// Timestamp, key and value of a record: a tuple of this package, or an object of the Kafka client's with such attributes.
fn parts<'py>(py: Python<'py>, record: &Bound<'py, PyAny>) -> PyResult<[Bound<'py, PyAny>; 3]> {
    if let Ok(record) = record.cast::<PyTuple>() {
        return Ok([record.get_item(1)?, record.get_item(2)?, record.get_item(3)?]);
    }
    Ok([
        record.getattr(intern!(py, "timestamp"))?,
        record.getattr(intern!(py, "key"))?,
        record.getattr(intern!(py, "value"))?,
    ])
}

/// A line's value: all of it, or a part.
enum Value<'a, 'py> {
    Line(&'a Bound<'py, PyBytes>),
    Part(&'a [u8]),
}

impl<'py> Value<'_, 'py> {
    fn bytes(&self) -> &[u8] {
        match self {
            Value::Line(line) => line.as_bytes(),
            Value::Part(part) => part,
        }
    }

    fn of(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match self {
            Value::Line(line) => (*line).clone(),
            Value::Part(part) => PyBytes::new(py, part),
        }
    }
}

impl From<(i64, i64, i64, i64, i64)> for Clock {
    fn from((until, lateness, ceiling, greatest, settled): (i64, i64, i64, i64, i64)) -> Self {
        Clock { until, lateness, ceiling, greatest, settled }
    }
}

impl Scans {
    /// Takes one after the other from `start` on, up to the first that is handed back.
    fn all<'py>(
        &mut self,
        py: Python<'py>,
        some: &Bound<'py, PyList>,
        start: usize,
        clock: (i64, i64, i64, i64, i64),
        mut one: impl FnMut(&mut Self, usize, &Bound<'py, PyAny>, &mut Clock) -> Result<(), Stop>,
    ) -> PyResult<Told> {
        let mut clock = Clock::from(clock);
        let mut place = start;
        while place < some.len() {
            match one(self, place, &some.get_item(place)?, &mut clock) {
                Ok(()) => place += 1,
                Err(Stop::HandBack) => break,
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok((place, clock.greatest, self.greatest, self.drain(py)))
    }

    fn record<'py>(
        &mut self,
        py: Python<'py>,
        record: &Bound<'py, PyAny>,
        clock: &mut Clock,
        state: &State<'_, 'py>,
    ) -> Result<(), Stop> {
        let [stamp, key, value] = parts(py, record).map_err(|_| HandBack)?;
        let (Ok(key), Ok(value)) = (key.cast::<PyBytes>(), value.cast::<PyBytes>()) else {
            return Err(Stop::HandBack);
        };
        let scan = scan::decode(value.as_bytes()).ok_or(HandBack)?;
        if key.as_bytes() != scan.tracking_no.as_bytes() {
            return Err(Stop::HandBack);
        }
        // None in records of Kafka before 0.11; what is no such number, Python has to tell.
        let stamp: i64 = if stamp.is_none() { -1 } else { stamp.extract().map_err(|_| HandBack)? };
        if stamp > 0 && scan.time > stamp.saturating_mul(1000).saturating_add(MAX_AHEAD) {
            return Err(Stop::HandBack);
        }
        self.scan(py, &scan, value, Some(key), clock, state)
    }

    /// `key`: the record's, which is the tracking number.
    fn scan<'py>(
        &mut self,
        py: Python<'py>,
        scan: &Scan<'_>,
        value: &Bound<'py, PyBytes>,
        key: Option<&Bound<'py, PyBytes>>,
        clock: &mut Clock,
        state: &State<'_, 'py>,
    ) -> Result<(), Stop> {
        if scan.time > clock.until || scan.time < clock.greatest.saturating_sub(clock.lateness) {
            return Err(Stop::HandBack);
        }
        let (facility, in_province) = if scan.has_region() {
            self.names.delivered(py, scan.facility.as_deref(), scan.region.as_deref())?
        } else {
            (self.names.facility(py, scan.facility.as_deref())?, false)
        };
        let packed = Packed { time: scan.time, rank: scan.rank, facility };
        let carrier = self.names.carrier(py, &scan.carrier)?;
        self.key.clear();
        self.key.extend_from_slice(&carrier.prefix);
        self.key.extend_from_slice(scan.tracking_no.as_bytes());
        let mut take = |known: Option<&[u8]>| match known {
            None => Taken::New,
            Some(known) => match row::taken(known, packed, clock.settled, &self.rules, &mut self.row) {
                None => Taken::HandedBack,
                Some(due) => Taken::Known(due, (in_province && row::is_told_more(known)).then(|| known.to_vec())),
            },
        };
        // Nothing of Python's is called while the table is at hand.
        let taken = match &state.rows {
            Kept::Here(rows) => take(rows.borrow().table.get(&self.key)),
            Kept::There(rows) => {
                let found = rows.call_method1(intern!(py, "get"), (PyBytes::new(py, &self.key),))?;
                let known = if found.is_none() { None } else { Some(found.cast::<PyBytes>().map_err(|_| HandBack)?) };
                take(known.map(|known| known.as_bytes()))
            }
        };
        let due = match taken {
            Taken::HandedBack => return Err(Stop::HandBack),
            Taken::Known(due, None) => due,
            Taken::Known(due, Some(known)) => {
                if self.tells.call1(py, (PyBytes::new(py, &known), scan.region.as_deref()))?.is_truthy(py)? {
                    return Err(Stop::HandBack);
                }
                due
            }
            Taken::New => {
                if !carrier.alone {
                    return Err(Stop::HandBack);
                }
                if let (Some(belongs), Some(key)) = (state.belongs, key) {
                    if !belongs.call1((key,))?.is_truthy()? {
                        return Err(Stop::HandBack);
                    }
                }
                Some(row::begun(packed, &self.rules, &mut self.row))
            }
        };
        let row_key = PyBytes::new(py, &self.key);
        if let Some(due) = due {
            state.due.call1((due, &row_key))?;
        }
        let row = PyBytes::new(py, &self.row);
        match &state.rows {
            Kept::Here(rows) => rows.borrow_mut().table.set(&self.key, &self.row),
            Kept::There(rows) => rows.set_item(&row_key, &row)?,
        }
        state.changed.set_item(&row_key, &row)?;
        let number = packed.number();
        state.notes.append((row_key, number, scan.event_id.as_ref(), value, false))?;
        self.greatest = self.greatest.max(number);
        if scan.time > clock.greatest {
            clock.greatest = if scan.time <= clock.ceiling { scan.time } else { clock.greatest.max(clock.ceiling) };
        }
        self.counted.extend(carrier.count(py, scan.time));
        Ok(())
    }

    /// Python knows so many names of carriers: what is known of one may have changed.
    fn heard(&mut self, py: Python<'_>, known: usize) {
        if known != self.known {
            self.counted = self.drain(py);
            self.names.forget_carriers();
            self.known = known;
        }
    }

    fn drain(&mut self, py: Python<'_>) -> Vec<Counted> {
        let mut counted = std::mem::take(&mut self.counted);
        counted.extend(self.names.counted(py));
        counted
    }
}
