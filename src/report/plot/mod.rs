//! Plots: who holds the addresses of each vSwitch over time, where the pods are, how long they
//! waited.

mod axes;
mod calls;
mod canvas;
mod chart;
mod fleet;
pub(super) mod heat;
mod levels;
pub(super) mod line;
mod lines;
mod overlay;
#[cfg(feature = "png")]
pub(super) mod png;
mod reduce;
mod risk;
pub(super) mod scatter;
mod waits;

pub(super) use chart::{Chart, Grid};
pub(super) use overlay::overlay;

use crate::id::VSwitchId;
use crate::model::{GroupKey, Model, PoolZone};
use crate::outcome::{ANY, Clock, FEW_RUNS, Risk, Summary};
use crate::record::{GroupLevels, Recording};
use crate::text::{Lang, Text, Words, phrase, text, unit};
use levels::{Layer, Levels, Strip, Waiting};
use risk::{Fan, Survival};

/// A plot.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Plot {
    /// Name of its file, without the ending.
    pub name: String,
    /// What it shows, as a sentence.
    pub caption: String,
    /// The picture.
    pub svg: String,
}

/// Share of its range from which on what runs do not agree on is drawn.
const WORTH_A_PICTURE: f64 = 0.01;
/// Most vSwitches in one picture.
const MOST_CURVES: usize = canvas::SERIES.len();
/// Rows of all pictures together and of one picture: they are most of a page of up to 6 MB. A year of four rows a day is drawn
/// as it is.
const ROWS: usize = 33_000;
const ROWS_OF_ONE: std::ops::RangeInclusive<usize> = 100..=1_500;

/// A picture of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    /// What it is about.
    pub(super) about: About,
    /// As a file.
    pub(super) plot: Plot,
    /// What it shows over time; none if it shows something else.
    pub(super) chart: Option<Chart>,
    /// The table behind it.
    pub(super) grid: Grid,
}

/// What a picture is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    VSwitches,
    Pools,
    Pods,
    Api,
    Enis,
}

impl Picture {
    fn new(about: About, plot: Plot, chart: Chart, clock: &Clock, lang: Lang) -> Self {
        Self { about, plot, grid: chart.grid(clock, lang), chart: Some(chart) }
    }

    fn of_levels(about: About, name: &str, caption: Text, levels: &Levels, lang: Lang) -> Self {
        let plot = Plot { name: super::file_name(name), caption: caption.say(lang), svg: levels::draw(levels, lang) };
        Self::new(about, plot, Chart::of_levels(levels, lang), levels.clock, lang)
    }
}

/// Every picture of a run: the risk, the vSwitches in the order of the summary, the pods, the waits,
/// nodes and interfaces.
pub(super) fn all(model: &Model, summary: &Summary, recordings: &[Recording], lang: Lang) -> Vec<Picture> {
    let pictures = 2 * model.vpc.vswitches.len() + model.node_pools.len() + 6;
    let rows = (ROWS / pictures).clamp(*ROWS_OF_ONE.start(), *ROWS_OF_ONE.end());
    let mut all: Vec<_> = of_risk(summary, rows, lang).into_iter().collect();
    all.extend(of_vswitches(model, summary, recordings, rows, lang));
    let whole = text!("Pods of the whole cluster that want an address of their own.");
    let pods = of_pods(model, summary, recordings, None).reduced(rows);
    all.push(Picture::of_levels(About::Pods, "pods", whole, &pods, lang));
    if summary.pods.served.max > 0.0 {
        all.push(of_waits(summary, lang));
    }
    if summary.zones.len() > 1 {
        let caption = text!("Pods by the zone of their node: running, waiting for an address, or terminating.");
        let zones = of_zones(model, summary, recordings).reduced(rows);
        all.push(Picture::of_levels(About::Pools, "zones", caption, &zones, lang));
    }
    all.extend(calls::picture(summary, recordings, rows, lang));
    all.extend(fleet::pictures(model, summary, recordings, rows, lang));
    if model.node_pools.len() > 1 {
        all.extend(model.node_pools.iter().enumerate().map(|(i, pool)| {
            let caption = text!("Pods on the nodes of pool {}.", pool.name);
            let pods = of_pods(model, summary, recordings, Some(i)).reduced(rows);
            Picture::of_levels(About::Pools, &format!("pods-{}", pool.name), caption, &pods, lang)
        }));
    }
    number_doubles(all.iter_mut().map(|picture| &mut picture.plot));
    all
}

