//! How the numbers of a sweep are written for people.

use crate::outcome::span;
use crate::report::figures::figure;
use crate::study::sweep::Cell;
use crate::units::percent;

/// A value of a measure with this unit.
pub(super) fn value(value: f64, unit: &str) -> String {
    match unit {
        "s" => span(value).english(),
        "share" | "share of runs" => percent(value),
        _ => figure(value),
    }
}

/// A measure at a point with what is likely around it.
pub(super) fn cell(cell: &Cell, unit: &str) -> String {
    let Some(headline) = cell.headline() else { return "none".to_owned() };
    let text = value(headline, unit);
    match cell.range() {
        Some((low, high)) if value(low, unit) != value(high, unit) => {
            format!("{text} ({} to {})", value(low, unit), value(high, unit))
        }
        _ => text,
    }
}
