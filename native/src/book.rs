//! The common scan, from a record's bytes to the parcel's row.

use crate::due::DueKeys;
use crate::kept::Kept;
use crate::lines;
use crate::names::{Counted, Names};
use crate::others::Others;
use crate::partitioner::partition_for;
use crate::records::Records;
use crate::row::{self, Packed, Rules};
use crate::rows::Ties;
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

/// The place of the first that is handed back, the greatest time, and what was taken by hour.
type Told = (usize, i64, Vec<Counted>);

/// What is known of the partition when a call begins, and what the scans taken make of it. Microseconds.
pub struct Clock {
    pub until: i64,
    lateness: i64,
    ceiling: i64,
    pub greatest: i64,
    settled: i64,
}

/// What is made of a row by one more scan.
enum Taken {
    New,
    /// When it is due, if that is sooner than before; and the row before, where that may tell more.
    Known(Option<i64>, Option<Vec<u8>>),
    HandedBack,
}

/// What a call changes. `changed`: see `Kept::set`.
pub struct State<'a, 'py> {
    rows: Kept,
    changed: Option<&'a Bound<'py, PyDict>>,
    ties: &'a Bound<'py, Ties>,
    due: &'a Bound<'py, DueKeys>,
    belongs: Belongs<'a, 'py>,
}

/// Whether a key belongs here: all do; those of one partition of so many, by murmur2; Python tells.
enum Belongs<'a, 'py> {
    All,
    To(u32, u32),
    AsTold(&'a Bound<'py, PyAny>),
}

impl Belongs<'_, '_> {
    fn holds(&self, key: &[u8]) -> PyResult<bool> {
        match self {
            Belongs::All => Ok(true),
            Belongs::To(partition, partitions) => Ok(partition_for(key, *partitions) == *partition),
            Belongs::AsTold(told) => told.call1((PyBytes::new(told.py(), key),))?.is_truthy(),
        }
    }
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
        }
    }

    /// Forgets what is known of carriers, as another one has become known.
    fn forget_carriers(&mut self) {
        self.names.forget_carriers();
    }

    /// Takes records from `start` on: `Records`, or a list of tuples (offset, timestamp, key, value, headers) or of the
    /// Kafka client's own.
    ///
    /// `belongs`: whether a key does, as told when it is called; or the partition whose keys do, by murmur2, and of how
    /// many. Returns the place of the first that is handed back, the partition's greatest time, and (carrier, hour, scans,
    /// time of the first) of what was taken. Whatever is raised leaves the state unusable.
    #[pyo3(signature = (records, start, clock, rows, changed, ties, due, belongs))]
    #[allow(clippy::too_many_arguments)]
    fn take<'py>(
        &mut self,
        py: Python<'py>,
        records: &Bound<'py, PyAny>,
        start: usize,
        clock: (i64, i64, i64, i64, i64),
        rows: &Bound<'py, PyAny>,
        changed: Option<&Bound<'py, PyDict>>,
        ties: &Bound<'py, Ties>,
        due: &Bound<'py, DueKeys>,
        belongs: &Bound<'py, PyAny>,
    ) -> PyResult<Told> {
        let belongs = match belongs.extract() {
            Ok((partition, partitions)) if partitions > 0 => Belongs::To(partition, partitions),
            _ => Belongs::AsTold(belongs),
        };
        let state = State { rows: rows.into(), changed, ties, due, belongs };
        if let Ok(records) = records.cast::<Records>() {
            let records = records.borrow();
            return self.all(py, records.len(), start, clock, |scans, place, clock| {
                let (entry, chunk) = records.at(py, place);
                let (Some(key), Some(value)) = (entry.key.of(chunk), entry.value.of(chunk)) else {
                    return Err(Stop::HandBack);
                };
                scans.record(py, entry.timestamp, key, value, clock, &state)
            });
        }
        let records = records.cast::<PyList>()?;
        self.all(py, records.len(), start, clock, |scans, place, clock| {
            let [stamp, key, value] = parts(py, &records.get_item(place)?).map_err(|_| HandBack)?;
            let (Ok(key), Ok(value)) = (key.cast::<PyBytes>(), value.cast::<PyBytes>()) else {
                return Err(Stop::HandBack);
            };
            // None in records of Kafka before 0.11; what is no such number, Python has to tell.
            let stamp: i64 = if stamp.is_none() { -1 } else { stamp.extract().map_err(|_| HandBack)? };
            scans.record(py, stamp, key.as_bytes(), value.as_bytes(), clock, &state)
        })
    }

    /// As `take`, of a replay's lines of any topic: what is no scan goes to `others`.
    ///
    /// `topics`: of each line the topic by its number; its value is the whole line. Else each line tells it.
    #[pyo3(signature = (lines, topics, start, clock, now, rows, ties, due, others))]
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
        ties: &Bound<'py, Ties>,
        due: &Bound<'py, DueKeys>,
        others: &Bound<'py, Others>,
    ) -> PyResult<Told> {
        let state = State { rows: rows.into(), changed: None, ties, due, belongs: Belongs::All };
        let latest = now.map_or(i64::MAX, |now| now.saturating_add(MAX_AHEAD));
        let mut others = others.borrow_mut();
        self.all(py, lines.len(), start, clock, |scans, place, clock| {
            let line = lines.get_item(place)?;
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
            scans.scan(py, &scan, value.bytes(), clock, &state)?;
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
    fn all(
        &mut self,
        py: Python<'_>,
        count: usize,
        start: usize,
        clock: (i64, i64, i64, i64, i64),
        mut one: impl FnMut(&mut Self, usize, &mut Clock) -> Result<(), Stop>,
    ) -> PyResult<Told> {
        let mut clock = Clock::from(clock);
        let mut place = start;
        while place < count {
            match one(self, place, &mut clock) {
                Ok(()) => place += 1,
                Err(Stop::HandBack) => break,
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok((place, clock.greatest, self.drain(py)))
    }

    fn record<'py>(
        &mut self,
        py: Python<'py>,
        stamp: i64,
        key: &[u8],
        value: &[u8],
        clock: &mut Clock,
        state: &State<'_, 'py>,
    ) -> Result<(), Stop> {
        let scan = scan::decode(value).ok_or(HandBack)?;
        if key != scan.tracking_no.as_bytes() {
            return Err(Stop::HandBack);
        }
        if stamp > 0 && scan.time > stamp.saturating_mul(1000).saturating_add(MAX_AHEAD) {
            return Err(Stop::HandBack);
        }
        self.scan(py, &scan, value, clock, state)
    }

    fn scan<'py>(
        &mut self,
        py: Python<'py>,
        scan: &Scan<'_>,
        value: &[u8],
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
        let take = |known: Option<&[u8]>| match known {
            None => Taken::New,
            Some(known) => match row::taken(known, packed, clock.settled, &self.rules, &mut self.row) {
                None => Taken::HandedBack,
                Some(due) => Taken::Known(due, (in_province && row::is_told_more(known)).then(|| known.to_vec())),
            },
        };
        let taken = state.rows.row(py, &self.key, take)?;
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
                if !state.belongs.holds(scan.tracking_no.as_bytes())? {
                    return Err(Stop::HandBack);
                }
                Some(row::begun(packed, &self.rules, &mut self.row))
            }
        };
        if let Some(due) = due {
            state.due.borrow_mut().insert(due, &self.key);
        }
        state.rows.set(py, &self.key, &self.row, state.changed)?;
        state.ties.borrow_mut().ties.note(&self.key, packed.number(), scan.event_id.as_bytes(), value);
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
