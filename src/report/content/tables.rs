//! Tables of a report.

use serde::Serialize;

use crate::outcome::{
    Account, Estimate, Proportion, Summary, count, counting_text, in_parentheses, means_text, measure, plus_minus,
    range_of_spans, whole_percents,
};
use crate::record::Holders;
use crate::text::{LIST, Lang, Phrase, Text, Words, phrase, text};
use crate::units::{percent, thousands};

/// A table; the first `names` columns are text, the others numbers.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Table<T = Text> {
    pub(in crate::report) title: T,
    pub(in crate::report) note: T,
    pub(in crate::report) header: Vec<Heading<T>>,
    pub(in crate::report) names: usize,
    pub(in crate::report) rows: Vec<Vec<Cell<T>>>,
}

#[derive(Debug, Serialize)]
pub(in crate::report) struct Heading<T = Text> {
    pub(in crate::report) label: T,
    /// Empty if the label says it all.
    pub(in crate::report) definition: T,
}

/// What stands in a row.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Cell<T = Text> {
    pub(in crate::report) text: T,
    /// Whether it is what nobody wants to see, and has to stand out.
    pub(in crate::report) is_bad: bool,
}

impl<W: Words> From<W> for Cell {
    fn from(text: W) -> Self {
        Self { text: text.words(), is_bad: false }
    }
}

impl Cell {
    /// A number that stands out.
    fn bad_if(is_bad: bool, text: impl Words) -> Self {
        Self { text: text.words(), is_bad }
    }

    /// A count that should be 0 in every run.
    fn wanted_0(estimate: &Estimate) -> Self {
        Self::bad_if(estimate.max > 0.0, plus_minus(estimate))
    }

    /// It in a language.
    pub(in crate::report) fn say(&self, lang: Lang) -> Cell<String> {
        Cell { text: self.text.say(lang), is_bad: self.is_bad }
    }
}

impl Heading {
    fn plain(label: Phrase) -> Self {
        Self { label: label.words(), definition: Text::default() }
    }

    fn of(name: &str) -> Self {
        let measure = measure(name).expect("the table of measures holds what the page shows");
        Self { label: measure.label.words(), definition: measure.definition.words() }
    }
}

impl Table {
    /// A table with columns of names and of measures.
    pub(super) fn new(title: Phrase, names: &[Phrase], measures: &[&str]) -> Self {
        let header = names.iter().map(|&label| Heading::plain(label));
        let header = header.chain(measures.iter().map(|name| Heading::of(name))).collect();
        Self { title: title.words(), note: Text::default(), header, names: names.len(), rows: Vec::new() }
    }

    pub(super) fn push<C: Into<Cell>>(&mut self, row: impl IntoIterator<Item = C>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }

    /// It in a language.
    pub(in crate::report) fn say(&self, lang: Lang) -> Table<String> {
        let heading = |of: &Heading| Heading { label: of.label.say(lang), definition: of.definition.say(lang) };
        Table {
            title: self.title.say(lang),
            note: self.note.say(lang),
            header: self.header.iter().map(heading).collect(),
            names: self.names,
            rows: self.rows.iter().map(|row| row.iter().map(|cell| cell.say(lang)).collect()).collect(),
        }
    }
}

pub(super) fn vswitches(summary: &Summary) -> Table {
    let measures = [
        "vswitches.full",
        "vswitches.time_to_full_s",
        "vswitches.time_to_empty_s",
        "vswitches.least_free",
        "vswitches.refusals",
    ];
    let mut table = Table::new(
        phrase!("vSwitches"),
        &[phrase!("vSwitch"), phrase!("zone"), phrase!("block"), phrase!("usable")],
        &measures,
    );
    for v in &summary.vswitches {
        let is_full = !v.full.never();
        table.push([
            v.id.clone().into(),
            v.zone.clone().into(),
            v.cidr.clone().into(),
            count(v.usable.into()).into(),
            Cell::bad_if(is_full, runs(&v.full)),
            Cell::bad_if(is_full, time(summary, v.time_to_full_s.as_ref())),
            Cell::bad_if(v.time_to_empty_s.is_some(), time(summary, v.time_to_empty_s.as_ref())),
            Cell::bad_if(v.least_free.min == 0.0, plus_minus(&v.least_free)),
            Cell::wanted_0(&v.refusals),
        ]);
    }
    table
}

