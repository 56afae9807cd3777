//! Plots of several variants over each other: free addresses of each vSwitch, waiting pods.

use super::lines::{Line, Lines, draw};
use super::{Plot, band, canvas, mean, number_doubles, times};
use crate::outcome::Clock;
use crate::record::{Recording, Timeline};
use crate::study::Variant;

/// The plots: the vSwitches in the order of the variants, then pods that wait.
pub(in crate::report) fn overlay(variants: &[Variant]) -> Vec<Plot> {
    let mut ids: Vec<&str> = Vec::new();
    for vswitch in variants.iter().flat_map(|variant| &variant.ensemble.typical().vpc.vswitches) {
        if !ids.contains(&vswitch.id.as_str()) {
            ids.push(&vswitch.id);
        }
    }
    let mut plots: Vec<_> = ids.into_iter().map(|id| free(variants, id)).collect();
    plots.push(waiting(variants));
    number_doubles(plots.iter_mut());
    plots
}

fn free(variants: &[Variant], id: &str) -> Plot {
    let lines = variants.iter().enumerate().filter_map(|(n, variant)| {
        let i = variant.ensemble.typical().vpc.vswitches.iter().position(|vswitch| vswitch.id == id)?;
        Some(line(n, variant, move |timeline, row| f64::from(timeline.least_free[i][row])))
    });
    Plot {
        name: super::super::file_name(&format!("free-{id}")),
        caption: format!("Free addresses of {id}: the fewest since the row before."),
        svg: picture(variants, format!("{id}: free addresses"), "addresses", lines.collect()),
    }
}

fn waiting(variants: &[Variant]) -> Plot {
    let waiting = |timeline: &Timeline, row: usize| {
        timeline.groups.iter().map(|levels| f64::from(levels[row].waiting)).sum::<f64>()
    };
    let lines = variants.iter().enumerate().map(|(n, variant)| line(n, variant, waiting));
    Plot {
        name: "waiting".to_owned(),
        caption: "Pods that are on a node and wait for an address.".to_owned(),
        svg: picture(variants, "Pods that wait for an address".to_owned(), "pods", lines.collect()),
    }
}

fn picture(variants: &[Variant], title: String, unit: &'static str, lines: Vec<Line>) -> String {
    let models = variants.iter().map(|variant| variant.ensemble.typical());
    let longest = models.max_by_key(|model| model.horizon).expect("there are variants");
    draw(&Lines { title, unit, clock: &Clock::of(longest), lines, runs: variants[0].runs.len() })
}

fn line(n: usize, variant: &Variant, value: impl Fn(&Timeline, usize) -> f64) -> Line<'_> {
    let value = |run: &Recording, row: usize| value(&run.timeline, row);
    Line {
        name: &variant.name,
        color: canvas::SERIES[n % canvas::SERIES.len()],
        dash: canvas::Dash::ALL[n / canvas::SERIES.len() % canvas::Dash::ALL.len()],
        at: times(&variant.runs),
        mean: mean(&variant.runs, value),
        band: band(&variant.runs, value),
    }
}