/// Who holds the addresses of each vSwitch, and how many are free.
fn of_vswitches(model: &Model, summary: &Summary, recordings: &[Recording], rows: usize, lang: Lang) -> Vec<Picture> {
    let mut all = Vec::new();
    for vswitch in &summary.vswitches {
        let i = model.vpc.vswitches.iter().position(|v| v.id == vswitch.id).expect("the summary is of this model");
        all.extend(of_vswitch(model, summary, recordings, i).map(|levels| {
            let caption = text!("Who holds the addresses of {} ({}, {}).", vswitch.id, vswitch.cidr, vswitch.zone);
            let name = format!("vswitch-{}", vswitch.id);
            Picture::of_levels(About::VSwitches, &name, caption, &levels.reduced(rows), lang)
        }));
        all.extend(of_free(model, summary, recordings, i).filter(|_| vswitch.serves_pods).map(|fan| {
            let (fan, name) = (fan.reduced(rows), format!("free-{}", vswitch.id));
            let caption = text!("How many addresses of {} are free, and how far the runs agree on it.", vswitch.id);
            let plot = Plot { name: super::file_name(&name), caption: caption.say(lang), svg: fan.draw(lang) };
            Picture::new(About::VSwitches, plot, Chart::of_fan(&fan, lang), fan.clock, lang)
        }));
    }
    all
}

/// How long pods waited: bars, not curves.
fn of_waits(summary: &Summary, lang: Lang) -> Picture {
    let (name, svg) = ("waits".to_owned(), waits::draw(&summary.pods, lang));
    let caption = text!("How long pods waited for their address (mean over the runs).");
    Picture {
        about: About::Pods,
        plot: Plot { name, caption: caption.say(lang), svg },
        chart: None,
        grid: waits::grid(&summary.pods, lang),
    }
}

/// Who holds the addresses of vSwitch `i`, from its beginning on; none if it never comes to be.
fn of_vswitch<'a>(model: &'a Model, summary: &'a Summary, recordings: &'a [Recording], i: usize) -> Option<Levels<'a>> {
    let vswitch = &model.vpc.vswitches[i];
    let id = VSwitchId::new(i);
    let groups: Vec<usize> = groups(model, |_, zone| zone.daemon.vswitches().contains(&id));
    // Before it begins in a run, that run says nothing of it.
    let mean = |value: &dyn Fn(&Recording, usize) -> f64| {
        let rows = 0..recordings[0].timeline.at.len();
        let of_row = |row| recordings.iter().filter(move |r| exists(model, r, i, row)).map(move |r| value(r, row));
        rows.map(|row| of_row(row).sum::<f64>() / of_row(row).count().max(1) as f64).collect::<Vec<_>>()
    };
    let holders = |part: fn(&crate::record::Holders<u32>) -> u32| {
        mean(&move |r, row| f64::from(part(&r.timeline.vswitches[i][row])))
    };
    let usable = f64::from(crate::address::usable(vswitch.cidr));
    let reserved = (!vswitch.prefix_reservations.is_empty()).then(|| Layer {
        name: text!("free, kept for prefixes"),
        color: canvas::SKY,
        values: mean(&|r, row| f64::from(r.timeline.vswitches[i][row].reserved.unwrap_or(0))),
    });
    let held = model.holds_addresses(id).then(|| Layer {
        name: text!("held for fixed IPs"),
        color: canvas::YELLOW,
        values: mean(&|r, row| f64::from(r.timeline.vswitches[i][row].held.unwrap_or(0))),
    });
    let total = |r: &Recording, row: usize| {
        if exists(model, r, i, row) { usable - f64::from(r.timeline.vswitches[i][row].free) } else { 0.0 }
    };
    let levels = Levels {
        title: text!("{}: addresses in use", vswitch.id),
        unit: unit!("addresses"),
        clock: &summary.method.clock,
        at: times(recordings),
        layers: [
            Layer { name: text!("serving pods"), color: canvas::BLUE, values: holders(|h| h.pods) },
            Layer { name: text!("idle in node pools"), color: canvas::ORANGE, values: holders(|h| h.idle) },
            Layer { name: text!("leaked"), color: canvas::PURPLE, values: holders(|h| h.leaked) },
            Layer { name: text!("node primaries"), color: canvas::GREEN, values: holders(|h| h.primaries) },
            Layer { name: text!("other tenants"), color: canvas::GREY, values: holders(|h| h.others) },
        ]
        .into_iter()
        .chain(held)
        .chain(reserved)
        .collect(),
        capacity: Some(usable),
        band: band(recordings, total),
        peak: mean(&|r, row| usable - f64::from(r.timeline.least_free[i][row])),
        strip: strip(recordings, &groups),
        landmarks: summary.landmarks.iter().filter(|mark| of_this(model, mark, &vswitch.id)).collect(),
        runs: recordings.len(),
    };
    let rows: Vec<usize> = (first_row(model, recordings, i)?..levels.at.len()).collect();
    Some(levels.at_rows(&rows))
}