/// Who holds the addresses: a row per vSwitch and way of looking.
pub(super) fn holders(summary: &Summary) -> Table {
    let mut table = Table::new(phrase!("Who holds the addresses"), &[phrase!("vSwitch"), phrase!("as")], &[]);
    table.note = means_text(&summary.vswitches, &summary.method.clock);
    let labels = [
        phrase!("serving pods"),
        phrase!("idle in node pools"),
        phrase!("leaked"),
        phrase!("node primaries"),
        phrase!("other tenants"),
        phrase!("free"),
    ];
    let reserved = summary.vswitches.iter().any(|v| v.end.reserved.is_some());
    let held = summary.vswitches.iter().any(|v| v.end.held.is_some());
    let labels = labels.into_iter().chain(reserved.then(|| phrase!("kept for prefixes")));
    let labels = labels.chain(held.then(|| phrase!("held for fixed IPs")));
    table.header.extend(labels.map(Heading::plain));
    for vswitch in &summary.vswitches {
        let mut row = |name: Phrase, numbers: Vec<Text>| {
            table.push([vswitch.id.words(), name.words()].into_iter().chain(numbers));
        };
        row(phrase!("mean over time"), cells(&vswitch.mean, reserved, held, plus_minus));
        if let Some(who) = &vswitch.at_full_share {
            let shares = cells(&whole_percents(who), reserved, held, |&share| percent(share).words());
            row(phrase!("share when first full"), shares);
        }
        row(phrase!("at the end"), cells(&vswitch.end, reserved, held, plus_minus));
    }
    table
}

/// The parts of a vSwitch; reserved and held addresses only where there may be any.
fn cells<N: Copy>(who: &Holders<N>, reserved: bool, held: bool, show: fn(&N) -> Text) -> Vec<Text> {
    let more = [reserved.then_some(who.reserved), held.then_some(who.held)].into_iter().flatten();
    let more = more.map(|part| part.as_ref().map_or(Text::default(), show));
    who.parts().iter().map(show).chain(more).collect()
}

