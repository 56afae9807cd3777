//! `brimline measures`.

use std::path::Path;

use super::Stop;
use super::print::{self, print};
use crate::report;
use crate::scenario;

/// Lists what a scenario's runs can be asked.
pub(super) fn carry_out(file: Option<&Path>) -> Result<(), Stop> {
    let loaded = match file {
        Some(file) => scenario::load(file)?,
        None => scenario::demo()?,
    };
    Ok(print(&report::measures(&loaded.model, print::columns()))?)
}