/// Whether vSwitch `i` is there in a run at a row.
fn exists(model: &Model, r: &Recording, i: usize, row: usize) -> bool {
    r.vswitch_since(model, VSwitchId::new(i)).is_some_and(|since| since <= r.timeline.at[row])
}

/// The first row at which vSwitch `i` is there in at least half of the runs; none if it never is.
fn first_row(model: &Model, recordings: &[Recording], i: usize) -> Option<usize> {
    let there = |row: usize| recordings.iter().filter(|r| exists(model, r, i, row)).count();
    (0..recordings[0].timeline.at.len()).find(|&row| there(row) * 2 >= recordings.len())
}

/// The free addresses of vSwitch `i`; none with few runs, or if they about agree.
fn of_free<'a>(model: &'a Model, summary: &'a Summary, recordings: &'a [Recording], i: usize) -> Option<Fan<'a>> {
    let first = first_row(model, recordings, i).filter(|_| recordings.len() >= FEW_RUNS)?;
    let row = |row: usize| {
        let there = recordings.iter().filter(|r| exists(model, r, i, row));
        Fan::row(&there.map(|r| f64::from(r.timeline.vswitches[i][row].free)).collect::<Vec<_>>())
    };
    let vswitch = &model.vpc.vswitches[i];
    let times = times(recordings);
    let fan = Fan {
        title: text!("{}: free addresses", vswitch.id),
        clock: &summary.method.clock,
        rows: (first..times.len()).map(row).collect(),
        at: times[first..].to_vec(),
        runs: recordings.len(),
    };
    let visible = f64::from(crate::address::usable(vswitch.cidr)) * WORTH_A_PICTURE;
    (fan.spread() >= visible.max(1.0)).then_some(fan)
}

