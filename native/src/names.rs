//! What Python knows of carriers, facilities and places, asked once for each name.

use crate::book::{HandBack, Stop};
use crate::time::HOUR;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::collections::HashMap;
use std::fmt::Write;

/// Names that are remembered; beyond that the table is emptied, so that no input makes it grow without bound.
const MOST: usize = 65_536;

/// A carrier, the start of an hour, the scans in it, the time of the first.
pub type Counted = (Py<PyString>, i64, u64, i64);

/// A carrier as Python knows it.
pub struct Carrier {
    name: Py<PyString>,
    pub prefix: Vec<u8>,
    /// No other name of the carrier is known, so a new parcel of it is known under no other.
    pub alone: bool,
    /// The hour that is being counted: its start, the scans, the time of the first.
    hour: i64,
    count: u64,
    first: i64,
}

impl Carrier {
    /// Counts a scan; returns the hour before, where that is over.
    pub fn count(&mut self, py: Python<'_>, time: i64) -> Option<Counted> {
        let over = if self.hour <= time && time < self.hour + HOUR { None } else { self.counted(py) };
        if self.count == 0 {
            self.hour = time - time.rem_euclid(HOUR);
            self.first = time;
        }
        self.count += 1;
        self.first = self.first.min(time);
        over
    }

    /// What was counted since the last time.
    fn counted(&mut self, py: Python<'_>) -> Option<Counted> {
        let count = std::mem::take(&mut self.count);
        (count > 0).then(|| (self.name.clone_ref(py), self.hour, count, self.first))
    }
}

pub struct Names {
    carriers: HashMap<Box<str>, Carrier>,
    facilities: HashMap<Box<str>, u32>,
    /// Where parcels were delivered, by facility and region: the place's number, whether the region is a province.
    places: HashMap<Box<str>, (u32, bool)>,
    carrier_of: Py<PyAny>,
    number_of: Py<PyAny>,
    place_of: Py<PyAny>,
    place: String,
}

impl Names {
    pub fn new(carrier_of: Py<PyAny>, number_of: Py<PyAny>, place_of: Py<PyAny>) -> Self {
        Names {
            carriers: HashMap::new(),
            facilities: HashMap::new(),
            places: HashMap::new(),
            carrier_of,
            number_of,
            place_of,
            place: String::new(),
        }
    }

    /// Forgets all carriers, and what has been counted of them.
    pub fn forget_carriers(&mut self) {
        self.carriers.clear();
    }

    pub fn carrier(&mut self, py: Python<'_>, name: &str) -> Result<&mut Carrier, Stop> {
        if !self.carriers.contains_key(name) {
            let known: Option<(Vec<u8>, bool)> = self.carrier_of.call1(py, (name,))?.extract(py)?;
            let (prefix, alone) = known.ok_or(HandBack)?;
            let name_of = PyString::new(py, name).unbind();
            let carrier = Carrier { name: name_of, prefix, alone, hour: i64::MIN, count: 0, first: 0 };
            self.carriers.insert(name.into(), carrier);
        }
        self.carriers.get_mut(name).ok_or(Stop::HandBack)
    }

    /// The scans counted since the last time.
    pub fn counted(&mut self, py: Python<'_>) -> Vec<Counted> {
        self.carriers.values_mut().filter_map(|carrier| carrier.counted(py)).collect()
    }

    /// The number of a facility; 0 of none.
    pub fn facility(&mut self, py: Python<'_>, name: Option<&str>) -> Result<u32, Stop> {
        let Some(name) = name else { return Ok(0) };
        if let Some(&number) = self.facilities.get(name) {
            return Ok(number);
        }
        let number: Option<u32> = self.number_of.call1(py, (name,))?.extract(py)?;
        let number = number.ok_or(HandBack)?;
        if self.facilities.len() >= MOST {
            self.facilities.clear();
        }
        self.facilities.insert(name.into(), number);
        Ok(number)
    }

    /// The number of the place where a parcel was delivered, and whether its region is a province.
    pub fn delivered(
        &mut self,
        py: Python<'_>,
        facility: Option<&str>,
        region: Option<&str>,
    ) -> Result<(u32, bool), Stop> {
        // No two pairs give one text.
        let (length, tag) = (region.map_or(0, str::len), if region.is_some() { '+' } else { '-' });
        self.place.clear();
        write!(self.place, "{tag}{length}:").map_err(|_| HandBack)?;
        self.place.push_str(region.unwrap_or_default());
        if let Some(facility) = facility {
            self.place.push('+');
            self.place.push_str(facility);
        }
        if let Some(&found) = self.places.get(self.place.as_str()) {
            return Ok(found);
        }
        let (number, in_province): (Option<u32>, bool) = self.place_of.call1(py, (facility, region))?.extract(py)?;
        let found = (number.ok_or(HandBack)?, in_province);
        if self.places.len() >= MOST {
            self.places.clear();
        }
        self.places.insert(self.place.as_str().into(), found);
        Ok(found)
    }
}
