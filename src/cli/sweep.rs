//! `brimline sweep`.

use std::path::PathBuf;

use clap::Args;

use super::print::{self, print, tell};
use super::run::options;
use super::{RunArgs, Stop, progress, quoted, run};
use crate::report::{self, sweep::Journal};
use crate::scenario::{Axis, Blueprint};
use crate::sim::Progress;
use crate::study::sweep::{MOST_POINTS, Results, Row, Sweep, Unfit, Wish};

/// What to vary, and how to run.
#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    /// Scenario file; its section `sweep` says what these options do not
    file: PathBuf,
    /// Values of a path: `terway.eni_config.max_pool_size=5,10,20`, `horizon=10d..60d/10` or, with
    /// `--points`, `node_pools.default.nodes=50..400`; several make all combinations
    #[arg(long, value_name = "PATH=VALUES")]
    vary: Vec<String>,
    /// Look at N points of a Latin hypercube instead of all combinations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_POINTS as i64))]
    points: Option<u32>,
    /// What to measure, such as `pods.wait.p99` or `P(any vswitch is full)`; `brimline measures`
    /// lists what there is [default: a dozen]
    #[arg(long, value_name = "NAME")]
    measure: Vec<String>,
    #[command(flatten)]
    run: RunArgs,
}

/// Runs the scenario at every point, or at those that an earlier run of the same command has not
/// done.
pub(super) fn carry_out(args: SweepArgs) -> Result<(), Stop> {
    let SweepArgs { file, vary, points, measure, run: run_args } = &args;
    let scenario = Blueprint::open(file)?.with(run::edits(run_args));
    let axes = vary.iter().map(|text| text.parse::<Axis>()).collect::<Result<_, _>>();
    let axes = axes.map_err(|wrong| Stop::Input(format!("error: {wrong}")))?;
    let wish = Wish { axes, points: *points, measures: measure.clone() };
    let pool = super::threads(run_args.threads)?;
    let sweep = pool.install(|| Sweep::prepare(&scenario, &wish))?;
    report::prepare(&run_args.output)?;
    let mut journal = Journal::open(&run_args.output, &sweep)?;
    if !run_args.quiet {
        tell_start(&sweep, &journal);
    }
    let rows = simulate(&sweep, &mut journal, &pool, run_args.quiet)?;
    let results = Results { sweep: &sweep, runs: &rows };
    let text = if run_args.json {
        report::sweep::summary(&results)
    } else {
        report::sweep::terminal(&results, print::columns())
    };
    print(&text)?;
    if !run_args.quiet {
        for warning in &sweep.warnings {
            tell(&format!("\n{}", warning.trim_end()));
        }
    }
    let folder = journal.publish(&results, &reproduce(&args))?;
    let place = format!("Report: {}", folder.join("sweep.html").display());
    if run_args.json {
        tell(&place);
        return Ok(());
    }
    Ok(print(&place)?)
}

fn tell_start(sweep: &Sweep, journal: &Journal) {
    let (done, all) = (journal.done().len(), sweep.points.len());
    match done {
        0 => tell(&format!("{all} points, {} runs; end it at any time, the same command goes on", sweep.runs())),
        done => tell(&format!("{done} of {all} points were done in {}", journal.folder().display())),
    }
}

/// Runs what is left to do and keeps each point; then everything is done.
fn simulate(
    sweep: &Sweep,
    journal: &mut Journal,
    pool: &rayon::ThreadPool,
    quiet: bool,
) -> anyhow::Result<Vec<Vec<Row>>> {
    let before = journal.done();
    if before.len() == sweep.points.len() {
        return Ok(journal.rows());
    }
    let is_done = |point: usize| before.binary_search(&point).is_ok();
    let counter = Progress::default();
    let points = progress::Points::of(sweep, is_done);
    progress::show_points(&points, quiet, &counter, || {
        pool.install(|| {
            sweep.run(is_done, &counter, |point, rows| {
                journal.add(sweep, point, rows)?;
                points.one_more();
                Ok::<_, anyhow::Error>(())
            })
        })
    })?;
    Ok(journal.rows())
}

/// The command that repeats the sweep, without what does not change its numbers.
fn reproduce(args: &SweepArgs) -> String {
    let SweepArgs { file, vary, points, measure, run } = args;
    let points = points.map_or(String::new(), |points| format!(" --points {points}"));
    let (vary, measures) = (options("--vary", vary), options("--measure", measure));
    run::reproduce(&format!("brimline sweep {}{vary}{points}{measures}", quoted(file)), run)
}

impl From<Unfit> for Stop {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Wish(text) => Self::Input(format!("error: {text}")),
            Unfit::Scenario(diagnostics) => diagnostics.into(),
        }
    }
}
