//! The summary on the terminal: the verdict, the few lines that a planner needs, small tables.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::outcome::{
    ANY, Clock, Estimate, Limit, PodSummary, Summary, account_text, count, counting_text, no_way_out_text, plus_minus,
    prefixes_text, range_of_spans, span, warm_up_text,
};
use crate::record::Holders;
use crate::scenario::Uncertain;

/// Width of the labels on the left.
pub(super) const LABEL: usize = 11;
/// Most vSwitches that are accounted for; `report.html` has all.
const MOST_ACCOUNTS: usize = 3;
/// Most vSwitches, and most pools, that are shown; `report.html` shows all.
const MOST_ROWS: usize = 12;
/// Most uncertain inputs that are named.
const MOST_INPUTS: usize = 4;

/// The summary in plain text: the verdict first, then what a planner needs. Text wraps at
/// `columns`; give [`usize::MAX`] where no one looks, so that the verdict is the first line.
/// `uncertain` inputs were drawn for every run.
#[must_use]
pub fn terminal(summary: &Summary, uncertain: &[Uncertain], columns: usize) -> String {
    let mut text = wrap(&summary.verdict.text, 0, columns) + "\n\n";
    let mut labelled = |label: &str, lines: &[String]| {
        for (i, line) in lines.iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            text += &format!("{label:LABEL$}{}\n", wrap(line, LABEL, columns));
        }
    };
    labelled("Risk", risk_line(summary).as_slice());
    labelled("Limits", &summary.limits.iter().map(|limit| limit_line(limit, summary)).collect::<Vec<_>>());
    let clock = &summary.method.clock;
    labelled("Actions", &summary.actions.iter().map(|action| action.text(clock)).collect::<Vec<_>>());
    labelled("No SNAT", &summary.vswitches.iter().filter_map(no_way_out_text).collect::<Vec<_>>());
    let accounts: Vec<_> =
        summary.vswitches.iter().filter(|v| v.serves_pods).filter_map(|v| account_text(v, clock)).collect();
    labelled("When full", &accounts[..accounts.len().min(MOST_ACCOUNTS)]);
    labelled("Prefixes", &summary.vswitches.iter().filter_map(|v| prefixes_text(v, clock)).collect::<Vec<_>>());
    labelled("Counting", counting_text(summary).as_slice());
    labelled("Pods", &[pods_line(&summary.pods), waits_line(&summary.pods, clock)]);
    labelled("No node", unschedulable_line(&summary.pods).as_slice());
    labelled("Zones", zones_line(summary).as_slice());
    let seen = summary.messages.iter().map(|message| format!("{} ({})", message.text, message.place));
    labelled("Users see", &seen.collect::<Vec<_>>());
    let stranded = summary.stranded.iter().map(|stranded| {
        let addresses = plus_minus(&stranded.addresses);
        format!("{addresses} addresses of {} are free at the end, yet unusable: {}.", stranded.vswitch, stranded.reason)
    });
    labelled("Stranded", &stranded.collect::<Vec<_>>());
    let means = summary.vswitches.iter().filter_map(|vswitch| warm_up_text(vswitch, clock));
    labelled("Means", &means.collect::<Vec<_>>());
    for table in [vswitches(summary), pools(summary)] {
        text += &format!("\n{table}\n");
    }
    let precision = summary.method.precision.as_ref().map(|precision| precision.text.clone());
    let method = [Some(summary.method.intervals.clone()), precision, uncertain_line(uncertain)];
    text + "\n" + &wrap(&method.into_iter().flatten().collect::<Vec<_>>().join(" "), 0, columns) + "\n"
}

/// How probable it is that addresses run out by a few dates; none if that is the same in all runs.
fn risk_line(summary: &Summary) -> Option<String> {
    let serving = summary.vswitches.iter().filter(|vswitch| vswitch.serves_pods).count();
    let risk = summary.risk.iter().find(|risk| serving == 1 || risk.vswitch == ANY)?;
    risk.is_uncertain().then(|| risk.text())
}

