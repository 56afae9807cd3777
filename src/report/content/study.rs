//! What many runs say together: risk, actions, uncertain inputs, quantiles.

use super::tables::{Table, runs, time};
use crate::outcome::{
    ANY, Estimate, Quantiles, Summary, VSwitchSummary, count, in_parentheses, no_way_out_text, plus_minus,
    range_of_spans, span, unit_text,
};
use crate::scenario::Uncertain;
use crate::text::{LIST, SPACE, Text, Words, phrase, text};

/// How probable it is that addresses run out by a date; only with several runs, and where they can.
pub(super) fn risk(summary: &Summary) -> Table {
    let mut table =
        Table::new(phrase!("Risk of running out"), &[phrase!("vSwitch"), phrase!("within")], &["risk.by.full"]);
    if summary.method.replications == 1 || summary.vswitches.iter().all(|v| v.full.never()) {
        return table;
    }
    table.note = text!(
        "Probabilities with their 95 % intervals (Wilson), each for its date by itself; risk.csv has the \
                  whole curve. Where runs are never full, quantiles of the time may be “never”."
    );
    let clock = &summary.method.clock;
    let serving = summary.vswitches.iter().filter(|vswitch| vswitch.serves_pods).count();
    for risk in summary.risk.iter().filter(|risk| serving > 1 || risk.vswitch != ANY) {
        let name = if risk.vswitch == ANY { text!("any") } else { risk.vswitch.words() };
        let mut row = |within: Text, full: Text| table.push([name.clone(), within, full]);
        for by in &risk.by {
            // Here the interval says something also where it is full in no run, or in all.
            let interval = in_parentheses(by.full.interval.as_ref());
            let full = text!("{} of {}{}", by.full.hits, by.full.runs, interval);
            row(span(by.time_s), full);
        }
        let time = |secs: f64| if secs.is_finite() { clock.point(secs) } else { text!("never") };
        let times = &risk.time_to_full_s;
        let quantiles = Text::list([times.p5, times.median, times.p95].map(time), LIST);
        row(text!("full on: 5 %, 50 %, 95 % quantile"), quantiles);
    }
    table
}

/// What came of the actions.
pub(super) fn actions(summary: &Summary) -> Table {
    let measures = [
        "actions.began",
        "actions.began_s",
        "actions.took_s",
        "actions.waiting",
        "actions.relieved",
        "actions.recovery_s",
        "actions.reach.nodes",
        "actions.reach.configured",
        "actions.reach.able",
    ];
    let mut table = Table::new(phrase!("Actions"), &[phrase!("what")], &measures);
    let clock = &summary.method.clock;
    table.note = Text::list(summary.actions.iter().map(|action| action.text(clock)), SPACE);
    for action in &summary.actions {
        let number = |n: Option<&Estimate>| n.map_or(text!("none"), plus_minus);
        let length = |n: Option<&Estimate>| n.map_or(text!("none"), range_of_spans);
        let reach = action.reach.as_ref();
        table.push([
            action.text.clone(),
            runs(&action.began),
            time(summary, action.began_s.as_ref()),
            length(action.took_s.as_ref()),
            number(action.waiting.as_ref()),
            number(action.relieved.as_ref()),
            length(action.recovery_s.as_ref()),
            number(reach.map(|reach| &reach.nodes)),
            number(reach.map(|reach| &reach.configured)),
            number(reach.map(|reach| &reach.able)),
        ]);
    }
    table
}

/// Inputs that were drawn for every run.
pub(super) fn uncertain(uncertain: &[Uncertain]) -> Option<Table> {
    let mut table =
        Table::new(phrase!("Uncertain inputs"), &[phrase!("input"), phrase!("distribution"), phrase!("typical")], &[]);
    table.note = text!("Drawn anew for each run. Where one value has to stand for all, it is the typical one.");
    uncertain.iter().for_each(|input| table.push([input.path.words(), input.text.words(), input.typical.words()]));
    (!uncertain.is_empty()).then_some(table)
}

/// Most readings that the page shows; quantiles.csv has all.
const MOST_QUANTILES: usize = 500;

/// The readings over the runs; nothing with one run.
pub(super) fn quantiles(summary: &Summary) -> Vec<Vec<Text>> {
    let row = |quantiles: &Quantiles| {
        let Quantiles { measure, unit, estimate: e, p25, p75 } = quantiles;
        let is_time = *unit == "s";
        let number = |n: f64| if is_time { span(n) } else { count(n).words() };
        let mean = match e.half_width() {
            Some(half) if is_time => text!("{mean} ± {half}", span(e.mean), span(half)),
            _ if is_time => span(e.mean),
            _ => plus_minus(e),
        };
        let numbers = [e.min, e.p5, *p25, e.median, *p75, e.p95, e.max].map(number);
        let head = [measure.words(), unit_text(unit), e.runs.words(), mean];
        head.into_iter().chain(numbers).collect()
    };
    let several = summary.method.replications > 1;
    summary.quantiles.iter().filter(|_| several).take(MOST_QUANTILES).map(row).collect()
}

pub(super) fn warning(vswitch: &VSwitchSummary) -> Option<Text> {
    no_way_out_text(vswitch).map(|text| text!("warning: {text}", text))
}
