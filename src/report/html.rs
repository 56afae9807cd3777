//! The page: one file that needs nothing else.

mod study;

use anyhow::Context;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::{Plot, Run, policy, sha256};
use crate::outcome::{
    Account, Estimate, MEASURES, Measure, Proportion, Summary, count, counting_text, means_text, measure, plus_minus,
    range_of_spans, span,
};
use crate::record::Holders;
use crate::scenario::{Origin, Setting, Source};
use crate::study::Finding;
use crate::units::{percent, thousands};

const TEMPLATE: &str = include_str!("report.html");

/// What the template shows.
#[derive(Debug, Serialize)]
struct Page<'a> {
    summary: &'a Summary,
    figures: Vec<Figure>,
    policy: Option<Policy>,
    tables: Vec<Table>,
    plots: &'a [Plot],
    settings: Vec<Row<'a>>,
    sources: Vec<File<'a>>,
    /// Every reading over the runs.
    quantiles: Vec<Vec<String>>,
    warnings: Vec<String>,
    reproduce: &'a str,
    measures: &'static [Measure],
}

/// What the run was held to.
#[derive(Debug, Serialize)]
struct Policy {
    headline: String,
    /// Each rule with its decision in a word and the numbers.
    rules: Vec<[String; 3]>,
}

impl Policy {
    /// None without a rule.
    fn of(findings: &[Finding]) -> Option<Self> {
        let row = |finding: &Finding| {
            [policy::word(finding.decision).to_owned(), policy::rule(finding), policy::numbers(finding)]
        };
        let rules = findings.iter().map(row).collect();
        (!findings.is_empty()).then(|| Self { headline: policy::headline(findings), rules })
    }
}

/// A value of the model.
#[derive(Debug, Serialize)]
struct Row<'a> {
    path: &'a str,
    value: &'a str,
    origin: String,
}

/// A file that was read.
#[derive(Debug, Serialize)]
pub(super) struct File<'a> {
    name: &'a str,
    sha256: String,
    text: &'a str,
}

impl<'a> File<'a> {
    pub(super) fn of(source: &'a Source) -> Self {
        Self { name: &source.name, sha256: sha256::hex(source.text.as_bytes()), text: &source.text }
    }
}

/// The page of a run.
pub(super) fn page<'a>(run: &Run<'a>, plots: &[Plot]) -> anyhow::Result<String> {
    let page = Page {
        summary: run.summary,
        figures: figures(run.summary),
        tables: tables(run.summary).into_iter().chain(study::uncertain(run.uncertain)).collect(),
        plots,
        settings: run.settings.iter().map(setting).collect(),
        sources: run.sources.iter().map(File::of).collect(),
        quantiles: study::quantiles(run.summary),
        warnings: run.warnings.iter().cloned().chain(run.summary.vswitches.iter().filter_map(study::warning)).collect(),
        policy: Policy::of(run.findings),
        reproduce: run.reproduce,
        measures: MEASURES,
    };
    render("report.html", TEMPLATE, &page)
}

/// A page from its template, whose name ends in `.html` so that values are escaped.
pub(super) fn render(name: &str, template: &str, page: &impl Serialize) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.add_template(name, template).context("the template of the report")?;
    let template = environment.get_template(name).context("the template of the report")?;
    template.render(Serde(page)).context("the report")
}

/// The style sheet, which other pages share.
pub(super) fn style() -> &'static str {
    let (_, rest) = TEMPLATE.split_once("<style>").expect("the template has a style sheet");
    rest.split_once("</style>").expect("the style sheet ends").0
}

/// One of the three key numbers.
#[derive(Debug, Serialize)]
struct Figure {
    number: String,
    label: String,
}

fn figures(summary: &Summary) -> Vec<Figure> {
    let mut figures = Vec::new();
    if let Some(vswitch) = summary.vswitches.first() {
        figures.push(match &vswitch.time_to_full_s {
            Some(time) => Figure {
                number: summary.method.clock.point(time.median),
                label: format!("{} is full, in {} of {} runs", vswitch.id, vswitch.full.hits, vswitch.full.runs),
            },
            None => Figure {
                number: count(vswitch.least_free.min),
                label: format!("addresses of {} at least are always free", vswitch.id),
            },
        });
        figures.push(match &vswitch.at_full_share {
            Some(who) => Figure {
                number: percent(who.idle.mean),
                label: format!("of the addresses of {} sit idle in node pools then", vswitch.id),
            },
            None => Figure {
                number: percent(vswitch.mean.idle.mean / f64::from(vswitch.usable)),
                label: format!("of the addresses of {} sit idle in node pools, over time", vswitch.id),
            },
        });
    }
    figures.push(match &summary.pods.wait_p99_s {
        Some(wait) if wait.median.is_finite() => Figure {
            number: span(wait.median),
            label: "is what 99 of 100 pods wait at most for their address".to_owned(),
        },
        Some(_) => Figure {
            number: count(summary.pods.never_served.mean),
            label: format!("of {} pods never get an address", count(summary.pods.requested.mean)),
        },
        None => Figure { number: "0".to_owned(), label: "pods asked for an address".to_owned() },
    });
    figures
}