/// What was drawn for every run; none if nothing was.
fn uncertain_line(uncertain: &[Uncertain]) -> Option<String> {
    let named = uncertain.iter().take(MOST_INPUTS).map(|input| format!("{} ({})", input.path, input.text));
    let named = named.collect::<Vec<_>>().join("; ");
    let more = match uncertain.len().saturating_sub(MOST_INPUTS) {
        0 => String::new(),
        n => format!("; and {n} more in report.html"),
    };
    (!uncertain.is_empty()).then(|| format!("Drawn anew for each run: {named}{more}."))
}

fn limit_line(limit: &Limit, summary: &Summary) -> String {
    let runs = match (limit.bound.runs, limit.bound.always()) {
        (1, _) => String::new(),
        (n, true) => format!(" in all {n} runs"),
        (n, false) => format!(" in {} of {n} runs", limit.bound.hits),
    };
    format!("{}: first {}{runs}.", limit.text, summary.method.clock.at(limit.time_to_bind_s.median))
}

fn pods_line(pods: &PodSummary) -> String {
    let mut line =
        format!("{} asked for an address, {} got one", plus_minus(&pods.requested), plus_minus(&pods.served));
    // Pods that end without having got one are few; mostly they wait still.
    let (never, waiting) = (&pods.never_served, &pods.waiting_at_end);
    match (never.max > 0.0, waiting.max > 0.0) {
        (true, true) if never.mean == waiting.mean => line += &format!("; {} still wait at the end", plus_minus(never)),
        (true, true) => {
            line +=
                &format!(", {} never did; {} of these still wait at the end", plus_minus(never), plus_minus(waiting));
        }
        (true, false) => line += &format!(", {} never did", plus_minus(never)),
        (false, _) => {}
    }
    line + "."
}

fn unschedulable_line(pods: &PodSummary) -> Option<String> {
    if pods.most_unschedulable.max == 0.0 {
        return None;
    }
    let mut line = format!(
        "up to {} pods at once found no node, {} do at the end; {} pod-hours without one",
        count(pods.most_unschedulable.max),
        plus_minus(&pods.unschedulable_at_end),
        plus_minus(&pods.unschedulable_pod_h)
    );
    if let (Some(median), Some(longest)) = (&pods.unschedulable_p50_s, &pods.unschedulable_longest_s) {
        line += &format!("; who got one later waited {}, at most {}", span(median.median), span(longest.max));
    }
    Some(line + ".")
}

/// Only where there is more than one zone.
fn zones_line(summary: &Summary) -> Option<String> {
    let skew = summary.most_zone_skew.as_ref()?;
    let zones = summary.zones.iter().take(MOST_ROWS).map(|zone| format!("{} in {}", count(zone.pods.mean), zone.zone));
    let zones = zones.collect::<Vec<_>>().join(", ");
    Some(format!("pods at the end: {zones}; the largest difference was {}.", count(skew.max)))
}

fn waits_line(pods: &PodSummary, clock: &Clock) -> String {
    let when = match &pods.most_waiting_s {
        Some(time) if time.median == 0.0 => ", at the start".to_owned(),
        Some(time) => format!(", {}", clock.at(time.median)),
        None => String::new(),
    };
    let quantile = |wait: &Option<Estimate>| wait.as_ref().map_or("none".to_owned(), range_of_spans);
    format!(
        "Wait for an address: p50 {}, p99 {}; the longest that was served {}; most waiting at once {}{when}.",
        quantile(&pods.wait_p50_s),
        quantile(&pods.wait_p99_s),
        quantile(&pods.wait_longest_s),
        count(pods.most_waiting.max)
    )
}