/// Until when the vSwitches of pods last: any of them, and those most at risk; none with few runs,
/// or if they about agree.
fn of_risk(summary: &Summary, rows: usize, lang: Lang) -> Option<Picture> {
    let horizon = summary.method.clock.horizon.as_secs_f64();
    let any = summary.risk.iter().find(|risk| risk.vswitch == ANY)?;
    let when = &any.time_to_full_s;
    let agree = when.min == when.max || when.max - when.min < horizon * WORTH_A_PICTURE;
    if when.runs < FEW_RUNS || agree {
        return None;
    }
    let mut risks: Vec<_> = summary.risk.iter().filter(|risk| risk.vswitch != ANY).collect();
    let at_end = |risk: &Risk| risk.by.last().map_or(0, |by| by.full.hits);
    risks.sort_by_key(|risk| std::cmp::Reverse(at_end(risk)));
    risks.truncate(MOST_CURVES);
    if risks.len() > 1 {
        risks.push(any);
    }
    let survival = Survival::of(&risks, &summary.method.clock, rows);
    let caption = text!("The probability that a vSwitch of pods is not full yet (survival curve).");
    let plot = Plot { name: "risk".to_owned(), caption: caption.say(lang), svg: survival.draw(lang) };
    Some(Picture::new(About::VSwitches, plot, Chart::of_survival(&survival, lang), survival.clock, lang))
}

/// Whether a landmark belongs into the plot of a vSwitch: it is an action, or not about another
/// vSwitch.
fn of_this(model: &Model, mark: &crate::outcome::Landmark, id: &str) -> bool {
    let is_about =
        mark.kind == "action" || mark.subject == id || model.vpc.vswitches.iter().all(|v| v.id != mark.subject);
    is_about && mark.kind != "action_complete"
}

/// What is marked in a picture of the whole cluster.
fn marks(summary: &Summary) -> Vec<&crate::outcome::Landmark> {
    summary.landmarks.iter().filter(|mark| mark.kind != "action_complete").collect()
}

fn of_pods<'a>(model: &'a Model, summary: &'a Summary, recordings: &'a [Recording], only: Option<usize>) -> Levels<'a> {
    let groups = groups(model, |key, _| only.is_none_or(|only| only == key.pool));
    let sum = |part: fn(&crate::record::GroupLevels) -> u32| {
        let groups = groups.clone();
        move |r: &Recording, row: usize| {
            groups.iter().map(|&group| f64::from(part(&r.timeline.groups[group][row]))).sum::<f64>()
        }
    };
    let (running, waiting, terminating) = (sum(|g| g.running), sum(|g| g.waiting), sum(|g| g.terminating));
    let mut layers = vec![
        Layer { name: text!("with an address"), color: canvas::BLUE, values: mean(recordings, &running) },
        Layer { name: text!("terminating"), color: canvas::ORANGE, values: mean(recordings, &terminating) },
        Layer { name: text!("waiting for one"), color: canvas::RED, values: mean(recordings, &waiting) },
    ];
    let mut title = text!("Pods");
    let pending = |r: &Recording, row: usize| f64::from(r.timeline.unschedulable[row]);
    match only {
        Some(pool) => title = text!("Pods on pool {}", model.node_pools[pool].name),
        None => {
            layers.push(Layer { name: text!("without a node"), color: canvas::GREY, values: mean(recordings, pending) })
        }
    }
    let total = move |r: &Recording, row: usize| {
        let pending = if only.is_none() { pending(r, row) } else { 0.0 };
        running(r, row) + terminating(r, row) + waiting(r, row) + pending
    };
    Levels {
        title,
        unit: unit!("pods"),
        clock: &summary.method.clock,
        at: times(recordings),
        layers,
        capacity: None,
        band: band(recordings, total),
        peak: Vec::new(),
        strip: if only.is_none() { unschedulable(recordings) } else { None },
        landmarks: marks(summary),
        runs: recordings.len(),
    }
}

/// Pods by zone.
fn of_zones<'a>(model: &'a Model, summary: &'a Summary, recordings: &'a [Recording]) -> Levels<'a> {
    let pods = |groups: Vec<usize>| {
        move |r: &Recording, row: usize| {
            groups.iter().map(|&group| f64::from(r.timeline.groups[group][row].pods())).sum::<f64>()
        }
    };
    let layer = |(i, zone): (usize, &crate::outcome::ZoneSummary)| Layer {
        name: zone.zone.words(),
        color: canvas::SERIES[i % canvas::SERIES.len()],
        values: mean(recordings, pods(groups(model, |_, z| z.zone == zone.zone))),
    };
    Levels {
        title: text!("Pods by zone"),
        unit: unit!("pods"),
        clock: &summary.method.clock,
        at: times(recordings),
        layers: summary.zones.iter().enumerate().map(layer).collect(),
        capacity: None,
        band: band(recordings, pods(groups(model, |_, _| true))),
        peak: Vec::new(),
        strip: None,
        landmarks: marks(summary),
        runs: recordings.len(),
    }
}