/// Free addresses beside free /28 blocks: a row per vSwitch from which prefixes come; none without.
pub(super) fn prefixes(summary: &Summary) -> Option<Table> {
    let columns = [
        phrase!("vSwitch"),
        phrase!("free addresses (end)"),
        phrase!("free /28 blocks (end)"),
        phrase!("free /28 blocks (least)"),
        phrase!("addresses in prefixes (end)"),
        phrase!("refused requests for prefixes"),
        phrase!("first refused"),
    ];
    let mut table = Table::new(phrase!("Free addresses and free /28 blocks"), &columns, &[]);
    for v in &summary.vswitches {
        let Some(prefixes) = &v.prefixes else { continue };
        table.push([
            v.id.clone().into(),
            plus_minus(&v.end.free).into(),
            plus_minus(&prefixes.free_blocks_end).into(),
            Cell::bad_if(prefixes.free_blocks_least.min == 0.0, plus_minus(&prefixes.free_blocks_least)),
            plus_minus(&prefixes.addresses_end).into(),
            Cell::wanted_0(&prefixes.refusals),
            time(summary, prefixes.time_to_refusal_s.as_ref()).into(),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// A full vSwitch address by address: rows that add up, and what is asked for.
pub(super) fn at_full(summary: &Summary) -> Table {
    let mut table = Table::new(
        phrase!("When first full, address by address"),
        &[phrase!("vSwitch"), phrase!("which addresses")],
        &[],
    );
    table.header.push(Heading { label: text!("number"), definition: text!("Mean over the runs in which it is full.") });
    for vswitch in &summary.vswitches {
        let Some(full) = &vswitch.at_full else { continue };
        let mut row = |about: Text, number: Text| table.push([vswitch.id.words(), about, number]);
        let Account { pods, idle, others } = full.account();
        row(text!("serving pods"), thousands(pods).words());
        idle.iter().for_each(|&(n, about)| row(text!("idle, {about}", about), thousands(n).words()));
        others.iter().for_each(|(n, about)| row(about.clone(), thousands(*n).words()));
        row(text!("all usable"), thousands(vswitch.usable.into()).words());
        row(text!("asked for by calls under way"), plus_minus(&full.asked));
    }
    table
}

/// What counting says beside what the simulation says.
pub(super) fn counting(summary: &Summary) -> Table {
    let counting = &summary.counting;
    let mut table = Table::new(phrase!("Counting and simulation"), &[phrase!("how")], &[]);
    let Some(text) = counting_text(summary) else { return table };
    table.note = text;
    let full = measure("counting.time_to_full_s").expect("the table of measures holds what the page shows");
    let labels = [phrase!("full in"), phrase!("full")];
    let heading = |label: Phrase| Heading { label: label.words(), definition: full.definition.words() };
    table.header.extend(labels.map(heading));
    let rows = [
        (phrase!("counting pods against usable addresses"), &counting.full, &counting.time_to_full_s),
        (
            phrase!("simulation: the first vSwitch of pods"),
            &counting.simulated_full,
            &counting.simulated_time_to_full_s,
        ),
    ];
    rows.into_iter().for_each(|(how, full, at)| table.push([how.words(), runs(full), time(summary, at.as_ref())]));
    table
}

pub(super) fn zones(summary: &Summary) -> Table {
    let measures = ["zones.nodes", "zones.most_nodes", "zones.pods", "zones.most_pods"];
    let mut table = Table::new(phrase!("Zones"), &[phrase!("zone")], &measures);
    let Some(skew) = &summary.most_zone_skew else { return table };
    table.note = text!("The largest difference in pods between two zones was {}.", plus_minus(skew));
    for zone in &summary.zones {
        let numbers = [&zone.nodes, &zone.most_nodes, &zone.pods, &zone.most_pods];
        table.push([zone.zone.words()].into_iter().chain(numbers.map(plus_minus)));
    }
    table
}

pub(super) fn unschedulable(summary: &Summary) -> Table {
    let mut table = Table::new(
        phrase!("Pods without a node"),
        &[phrase!("why")],
        &["pods.unschedulable_by.pods", "pods.unschedulable_by.at_end"],
    );
    let reasons = summary.pods.unschedulable_by.iter();
    reasons.for_each(|why| table.push([why.text.clone(), plus_minus(&why.pods), plus_minus(&why.at_end)]));
    table
}

pub(super) fn limits(summary: &Summary) -> Table {
    let measures = ["limits.bound", "limits.bound_first", "limits.time_to_bind_s"];
    let mut table = Table::new(phrase!("What binds"), &[phrase!("limit")], &measures);
    for limit in &summary.limits {
        let when = time(summary, Some(&limit.time_to_bind_s));
        table.push([limit.text.clone(), runs(&limit.bound), runs(&limit.bound_first), when]);
    }
    table
}

pub(super) fn pools(summary: &Summary) -> Table {
    let measures = [
        "pools.nodes",
        "pools.enis",
        "pools.running",
        "pools.waiting",
        "pools.terminating",
        "pools.most_waiting",
        "pools.nodes_refused",
    ];
    let mut table = Table::new(
        phrase!("Node pools"),
        &[phrase!("pool"), phrase!("zone"), phrase!("instance type"), phrase!("max pods")],
        &measures,
    );
    table.note = text!("At the end of the run, unless the heading says otherwise.");
    for pool in &summary.pools {
        table.push([
            pool.pool.clone().into(),
            pool.zone.clone().into(),
            pool.instance_type.clone().into(),
            pool.max_pods.to_string().into(),
            plus_minus(&pool.nodes).into(),
            plus_minus(&pool.enis).into(),
            plus_minus(&pool.running).into(),
            Cell::wanted_0(&pool.waiting),
            plus_minus(&pool.terminating).into(),
            plus_minus(&pool.most_waiting).into(),
            Cell::wanted_0(&pool.nodes_refused),
        ]);
    }
    table
}

/// Pods: a row per measure, since they are many and of one thing.
pub(super) fn pods(summary: &Summary) -> Table {
    let pods = &summary.pods;
    let counts = [
        ("pods.requested", &pods.requested, false),
        ("pods.served", &pods.served, false),
        ("pods.never_served", &pods.never_served, true),
        ("pods.waiting_at_end", &pods.waiting_at_end, true),
        ("pods.most_waiting", &pods.most_waiting, false),
        ("pods.unschedulable_at_end", &pods.unschedulable_at_end, true),
        ("pods.most_unschedulable", &pods.most_unschedulable, false),
        ("pods.unschedulable_pod_h", &pods.unschedulable_pod_h, false),
        ("pods.waiting_pod_h", &pods.waiting_pod_h, false),
    ];
    let waits = [
        ("pods.wait_p50_s", &pods.wait_p50_s),
        ("pods.wait_p99_s", &pods.wait_p99_s),
        ("pods.wait_longest_s", &pods.wait_longest_s),
        ("pods.unschedulable_p50_s", &pods.unschedulable_p50_s),
        ("pods.unschedulable_longest_s", &pods.unschedulable_longest_s),
    ];
    let when = summary.pods.most_waiting_s.as_ref();
    let row = |name: &str, value: Cell| {
        let measure = measure(name).expect("the table of measures holds what the page shows");
        [measure.label.into(), value]
    };
    let wait = |estimate: &Option<Estimate>| match estimate {
        None => text!("none").into(),
        Some(wait) => Cell::bad_if(wait.max.is_infinite(), range_of_spans(wait)),
    };
    let mut table = Table::new(phrase!("Pods and their waits"), &[phrase!("measure")], &[]);
    table.header.push(Heading::plain(phrase!("value")));
    for (name, value, is_bad) in counts {
        table.push(row(name, Cell::bad_if(is_bad && value.max > 0.0, plus_minus(value))));
    }
    table.push(row("pods.most_waiting_s", time(summary, when).into()));
    waits.into_iter().for_each(|(name, value)| table.push(row(name, wait(value))));
    if pods.failed_jobs.max > 0.0 {
        table.push(row("pods.failed_jobs", Cell::bad_if(true, plus_minus(&pods.failed_jobs))));
    }
    table
}

/// Interfaces at the end: they, not only addresses, run out.
pub(super) fn enis(summary: &Summary) -> Table {
    let mut table = Table::new(
        phrase!("ENIs at the end"),
        &[phrase!("pool"), phrase!("zone"), phrase!("instance type")],
        &["pools.enis", "pools.nodes"],
    );
    table
        .header
        .push(Heading { label: text!("ENIs a node"), definition: text!("Mean ENIs by mean nodes at the end.") });
    for pool in summary.pools.iter().filter(|pool| pool.nodes.max > 0.0) {
        let a_node = format!("{:.2}", pool.enis.mean / pool.nodes.mean);
        let names = [&pool.pool, &pool.zone, &pool.instance_type].map(Words::words);
        table.push(names.into_iter().chain([plus_minus(&pool.enis), plus_minus(&pool.nodes), a_node.words()]));
    }
    table
}

pub(super) fn messages(summary: &Summary) -> Table {
    let mut table = Table::new(phrase!("What users see"), &[phrase!("message"), phrase!("where")], &["messages.times"]);
    for message in &summary.messages {
        let times = message.times.as_ref().map_or(text!("not counted"), plus_minus);
        table.push([message.text.words(), message.place.words(), times]);
    }
    table
}

pub(super) fn stranded(summary: &Summary) -> Table {
    let mut table = Table::new(
        phrase!("Free, yet unusable addresses"),
        &[phrase!("vSwitch"), phrase!("why")],
        &["stranded.found", "stranded.addresses"],
    );
    for stranded in &summary.stranded {
        let (vswitch, reason) = (stranded.vswitch.clone().into(), stranded.reason.clone().into());
        table.push([vswitch, reason, runs(&stranded.found).into(), Cell::wanted_0(&stranded.addresses)]);
    }
    table
}

/// Defects of a Terway of before v1.7 that struck.
pub(super) fn defects(summary: &Summary) -> Table {
    let measures = ["defects.struck", "defects.first_s", "defects.times", "defects.nodes"];
    let mut table = Table::new(phrase!("Defects of Terway"), &[phrase!("defect")], &measures);
    for defect in &summary.defects {
        table.push([
            defect.text.words().into(),
            Cell::bad_if(true, runs(&defect.struck)),
            time(summary, Some(&defect.first_s)).into(),
            plus_minus(&defect.times).into(),
            plus_minus(&defect.nodes).into(),
        ]);
    }
    table
}

/// Nodes that wait for their trunks.
pub(super) fn trunkless(summary: &Summary) -> Table {
    let measures = ["trunkless.happened", "trunkless.first_s", "trunkless.nodes", "trunkless.at_end"];
    let mut table = Table::new(phrase!("Nodes without a trunk interface"), &[phrase!("why")], &measures);
    for trunkless in &summary.trunkless {
        table.push([
            trunkless.text.clone().into(),
            Cell::bad_if(true, runs(&trunkless.happened)),
            time(summary, Some(&trunkless.first_s)).into(),
            plus_minus(&trunkless.nodes).into(),
            Cell::wanted_0(&trunkless.at_end),
        ]);
    }
    table
}

pub(super) fn api_calls(summary: &Summary) -> Table {
    let mut table =
        Table::new(phrase!("OpenAPI calls"), &[phrase!("action")], &["api_calls.calls", "api_calls.refused.calls"]);
    for api in &summary.api_calls {
        let refused =
            api.refused.iter().map(|refusals| text!("{calls} {code}", plus_minus(&refusals.calls), refusals.code));
        let refused = Text::list(refused, LIST);
        let refused = if refused.is_empty() { "0".words() } else { refused };
        let refused = Cell::bad_if(!api.refused.is_empty(), refused);
        table.push([api.action.to_owned().into(), plus_minus(&api.calls).into(), refused]);
    }
    table
}

pub(super) fn landmarks(summary: &Summary) -> Table {
    let mut table = Table::new(
        phrase!("What happened"),
        &[phrase!("what")],
        &["landmarks.happened", "landmarks.time_s", "landmarks.times"],
    );
    for mark in &summary.landmarks {
        let time = time(summary, Some(&mark.time_s));
        table.push([mark.text.clone(), runs(&mark.happened), time, plus_minus(&mark.times)]);
    }
    table
}

/// `14 of 20 (48 to 85 %)`.
pub(super) fn runs(happened: &Proportion) -> Text {
    let interval = happened.interval.filter(|_| !happened.never() && !happened.always());
    text!("{} of {}{}", happened.hits, happened.runs, in_parentheses(interval.as_ref()))
}

/// `day 41 (day 38 to 44)`: the median and the 5 and 95 % quantiles.
pub(super) fn time(summary: &Summary, time: Option<&Estimate>) -> Text {
    let Some(time) = time else { return text!("never") };
    let clock = &summary.method.clock;
    let (point, range) = (clock.point(time.median), clock.range(time.p5, time.p95));
    if point == range { point } else { text!("{point} ({range})", point, range) }
}
