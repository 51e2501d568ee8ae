//! The common scan of parcelwatch, natively. It accepts what is certain, and hands back the rest: Python is the
//! reference, and tells every result.

pub mod batch;
#[cfg(feature = "extension-module")]
mod book;
pub mod checksum;
#[cfg(feature = "extension-module")]
mod due;
pub mod frames;
#[cfg(feature = "extension-module")]
mod heads;
pub mod json;
#[cfg(feature = "extension-module")]
mod kept;
pub mod lines;
#[cfg(feature = "extension-module")]
mod names;
#[cfg(feature = "extension-module")]
mod others;
#[cfg(feature = "extension-module")]
mod packing;
#[cfg(feature = "extension-module")]
mod pairs;
pub mod partitioner;
pub mod places;
pub mod recent;
#[cfg(feature = "extension-module")]
mod records;
pub mod row;
#[cfg(feature = "extension-module")]
mod row_file;
#[cfg(feature = "extension-module")]
mod rows;
pub mod scan;
pub mod segments;
pub mod segments_start;
#[cfg(test)]
mod segments_tests;
pub mod table;
pub mod ties;
pub mod time;

#[cfg(feature = "extension-module")]
#[pyo3::pymodule]
mod parcelwatch_native {
    use crate::scan;
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::book::Scans;
    #[pymodule_export]
    use crate::due::DueKeys;
    #[pymodule_export]
    use crate::heads::Heads;
    #[pymodule_export]
    use crate::others::Others;
    #[pymodule_export]
    use crate::packing::pack;
    #[pymodule_export]
    use crate::pairs::Pairs;
    #[pymodule_export]
    use crate::records::Records;
    #[pymodule_export]
    use crate::row_file::{FileTable, RowFile};
    #[pymodule_export]
    use crate::rows::{Rows, Ties};

    /// The main package takes no other: form of the rows and of the calls.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    /// Of the rows: what was built before a change of it, of the same version, is not taken.
    #[pymodule_export]
    const FORMAT: u8 = crate::row::FORMAT;

    /// Of the calls, likewise: it grows with each change of what is passed and returned.
    #[pymodule_export]
    const CALLS: u8 = 8;

    /// (event id, tracking number, carrier, rank of the status, facility, time in microseconds, region of a `delivered`
    /// scan) of a value; None where Python has to tell.
    #[pyfunction]
    #[allow(clippy::type_complexity)]
    fn scan_of(value: &[u8]) -> Option<(String, String, String, u8, Option<String>, i64, Option<String>)> {
        let scan = scan::decode(value)?;
        Some((
            scan.event_id.into_owned(),
            scan.tracking_no.into_owned(),
            scan.carrier.into_owned(),
            scan.rank,
            scan.facility.map(|name| name.into_owned()),
            scan.time,
            scan.region.map(|name| name.into_owned()),
        ))
    }

    /// The names of statuses by rank.
    #[pyfunction]
    fn statuses() -> Vec<&'static str> {
        scan::statuses().to_vec()
    }

    /// Panics, for the test of what follows.
    #[pyfunction]
    fn panic() {
        panic!("asked for");
    }
}
