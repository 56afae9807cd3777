//! `--openmetrics`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Stop;
use super::again::wrong;
use super::print::tell;
use crate::model::Model;
use crate::openmetrics::{self, LOOKBACK, STEP, Scrape};
use crate::report;
use crate::time::Span;
use crate::units::thousands;

/// What to write for Prometheus.
#[derive(Debug, Default, Args)]
pub(super) struct MetricsArgs {
    /// Write the first replication as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`:
    /// gauges of Terway and of vSwitches at the times of the scenario's calendar (docs/alerts.md). About
    /// 1 MB per simulated day with one node pool and two vSwitches
    #[arg(long, value_name = "FILE")]
    pub openmetrics: Option<PathBuf>,
    /// Time between two scrapes [default: 4m, less than the 5m that Prometheus looks back]
    #[arg(long, value_name = "TIME", requires = "openmetrics")]
    openmetrics_step: Option<String>,
    /// What to write besides
    #[arg(long, value_name = "WHAT", value_delimiter = ',', requires = "openmetrics")]
    openmetrics_with: Vec<More>,
}

/// What more can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum More {
    /// The pool of every node for itself, as its daemon exports it, instead of sums of node pools: about
    /// 0.1 MB per node and simulated day
    Nodes,
    /// Histograms of AllocIP and of calls to the cloud: about 8 MB per node pool and simulated day
    Latencies,
}

impl MetricsArgs {
    /// What is to be scraped of a model; `None` = nothing. Warns of gaps, unless it is to be `quiet`.
    pub fn scrape(&self, model: &Model, quiet: bool) -> Result<Option<Scrape>, Stop> {
        if self.openmetrics.is_none() {
            return Ok(None);
        }
        if model.start.is_none() {
            return Err(wrong(&openmetrics::NoStart.to_string()));
        }
        let step = match &self.openmetrics_step {
            None => STEP,
            Some(text) => text.parse::<Span>().map_err(|error| wrong(&format!("--openmetrics-step: {error}")))?,
        };
        if step < Span::secs(1) || step.0 % Span::millis(1).0 != 0 {
            return Err(wrong("--openmetrics-step: a second at least, in whole milliseconds"));
        }
        if step >= LOOKBACK && !quiet {
            tell("warning: Prometheus looks 5m back: with so long a step its graphs have gaps\n");
        }
        let has = |more| self.openmetrics_with.contains(&more);
        Ok(Some(Scrape { step, nodes: has(More::Nodes), latencies: has(More::Latencies) }))
    }

    /// Does the first replication again and writes it down.
    pub fn write(&self, model: &Model, scrape: Option<Scrape>, quiet: bool) -> Result<(), Stop> {
        let (Some(path), Some(scrape)) = (&self.openmetrics, scrape) else { return Ok(()) };
        let (metrics, _) = openmetrics::scrape(model, 0, scrape).map_err(|error| wrong(&error.to_string()))?;
        report::replace_file_with(path, |file| metrics.write(file))?;
        if !quiet {
            let samples = thousands(metrics.samples());
            tell(&format!("OpenMetrics: {} with {samples} samples of replication 0", path.display()));
        }
        Ok(())
    }
}