/// A table; the first `names` columns are text, the others numbers.
#[derive(Debug, Serialize)]
struct Table {
    title: &'static str,
    note: String,
    header: Vec<Heading>,
    names: usize,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Heading {
    label: &'static str,
    definition: &'static str,
}

impl Table {
    /// A table with columns of names and of measures.
    fn new(title: &'static str, names: &[&'static str], measures: &[&'static str]) -> Self {
        let names_of = names.iter().map(|&label| Heading { label, definition: "" });
        let measures = measures.iter().map(|name| {
            let measure = measure(name).expect("the table of measures holds what the page shows");
            Heading { label: measure.label, definition: measure.definition }
        });
        let header = names_of.chain(measures).collect();
        Self { title, note: String::new(), header, names: names.len(), rows: Vec::new() }
    }
}

fn tables(summary: &Summary) -> Vec<Table> {
    let addresses = [
        study::actions(summary),
        vswitches(summary),
        study::risk(summary),
        holders(summary),
        at_full(summary),
        counting(summary),
    ];
    let addresses = addresses.into_iter().chain(prefixes(summary));
    let cluster = [limits(summary), pools(summary), zones(summary), pods(summary), unschedulable(summary)];
    let more = [messages(summary), stranded(summary), api_calls(summary), landmarks(summary)];
    addresses.chain(cluster).chain(more).filter(|table| !table.rows.is_empty()).collect()
}

fn vswitches(summary: &Summary) -> Table {
    let measures = [
        "vswitches.full",
        "vswitches.time_to_full_s",
        "vswitches.time_to_empty_s",
        "vswitches.least_free",
        "vswitches.refusals",
    ];
    let mut table = Table::new("vSwitches", &["vSwitch", "zone", "block", "usable"], &measures);
    table.rows.extend(summary.vswitches.iter().map(|v| {
        vec![
            v.id.clone(),
            v.zone.clone(),
            v.cidr.clone(),
            count(v.usable.into()),
            runs(&v.full),
            time(summary, v.time_to_full_s.as_ref()),
            time(summary, v.time_to_empty_s.as_ref()),
            plus_minus(&v.least_free),
            plus_minus(&v.refusals),
        ]
    }));
    table
}

/// Who holds the addresses: a row per vSwitch and way of looking.
fn holders(summary: &Summary) -> Table {
    let mut table = Table::new("Who holds the addresses", &["vSwitch", "as"], &[]);
    table.note = means_text(&summary.vswitches, &summary.method.clock);
    let labels = ["serving pods", "idle in node pools", "leaked", "node primaries", "other tenants", "free"];
    let reserved = summary.vswitches.iter().any(|v| v.end.reserved.is_some());
    let held = summary.vswitches.iter().any(|v| v.end.held.is_some());
    let labels = labels.into_iter().chain(reserved.then_some("kept for prefixes"));
    let labels = labels.chain(held.then_some("held for fixed IPs"));
    table.header.extend(labels.map(|label| Heading { label, definition: "" }));
    for vswitch in &summary.vswitches {
        let mut row = |name: &str, who: &Holders<Estimate>, show: fn(&Estimate) -> String| {
            let kept = reserved.then(|| who.reserved.as_ref().map_or(String::new(), show));
            let held = held.then(|| who.held.as_ref().map_or(String::new(), show));
            let numbers = who.parts().iter().map(show).chain(kept).chain(held).collect::<Vec<_>>();
            table.rows.push([vswitch.id.clone(), name.to_owned()].into_iter().chain(numbers).collect());
        };
        row("mean over time", &vswitch.mean, plus_minus);
        if let Some(who) = &vswitch.at_full_share {
            row("share when first full", who, |n| percent(n.mean));
        }
        row("at the end", &vswitch.end, plus_minus);
    }
    table
}

/// Free addresses beside free /28 blocks: a row per vSwitch from which prefixes come; none without.
fn prefixes(summary: &Summary) -> Option<Table> {
    let columns = [
        "vSwitch",
        "free addresses (end)",
        "free /28 blocks (end)",
        "free /28 blocks (least)",
        "addresses in prefixes (end)",
        "refused requests for prefixes",
        "first refused",
    ];
    let mut table = Table::new("Free addresses and free /28 blocks", &columns, &[]);
    table.rows.extend(summary.vswitches.iter().filter_map(|v| {
        let prefixes = v.prefixes.as_ref()?;
        Some(vec![
            v.id.clone(),
            plus_minus(&v.end.free),
            plus_minus(&prefixes.free_blocks_end),
            plus_minus(&prefixes.free_blocks_least),
            plus_minus(&prefixes.addresses_end),
            plus_minus(&prefixes.refusals),
            time(summary, prefixes.time_to_refusal_s.as_ref()),
        ])
    }));
    (!table.rows.is_empty()).then_some(table)
}

/// A full vSwitch address by address: rows that add up, and what is asked for.
fn at_full(summary: &Summary) -> Table {
    let mut table = Table::new("When first full, address by address", &["vSwitch", "addresses"], &[]);
    table.header.push(Heading { label: "number", definition: "Mean over the runs in which it is full." });
    for vswitch in &summary.vswitches {
        let Some(full) = &vswitch.at_full else { continue };
        let mut row = |about: &str, number: String| {
            table.rows.push(vec![vswitch.id.clone(), about.to_owned(), number]);
        };
        let Account { pods, idle, others } = full.account();
        row("serving pods", thousands(pods));
        idle.iter().for_each(|&(n, about)| row(&format!("idle, {about}"), thousands(n)));
        others.iter().for_each(|(n, about)| row(about, thousands(*n)));
        row("all usable", thousands(vswitch.usable.into()));
        row("asked for by calls under way", plus_minus(&full.asked));
    }
    table
}

/// What counting says beside what the simulation says.
fn counting(summary: &Summary) -> Table {
    let counting = &summary.counting;
    let mut table = Table::new("Counting and simulation", &["how"], &[]);
    let Some(text) = counting_text(summary) else { return table };
    table.note = text;
    let full = measure("counting.time_to_full_s").expect("the table of measures holds what the page shows");
    table.header.extend(["full in", "full"].map(|label| Heading { label, definition: full.definition }));
    let rows = [
        ("counting pods against usable addresses", &counting.full, &counting.time_to_full_s),
        ("simulation: the first vSwitch of pods", &counting.simulated_full, &counting.simulated_time_to_full_s),
    ];
    table.rows.extend(rows.map(|(how, full, at)| vec![how.to_owned(), runs(full), time(summary, at.as_ref())]));
    table
}

fn zones(summary: &Summary) -> Table {
    let measures = ["zones.nodes", "zones.most_nodes", "zones.pods", "zones.most_pods"];
    let mut table = Table::new("Zones", &["zone"], &measures);
    let Some(skew) = &summary.most_zone_skew else { return table };
    table.note = format!("The largest difference in pods between two zones was {}.", plus_minus(skew));
    table.rows.extend(summary.zones.iter().map(|zone| {
        let numbers = [&zone.nodes, &zone.most_nodes, &zone.pods, &zone.most_pods];
        [zone.zone.clone()].into_iter().chain(numbers.map(plus_minus)).collect()
    }));
    table
}

fn unschedulable(summary: &Summary) -> Table {
    let mut table = Table::new("Pods without a node", &["why"], &["pods.unschedulable_by.pods"]);
    table.rows.extend(summary.pods.unschedulable_by.iter().map(|why| vec![why.text.clone(), plus_minus(&why.pods)]));
    table
}

fn limits(summary: &Summary) -> Table {
    let measures = ["limits.bound", "limits.bound_first", "limits.time_to_bind_s"];
    let mut table = Table::new("What binds", &["limit"], &measures);
    table.rows.extend(summary.limits.iter().map(|limit| {
        vec![
            limit.text.clone(),
            runs(&limit.bound),
            runs(&limit.bound_first),
            time(summary, Some(&limit.time_to_bind_s)),
        ]
    }));
    table
}

fn pools(summary: &Summary) -> Table {
    let measures = [
        "pools.nodes",
        "pools.enis",
        "pools.running",
        "pools.waiting",
        "pools.terminating",
        "pools.most_waiting",
        "pools.nodes_refused",
    ];
    let mut table = Table::new("Node pools", &["pool", "zone", "instance type", "max pods"], &measures);
    table.note = "At the end of the run, unless the heading says otherwise.".to_owned();
    table.rows.extend(summary.pools.iter().map(|pool| {
        let names = [pool.pool.clone(), pool.zone.clone(), pool.instance_type.clone(), pool.max_pods.to_string()];
        let pods = [&pool.running, &pool.waiting, &pool.terminating, &pool.most_waiting];
        let numbers = [&pool.nodes, &pool.enis].into_iter().chain(pods).chain([&pool.nodes_refused]);
        names.into_iter().chain(numbers.map(plus_minus)).collect()
    }));
    table
}

/// Pods: a row per measure, since they are many and of one thing.
fn pods(summary: &Summary) -> Table {
    let pods = &summary.pods;
    let counts = [
        ("pods.requested", &pods.requested),
        ("pods.served", &pods.served),
        ("pods.never_served", &pods.never_served),
        ("pods.waiting_at_end", &pods.waiting_at_end),
        ("pods.most_waiting", &pods.most_waiting),
        ("pods.unschedulable_at_end", &pods.unschedulable_at_end),
        ("pods.most_unschedulable", &pods.most_unschedulable),
        ("pods.unschedulable_pod_h", &pods.unschedulable_pod_h),
        ("pods.waiting_pod_h", &pods.waiting_pod_h),
    ];
    let waits = [
        ("pods.wait_p50_s", &pods.wait_p50_s),
        ("pods.wait_p99_s", &pods.wait_p99_s),
        ("pods.wait_longest_s", &pods.wait_longest_s),
        ("pods.unschedulable_p50_s", &pods.unschedulable_p50_s),
        ("pods.unschedulable_longest_s", &pods.unschedulable_longest_s),
    ];
    let when = summary.pods.most_waiting_s.as_ref();
    let row = |name: &str, value: String| {
        let measure = measure(name).expect("the table of measures holds what the page shows");
        vec![measure.label.to_owned(), value]
    };
    let mut table = Table::new("Pods and their waits", &["measure"], &[]);
    table.header.push(Heading { label: "value", definition: "" });
    table.rows.extend(counts.map(|(name, value)| row(name, plus_minus(value))));
    table.rows.push(row("pods.most_waiting_s", time(summary, when)));
    table.rows.extend(waits.map(|(name, value)| row(name, value.as_ref().map_or("none".to_owned(), range_of_spans))));
    table
}

fn messages(summary: &Summary) -> Table {
    let mut table = Table::new("What users see", &["message", "where"], &["messages.times"]);
    table.rows.extend(summary.messages.iter().map(|message| {
        let times = message.times.as_ref().map_or("not counted".to_owned(), plus_minus);
        vec![message.text.clone(), message.place.to_owned(), times]
    }));
    table
}

fn stranded(summary: &Summary) -> Table {
    let mut table =
        Table::new("Free, yet unusable addresses", &["vSwitch", "why"], &["stranded.found", "stranded.addresses"]);
    table.rows.extend(summary.stranded.iter().map(|stranded| {
        let (found, addresses) = (runs(&stranded.found), plus_minus(&stranded.addresses));
        vec![stranded.vswitch.clone(), stranded.reason.to_owned(), found, addresses]
    }));
    table
}

fn api_calls(summary: &Summary) -> Table {
    let mut table = Table::new("OpenAPI calls", &["action"], &["api_calls.calls", "api_calls.refused.calls"]);
    table.rows.extend(summary.api_calls.iter().map(|api| {
        let refused = api.refused.iter().map(|refusals| format!("{} {}", plus_minus(&refusals.calls), refusals.code));
        let refused = refused.collect::<Vec<_>>().join(", ");
        let refused = if refused.is_empty() { "0".to_owned() } else { refused };
        vec![api.action.to_owned(), plus_minus(&api.calls), refused]
    }));
    table
}

fn landmarks(summary: &Summary) -> Table {
    let mut table =
        Table::new("What happened", &["what"], &["landmarks.happened", "landmarks.time_s", "landmarks.times"]);
    table.rows.extend(summary.landmarks.iter().map(|mark| {
        let time = time(summary, Some(&mark.time_s));
        vec![mark.text.clone(), runs(&mark.happened), time, plus_minus(&mark.times)]
    }));
    table
}

/// `14 of 20 (48 to 85 %)`.
fn runs(happened: &Proportion) -> String {
    let interval = happened.interval.filter(|_| !happened.never() && !happened.always());
    let interval = interval.map(|i| format!(" ({:.0} to {:.0} %)", i.low * 100.0, i.high * 100.0));
    format!("{} of {}{}", happened.hits, happened.runs, interval.unwrap_or_default())
}

/// `day 41 (day 38 to 44)`: the median and the 5 and 95 % quantiles.
fn time(summary: &Summary, time: Option<&Estimate>) -> String {
    let Some(time) = time else { return "never".to_owned() };
    let clock = &summary.method.clock;
    let (point, range) = (clock.point(time.median), clock.range(time.p5, time.p95));
    if point == range { point } else { format!("{point} ({range})") }
}

fn setting(setting: &Setting) -> Row<'_> {
    let origin = match &setting.origin {
        Origin::File { name, line } => format!("{name}, line {line}"),
        Origin::Default { source } => format!("default: {source}"),
        Origin::Changed { from, source } => format!("changed from {from}: {source}"),
        Origin::Command => "command line".to_owned(),
    };
    Row { path: &setting.path, value: &setting.value, origin }
}
