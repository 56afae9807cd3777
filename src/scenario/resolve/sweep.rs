//! What is to be varied.

use super::within;
use crate::model::Model;
use crate::scenario::axis::Axis;
use crate::scenario::expression::read_measured;
use crate::scenario::loader::Loader;
use crate::scenario::written::{Sweep, Vary};

/// Most points of a sweep.
const MOST_POINTS: u64 = 100_000;

/// What a scenario says about its sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SweepSection {
    /// What is varied.
    pub axes: Vec<Axis>,
    /// Points of a Latin hypercube; none if every combination is a point.
    pub points: Option<u32>,
    /// What is measured, as it is written; empty if nothing is said.
    pub measures: Vec<String>,
}

/// The section as it is meant. Whether paths resolve is seen when they are changed
/// ([`check_section`](crate::study::sweep::check_section)).
pub(super) fn resolve(loader: &mut Loader, written: &Sweep, model: &Model) -> SweepSection {
    let vary = written.vary.iter().flat_map(|entries| &entries.0);
    let axes = vary.map(|(key, Vary(values))| Axis { path: key.name.clone(), values: values.clone() }).collect();
    let points = within(loader, "sweep.points", written.points.as_ref(), MOST_POINTS).map(|(points, _)| points);
    let texts = written.measures.iter().flatten();
    let measures = texts.filter(|text| read_measured(text, model, &mut loader.problems).is_some());
    let measures = measures.map(|text| text.value.trim().to_owned()).collect();
    SweepSection { axes, points, measures }
}
