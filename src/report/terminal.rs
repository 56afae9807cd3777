//! The summary on the terminal: the verdict, the few lines that a planner needs, small tables.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use unicode_width::UnicodeWidthStr;

use crate::outcome::{
    ANY, Clock, Estimate, Limit, PodSummary, Summary, account_text, count, counting_text, is_one, no_way_out_text,
    plus_minus, prefixes_text, range_of_spans, span, warm_up_text,
};
use crate::record::Holders;
use crate::scenario::Uncertain;
use crate::text::{LIST, Lang, Phrase, SEMICOLON, SPACE, Text, Words, phrase, text, wrap};

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
pub fn terminal(summary: &Summary, uncertain: &[Uncertain], columns: usize, lang: Lang) -> String {
    let mut text = wrap(&summary.verdict.text.say(lang), 0, columns) + "\n\n";
    let mut labelled = |label: Phrase, lines: &[Text]| {
        for (i, line) in lines.iter().enumerate() {
            let label = if i == 0 { label.say(lang) } else { "" };
            text += &format!("{}{}\n", padded(label, LABEL), wrap(&line.say(lang), LABEL, columns));
        }
    };
    labelled(phrase!("Risk"), risk_line(summary).as_slice());
    labelled(phrase!("Limits"), &summary.limits.iter().map(|limit| limit_line(limit, summary)).collect::<Vec<_>>());
    let clock = &summary.method.clock;
    labelled(phrase!("Actions"), &summary.actions.iter().map(|action| action.text(clock)).collect::<Vec<_>>());
    labelled(phrase!("No SNAT"), &summary.vswitches.iter().filter_map(no_way_out_text).collect::<Vec<_>>());
    let accounts: Vec<_> =
        summary.vswitches.iter().filter(|v| v.serves_pods).filter_map(|v| account_text(v, clock)).collect();
    labelled(phrase!("When full"), &accounts[..accounts.len().min(MOST_ACCOUNTS)]);
    labelled(
        phrase!("Prefixes"),
        &summary.vswitches.iter().filter_map(|v| prefixes_text(v, clock)).collect::<Vec<_>>(),
    );
    labelled(phrase!("Counting"), counting_text(summary).as_slice());
    labelled(phrase!("Pods"), &[pods_line(&summary.pods), waits_line(&summary.pods, clock)]);
    labelled(phrase!("No node"), unschedulable_line(&summary.pods).as_slice());
    labelled(phrase!("Jobs"), jobs_line(&summary.pods).as_slice());
    labelled(phrase!("Zones"), zones_line(summary).as_slice());
    let seen = summary.messages.iter().map(|message| text!("{message} ({place})", message.text, message.place));
    labelled(phrase!("Users see"), &seen.collect::<Vec<_>>());
    let stranded = summary.stranded.iter().map(|stranded| {
        let addresses = plus_minus(&stranded.addresses);
        text!(
            "{addresses} addresses of {} are free at the end, yet unusable: {}.",
            addresses,
            stranded.vswitch,
            stranded.reason
        )
    });
    labelled(phrase!("Stranded"), &stranded.collect::<Vec<_>>());
    let means = summary.vswitches.iter().filter_map(|vswitch| warm_up_text(vswitch, clock));
    labelled(phrase!("Means"), &means.collect::<Vec<_>>());
    for table in [vswitches(summary, lang), pools(summary, lang)] {
        text += &format!("\n{table}\n");
    }
    let precision = summary.method.precision.as_ref().map(|precision| precision.text.clone());
    let extremes = (summary.method.replications > 1).then(|| text!("Least and most waiting are of all runs."));
    let method = [Some(summary.method.intervals.clone()), extremes, precision, uncertain_line(uncertain)];
    text + "\n" + &wrap(&Text::list(method.into_iter().flatten(), SPACE).say(lang), 0, columns) + "\n"
}

/// How probable it is that addresses run out by a few dates; none if that is the same in all runs.
fn risk_line(summary: &Summary) -> Option<Text> {
    let serving = summary.vswitches.iter().filter(|vswitch| vswitch.serves_pods).count();
    let risk = summary.risk.iter().find(|risk| serving == 1 || risk.vswitch == ANY)?;
    risk.is_uncertain().then(|| risk.text())
}

/// What was drawn for every run; none if nothing was.
fn uncertain_line(uncertain: &[Uncertain]) -> Option<Text> {
    let named =
        uncertain.iter().take(MOST_INPUTS).map(|input| text!("{input} ({distribution})", input.path, input.text));
    let named = Text::list(named, SEMICOLON);
    let more = match uncertain.len().saturating_sub(MOST_INPUTS) {
        0 => Text::default(),
        n => text!("; and {n} more in report.html", n),
    };
    (!uncertain.is_empty()).then(|| text!("Drawn anew for each run: {named}{more}.", named, more))
}

