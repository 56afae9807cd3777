//! `brimline measures`.

use std::path::Path;

use super::Stop;
use super::print::{self, print};
use crate::report;
use crate::scenario::{Blueprint, Edit};

/// Lists what a scenario's runs can be asked.
pub(super) fn carry_out(file: Option<&Path>, set: &[String]) -> Result<(), Stop> {
    let scenario = file.map_or_else(|| Ok(Blueprint::demo()), Blueprint::open)?;
    let loaded = scenario.with(set.iter().map(|text| Edit::parse("--set", text))).load()?;
    Ok(print(&report::measures(&loaded.model, print::columns()))?)
}