/// Positions of the groups of nodes that fulfil a condition.
fn groups(model: &Model, wanted: impl Fn(GroupKey, &PoolZone) -> bool) -> Vec<usize> {
    let groups = model.groups().enumerate();
    groups.filter(|(_, (key, zone))| wanted(*key, zone)).map(|(i, _)| i).collect()
}

/// Times of the rows, which are the same in all replications, in s.
fn times(recordings: &[Recording]) -> Vec<f64> {
    recordings[0].timeline.at.iter().map(|at| at.as_secs_f64()).collect()
}

/// The mean over the replications, row by row.
fn mean(recordings: &[Recording], value: impl Fn(&Recording, usize) -> f64) -> Vec<f64> {
    let rows = 0..recordings[0].timeline.at.len();
    rows.map(|row| recordings.iter().map(|r| value(r, row)).sum::<f64>() / recordings.len() as f64).collect()
}

/// The 5 and 95 % quantiles over the replications, row by row; none with one replication.
fn band(recordings: &[Recording], value: impl Fn(&Recording, usize) -> f64) -> Vec<(f64, f64)> {
    if recordings.len() < 2 {
        return Vec::new();
    }
    let rows = 0..recordings[0].timeline.at.len();
    rows.filter_map(|row| {
        let values: Vec<f64> = recordings.iter().map(|r| value(r, row)).collect();
        crate::outcome::Estimate::of(&values).map(|estimate| (estimate.p5, estimate.p95))
    })
    .collect()
}

/// The waiting pods of the groups; none without a group.
fn strip(recordings: &[Recording], groups: &[usize]) -> Option<Strip> {
    let sum = |r: &Recording, row: usize, of: fn(&GroupLevels) -> u32| {
        groups.iter().map(|&group| f64::from(of(&r.timeline.groups[group][row]))).sum::<f64>()
    };
    let now = mean(recordings, |r, row| sum(r, row, |levels| levels.waiting));
    let most = mean(recordings, |r, row| groups.iter().map(|&g| f64::from(r.timeline.max_waiting[g][row])).sum());
    let others = mean(recordings, |r, row| sum(r, row, |levels| levels.running));
    (!groups.is_empty()).then(|| Strip { name: phrase!("waiting pods"), rows: rows(now, most, others) })
}

/// The pods without a node; none if every pod found one at once.
fn unschedulable(recordings: &[Recording]) -> Option<Strip> {
    let now = mean(recordings, |r, row| f64::from(r.timeline.unschedulable[row]));
    let most = mean(recordings, |r, row| f64::from(r.timeline.max_unschedulable[row]));
    let others = mean(recordings, |r, row| r.timeline.groups.iter().map(|levels| f64::from(levels[row].pods())).sum());
    most.iter().any(|&n| n > 0.0).then(|| Strip { name: phrase!("pods without a node"), rows: rows(now, most, others) })
}

fn rows(now: Vec<f64>, most: Vec<f64>, others: Vec<f64>) -> Vec<Waiting> {
    let rows = now.into_iter().zip(most).zip(others);
    rows.map(|((now, most), others)| Waiting { now, most, others }).collect()
}

/// Different names may become the same file name; then a number tells them apart.
fn number_doubles<'a>(plots: impl Iterator<Item = &'a mut Plot>) {
    let mut taken = Vec::new();
    for plot in plots {
        let name = plot.name.clone();
        let mut n = 2;
        while taken.contains(&plot.name) {
            plot.name = format!("{name}-{n}");
            n += 1;
        }
        taken.push(plot.name.clone());
    }
}