fn limit_line(limit: &Limit, summary: &Summary) -> Text {
    let runs = match (limit.bound.runs, limit.bound.always()) {
        (1, _) => Text::default(),
        (2, true) => text!(" in both runs"),
        (n, true) => text!(" in all {n} runs", n),
        (n, false) => text!(" in {} of {n} runs", limit.bound.hits, n),
    };
    text!("{}: first {}{runs}.", limit.text, summary.method.clock.at(limit.time_to_bind_s.median), runs)
}

fn pods_line(pods: &PodSummary) -> Text {
    let mut line = text!("{} asked for an address, {} got one", plus_minus(&pods.requested), plus_minus(&pods.served));
    // Pods that end without having got one are few; mostly they wait still.
    let (never, waiting) = (&pods.never_served, &pods.waiting_at_end);
    match (never.max > 0.0, waiting.max > 0.0) {
        (true, true) if never.mean == waiting.mean && is_one(never) => line += text!("; 1 still waits at the end"),
        (true, true) if never.mean == waiting.mean => line += text!("; {} still wait at the end", plus_minus(never)),
        (true, true) if is_one(waiting) => {
            line += text!(", {} never did; 1 of these still waits at the end", plus_minus(never));
        }
        (true, true) => {
            line += text!(", {} never did; {} of these still wait at the end", plus_minus(never), plus_minus(waiting));
        }
        (true, false) => line += text!(", {} never did", plus_minus(never)),
        (false, _) => {}
    }
    text!("{}.", line)
}

fn unschedulable_line(pods: &PodSummary) -> Option<Text> {
    if pods.most_unschedulable.max == 0.0 {
        return None;
    }
    let most = match count(pods.most_unschedulable.max).as_str() {
        "1" => text!("1 pod at a time"),
        most => text!("up to {} pods at once", most),
    };
    let mut line = text!(
        "{most} found no node, {} at the end; {} pod-hours without one",
        most,
        plus_minus(&pods.unschedulable_at_end),
        plus_minus(&pods.unschedulable_pod_h)
    );
    if let (Some(median), Some(longest)) = (&pods.unschedulable_p50_s, &pods.unschedulable_longest_s) {
        line += text!("; who got one later waited {}, at most {}", span(median.median), span(longest.max));
    }
    Some(text!("{}.", line))
}

/// Only where Jobs failed.
fn jobs_line(pods: &PodSummary) -> Option<Text> {
    let failed = &pods.failed_jobs;
    let what = text!("more of their pods were deleted or lost than backoff_limit allows");
    (failed.max > 0.0).then(|| text!("{} failed: {what}.", plus_minus(failed), what))
}

/// Only where there is more than one zone.
fn zones_line(summary: &Summary) -> Option<Text> {
    let skew = summary.most_zone_skew.as_ref()?;
    let zones = summary.zones.iter().take(MOST_ROWS).map(|zone| text!("{} in {}", count(zone.pods.mean), zone.zone));
    let zones = Text::list(zones, LIST);
    Some(text!("pods at the end: {zones}; the largest difference at a sample was {}.", zones, count(skew.max)))
}

fn waits_line(pods: &PodSummary, clock: &Clock) -> Text {
    // The most of all runs, and the time of the median run, would be those of two runs.
    let is_one = |time: &&Estimate| clock.at(time.min) == clock.at(time.max);
    let when = match pods.most_waiting_s.as_ref().filter(is_one) {
        Some(time) if time.median == 0.0 => text!(", at the start"),
        Some(time) => text!(", {when}", clock.at(time.median)),
        None => Text::default(),
    };
    let quantile = |wait: &Option<Estimate>| wait.as_ref().map_or(text!("none"), range_of_spans);
    // A wait that goes on is longer than seen.
    let longest = match pods.never_served.max > 0.0 {
        true => text!("at least {}", quantile(&pods.wait_longest_s)),
        false => quantile(&pods.wait_longest_s),
    };
    text!(
        "Wait for an address: p50 {}, p99 {}; the longest {}; most waiting at once {}{when}.",
        quantile(&pods.wait_p50_s),
        quantile(&pods.wait_p99_s),
        longest,
        count(pods.most_waiting.max),
        when
    )
}

