//! A replication as Prometheus would have scraped it: Terway's own metrics, and such of vSwitches as
//! nobody exports, in OpenMetrics text with the times of the scenario's calendar.
//!
//! `promtool tsdb create-blocks-from openmetrics` makes blocks of it, and dashboards and alert rules run
//! on the future. A file has one replication: one future of many.

mod collect;
mod series;
mod write;

use std::io;

use jiff::tz::TimeZone;

use crate::ipam::Place;
use crate::model::Model;
use crate::record::{Detail, Recording};
use crate::sim::run_watched;
use crate::time::{Instant, Span};
use series::Series;

/// Time between two scrapes unless another is asked for: the longest whole number of minutes that is
/// shorter than five minutes, for which Prometheus takes a sample to be the present value
/// (`--query.lookback-delta`, default 5m).
pub const STEP: Span = Span::mins(4);
/// For so long Prometheus takes a sample to be the present value.
pub const LOOKBACK: Span = Span::mins(5);

/// What to scrape, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// Time between two scrapes.
    pub step: Span,
    /// The pool of every node for itself, as its daemon exports it, instead of sums of node pools.
    pub nodes: bool,
    /// Histograms of AllocIP and of calls to the cloud too.
    pub latencies: bool,
}

/// A family of metrics.
#[derive(Debug, Clone, PartialEq)]
struct Family {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    /// Each series by its labels, as they are written.
    series: Vec<(String, Series)>,
}

/// What the values of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Levels.
    Gauge,
    /// Sums that only grow.
    Counter,
    /// Counts of observations up to bounds, in ms: the values of a point are those of its buckets, then
    /// the count and the sum.
    Histogram(&'static [u32]),
}

/// What was scraped of a replication.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    families: Vec<Family>,
    /// Unix time of time zero, in s.
    zero: i64,
    step: Span,
}

/// A scenario without a date has no time to give its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "samples need calendar times and the scenario has no `start`; write `start: 2026-12-01` or use --set start=2026-12-01"
)]
pub struct NoStart;

/// Runs a replication again and scrapes it.
///
/// # Errors
/// If the scenario says no date of its start.
pub fn scrape(model: &Model, replication: u32, scrape: Scrape) -> Result<(Metrics, Recording), NoStart> {
    let zero = model.start.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).ok_or(NoStart)?;
    let mut collector = collect::Collector::new(model, scrape);
    let moments = (0..).map(|row| Instant(scrape.step.0 * row));
    let recording = run_watched(model, replication, Detail::default(), moments, |view| collector.scrape(view));
    let (families, zero) = (collector.finish(), zero.timestamp().as_second());
    Ok((Metrics { families, zero, step: scrape.step }, recording))
}

impl Metrics {
    /// Writes OpenMetrics text, version 1.0.0.
    ///
    /// # Errors
    /// If `to` takes no more.
    pub fn write(&self, to: &mut dyn io::Write) -> io::Result<()> {
        for family in &self.families {
            write::family(family, self.zero, self.step, to)?;
        }
        writeln!(to, "# EOF")
    }

    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> u64 {
        let width = |family: &Family| match family.kind {
            Kind::Gauge | Kind::Counter => 1,
            Kind::Histogram(bounds) => bounds.len() as u64 + 3,
        };
        let points = |family: &Family| family.series.iter().map(|(_, series)| series.len()).sum::<u64>();
        self.families.iter().map(|family| width(family) * points(family)).sum()
    }
}

/// Addresses in the pool of a daemon, and such of them as are idle: what
/// `terway_resource_pool_total_count` and `..._idle_count` are meant to be.
///
/// Upstream adds to and takes from them as things happen and misses some: trimming takes one off for
/// each round that meets an interface's primary address, which stays (`pkg/eni/local.go:852-864`), and the
/// deletion of an interface takes nothing (`pkg/eni/local.go:826-831`). Real gauges drift until the daemon
/// restarts; these do not.
fn pool(places: &[Place]) -> (u64, u64) {
    use crate::ipam::HeldStatus::Valid;
    use crate::ipam::node_local::Status::InUse;
    let serving = places.iter().filter(|place| place.status == InUse);
    let valid = serving.flat_map(|place| &place.v4).filter(|held| held.status == Valid);
    valid.fold((0, 0), |(total, idle), held| (total + 1, idle + u64::from(held.pod.is_none())))
}