fn vswitches(summary: &Summary) -> String {
    let leaked = summary.vswitches.iter().any(|v| v.mean.leaked.max + v.end.leaked.max > 0.0);
    let mut header =
        vec!["vSwitch", "usable", "", "pods", "idle", "leaked", "primary", "other", "free", "least", "full"];
    header.retain(|&name| leaked || name != "leaked");
    let reserved = summary.vswitches.iter().any(|v| v.end.reserved.is_some());
    let held = summary.vswitches.iter().any(|v| v.end.held.is_some());
    if let Some(free) = header.iter().position(|&name| name == "free").filter(|_| reserved) {
        header.insert(free + 1, "reserved");
    }
    if let Some(least) = header.iter().position(|&name| name == "least").filter(|_| held) {
        header.insert(least, "held");
    }
    let mut rows = Vec::new();
    for vswitch in summary.vswitches.iter().take(MOST_ROWS) {
        let full = vswitch.time_to_full_s.map_or("-".to_owned(), |time| summary.method.clock.point(time.median));
        let mut mean = vec![shorten(&vswitch.id), count(vswitch.usable.into()), "mean".to_owned()];
        mean.extend(holders(&vswitch.mean, leaked, reserved, held));
        mean.extend([count(vswitch.least_free.min), full]);
        let mut end = vec![String::new(), String::new(), "end".to_owned()];
        end.extend(holders(&vswitch.end, leaked, reserved, held));
        rows.extend([mean, end]);
    }
    table(&header, &rows, &[0, 2]) + &left_out(summary.vswitches.len(), "vSwitches")
}

fn pools(summary: &Summary) -> String {
    let types =
        summary.pools.windows(2).any(|two| two[0].pool == two[1].pool && two[0].instance_type != two[1].instance_type);
    let mut header = vec!["node pool", "type", "zone", "nodes", "ENIs", "running", "waiting", "most waiting"];
    header.retain(|&name| types || name != "type");
    let left: &[usize] = if types { &[0, 1, 2] } else { &[0, 1] };
    let row = |pool: &crate::outcome::PoolSummary| {
        let numbers = [&pool.nodes, &pool.enis, &pool.running, &pool.waiting];
        let mut row = vec![shorten(&pool.pool)];
        row.extend(types.then(|| shorten(&pool.instance_type)));
        row.push(shorten(&pool.zone));
        row.extend(numbers.map(|n| count(n.mean)));
        row.push(count(pool.most_waiting.max));
        row
    };
    let rows: Vec<_> = summary.pools.iter().take(MOST_ROWS).map(row).collect();
    table(&header, &rows, left) + &left_out(summary.pools.len(), "pools")
}

/// The parts of a vSwitch; leaked, reserved and held addresses only where there may be any.
fn holders(who: &Holders<Estimate>, leaked: bool, reserved: bool, held: bool) -> impl Iterator<Item = String> {
    let shown = who.parts().into_iter().enumerate().filter(move |&(i, _)| leaked || i != Holders::POSITIONS.leaked);
    let mean = |part: Option<Estimate>| part.map_or(String::new(), |part| count(part.mean));
    let more = [reserved.then(|| mean(who.reserved)), held.then(|| mean(who.held))];
    shown.map(|(_, n)| count(n.mean)).chain(more.into_iter().flatten())
}

fn left_out(all: usize, what: &str) -> String {
    match all.saturating_sub(MOST_ROWS) {
        0 => String::new(),
        n => format!("\n... and {n} more {what} in report.html"),
    }
}

/// A table whose columns are right-aligned, except those at `left`.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], left: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().copied());
    table.add_rows(rows.iter().cloned());
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if !left.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A name in at most 16 characters.
fn shorten(name: &str) -> String {
    match name.char_indices().nth(16) {
        None => name.to_owned(),
        Some(_) => name.chars().take(15).chain(['…']).collect(),
    }
}

/// Breaks a text at spaces, so that a line that begins at column `indent` ends before `columns`.
pub(super) fn wrap(text: &str, indent: usize, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = indent;
    // A percentage stays in one piece.
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > indent && column + 1 + width > columns {
            out += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += width;
    }
    out.replace('\u{a0}', " ")
}