fn vswitches(summary: &Summary, lang: Lang) -> String {
    let leaked = summary.vswitches.iter().any(|v| v.mean.leaked.max + v.end.leaked.max > 0.0);
    let reserved = summary.vswitches.iter().any(|v| v.end.reserved.is_some());
    let held = summary.vswitches.iter().any(|v| v.end.held.is_some());
    let header = [
        Some(phrase!("vSwitch").words()),
        Some(phrase!("usable").words()),
        Some(Text::default()),
        Some(phrase!("pods").words()),
        Some(phrase!("idle").words()),
        leaked.then(|| phrase!("leaked").words()),
        Some(phrase!("primary").words()),
        Some(phrase!("other").words()),
        Some(phrase!("free").words()),
        reserved.then(|| phrase!("reserved").words()),
        held.then(|| phrase!("held").words()),
        Some(phrase!("least").words()),
        Some(phrase!("full").words()),
    ];
    let mut rows = Vec::new();
    for vswitch in summary.vswitches.iter().take(MOST_ROWS) {
        let full = vswitch.time_to_full_s.map_or("-".words(), |time| summary.method.clock.point(time.median));
        let mut mean = vec![shorten(&vswitch.id).words(), count(vswitch.usable.into()).words(), text!("mean")];
        mean.extend(holders(&vswitch.mean, leaked, reserved, held));
        mean.extend([count(vswitch.least_free.min).words(), full]);
        let mut end = vec![Text::default(), Text::default(), text!("end")];
        end.extend(holders(&vswitch.end, leaked, reserved, held));
        // The time is of the runs in which it is full.
        let is_told = vswitch.full.hits > 0 && !vswitch.full.always();
        let runs = is_told.then(|| text!("{} of {}", vswitch.full.hits, vswitch.full.runs));
        end.extend([Text::default(), runs.unwrap_or_default()]);
        rows.extend([mean, end]);
    }
    let header: Vec<_> = header.into_iter().flatten().collect();
    let more = left_out(summary.vswitches.len(), |n| text!("... and {n} more vSwitches in report.html", n));
    table(&header, &rows, &[0, 2], lang) + &more.say(lang)
}

fn pools(summary: &Summary, lang: Lang) -> String {
    let types =
        summary.pools.windows(2).any(|two| two[0].pool == two[1].pool && two[0].instance_type != two[1].instance_type);
    let names = [Some(phrase!("node pool")), types.then(|| phrase!("type")), Some(phrase!("zone"))];
    let numbers = [phrase!("nodes"), phrase!("ENIs"), phrase!("running"), phrase!("waiting"), phrase!("most waiting")];
    let header: Vec<_> = names.into_iter().flatten().chain(numbers).map(|name| name.words()).collect();
    let left: &[usize] = if types { &[0, 1, 2] } else { &[0, 1] };
    let row = |pool: &crate::outcome::PoolSummary| {
        let numbers = [&pool.nodes, &pool.enis, &pool.running, &pool.waiting];
        let mut row = vec![shorten(&pool.pool)];
        row.extend(types.then(|| shorten(&pool.instance_type)));
        row.push(shorten(&pool.zone));
        row.extend(numbers.map(|n| count(n.mean)));
        row.push(count(pool.most_waiting.max));
        row.iter().map(Words::words).collect()
    };
    let rows: Vec<_> = summary.pools.iter().take(MOST_ROWS).map(row).collect();
    let more = left_out(summary.pools.len(), |n| text!("... and {n} more pools in report.html", n));
    table(&header, &rows, left, lang) + &more.say(lang)
}

/// The parts of a vSwitch; leaked, reserved and held addresses only where there may be any.
fn holders(who: &Holders<Estimate>, leaked: bool, reserved: bool, held: bool) -> impl Iterator<Item = Text> {
    let shown = who.parts().into_iter().enumerate().filter(move |&(i, _)| leaked || i != Holders::POSITIONS.leaked);
    let mean = |part: Option<Estimate>| part.map_or(String::new(), |part| count(part.mean));
    let more = [reserved.then(|| mean(who.reserved)), held.then(|| mean(who.held))];
    let numbers = shown.map(|(_, n)| count(n.mean)).chain(more.into_iter().flatten());
    numbers.map(|number| number.words())
}

/// That some of `all` are not shown, on a line of its own.
fn left_out(all: usize, text: impl Fn(usize) -> Text) -> Text {
    match all.saturating_sub(MOST_ROWS) {
        0 => Text::default(),
        n => "\n".words() + text(n),
    }
}

/// A table whose columns are right-aligned, except those at `left`; they stand nearer to each other
/// where a terminal of 80 columns has no room else.
pub(super) fn table<W: Words>(header: &[impl Words], rows: &[Vec<W>], left: &[usize], lang: Lang) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().map(|cell| cell.words().say(lang)));
    table.add_rows(rows.iter().map(|row| row.iter().map(|cell| cell.words().say(lang)).collect::<Vec<_>>()));
    let mut apart = |spaces| {
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, spaces));
            if !left.contains(&i) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    };
    let text = apart(2);
    if text.lines().all(|line| line.width() <= 80) { text } else { apart(1) }
}

/// A name in at most 16 characters.
fn shorten(name: &str) -> String {
    match name.char_indices().nth(16) {
        None => name.to_owned(),
        Some(_) => name.chars().take(15).chain(['…']).collect(),
    }
}

/// A label, filled with spaces to so many columns.
pub(super) fn padded(label: &str, columns: usize) -> String {
    format!("{label}{}", " ".repeat(columns.saturating_sub(label.width())))
}
