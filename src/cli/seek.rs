//! `brimline seek`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::Context;
use clap::Args;

use super::print::{self, print};
use super::{Stop, progress};
use crate::model::Model;
use crate::report;
use crate::scenario::{Blueprint, Edit};
use crate::study::seek::{Answer, Knob, Question, Wanted, Watch, seek as search};
use crate::units::thousands;

/// Most runs of a point unless the command line says more or less.
const AT_MOST: u32 = 400;

/// What is sought, and how.
#[derive(Debug, Args)]
pub(super) struct SeekArgs {
    /// Scenario file
    file: PathBuf,
    #[command(flatten)]
    sought: Sought,
    /// What must hold, such as `P(any pod waits > 60s before 60d) <= 1 %`; may be given several
    /// times [default: the scenario's policy]
    #[arg(long, value_name = "CLAIM")]
    such_that: Vec<String>,
    /// Try every value, also where safety should end only once
    #[arg(long)]
    scan: bool,
    /// Runs of a point to begin with, instead of the scenario's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replications: Option<u32>,
    /// Most runs of a point [default: 400, or as many as it begins with]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    at_most: Option<u32>,
    /// Folder that takes one folder per search
    #[arg(long, value_name = "DIR", default_value = "output")]
    output: PathBuf,
    /// Seed of all chance, instead of the scenario's
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Change a value of the scenario before it is read; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Threads; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print the answer as JSON instead of text
    #[arg(long)]
    json: bool,
    /// Print nothing but the answer: no progress
    #[arg(short, long)]
    quiet: bool,
}

/// One of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Sought {
    /// The smallest safe value: `prefix(vsw-AAA)`, `copies(vsw-AAA)`, `max_pool_size`,
    /// `min_pool_size`, or a path of the scenario with its values: `PATH=FROM..TO/STEP`, or
    /// `PATH=A,B,C` from small to large
    #[arg(long, value_name = "KNOB")]
    smallest: Option<String>,
    /// The largest safe value
    #[arg(long, value_name = "KNOB")]
    largest: Option<String>,
    /// The earliest safe time, such as of `actions.NAME.at=1d..60d/1d`
    #[arg(long, value_name = "KNOB")]
    earliest: Option<String>,
    /// The latest safe time
    #[arg(long, value_name = "KNOB")]
    latest: Option<String>,
}

/// Seeks, answers, and writes the points that were tried.
pub(super) fn seek(args: &SeekArgs) -> Result<(), Stop> {
    let scenario = Blueprint::open(&args.file)?.with(edits(args));
    let base = scenario.load()?;
    let question = question(args, scenario, &base.model)?;
    report::prepare(&args.output)?;
    let threads = args.threads.map_or_else(rayon::current_num_threads, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let watch = Watch::default();
    let answer = progress::spin(args.quiet, || told(&watch), || pool.install(|| search(&question, &watch)))?;
    print(&shown(args, &question, &answer)?)?;
    let place = format!("Points: {}", report::seek::write(&args.output, &base.model.name, &answer)?.display());
    if args.json {
        eprintln!("{place}")
    } else {
        print(&place)?
    }
    if answer.best.is_some() { Ok(()) } else { Err(Stop::CheckFailed) }
}

/// What the command line says beats the file.
fn edits(args: &SeekArgs) -> Vec<Edit> {
    let seed = args.seed.map(|seed| Edit::parse("--seed", &format!("seed={seed}")));
    args.set.iter().map(|text| Edit::parse("--set", text)).chain(seed).collect()
}

fn question(args: &SeekArgs, scenario: Blueprint, model: &Model) -> Result<Question, Stop> {
    let sought = [
        (Wanted::Smallest, &args.sought.smallest),
        (Wanted::Largest, &args.sought.largest),
        (Wanted::Earliest, &args.sought.earliest),
        (Wanted::Latest, &args.sought.latest),
    ];
    let (wanted, text) =
        sought.into_iter().find_map(|(wanted, text)| Some((wanted, text.as_ref()?))).expect("clap asks for one");
    let knob = Knob::parse(text, model).map_err(|wrong| Stop::Input(format!("error: {}: {wrong}", wanted.option())))?;
    let policy = || model.policy.iter().map(|claim| claim.text.clone()).collect();
    let goals: Vec<String> = if args.such_that.is_empty() { policy() } else { args.such_that.clone() };
    if goals.is_empty() {
        let text = "error: nothing says what is safe: give `--such-that CLAIM`, or write a `policy` into the scenario\n  \
                    = help: such as `--such-that 'P(any pod waits > 60s) <= 1 %'`";
        return Err(Stop::Input(text.to_owned()));
    }
    let first = args.replications.unwrap_or(model.replications);
    let most = args.at_most.unwrap_or(AT_MOST.max(first));
    if most < first {
        return Err(Stop::Input(format!(
            "error: --at-most {most} is less than the {first} runs that a point begins with"
        )));
    }
    Ok(Question { scenario, knob, wanted, goals, seed: model.seed, scan: args.scan, first, most })
}

fn shown(args: &SeekArgs, question: &Question, answer: &Answer) -> Result<String, Stop> {
    if args.json {
        return Ok(serde_json::to_string_pretty(answer).context("the answer is not JSON")?);
    }
    let mut text = report::seek::text(answer, &question.knob, print::columns());
    if let Some(best) = answer.best.map(|best| &answer.points[best]) {
        let model = question.load(&best.value, 1)?.model;
        if let Some(snippet) = report::seek::snippet(&question.knob, &best.value, &model) {
            text += &format!("\n{snippet}");
        }
        let (file, path) = (args.file.display(), &answer.path);
        text += &format!("\nRun it: brimline run {file} --set '{path}={}'\n", best.value);
    }
    Ok(text)
}

fn told(watch: &Watch) -> String {
    let (points, runs) = (watch.points.load(Ordering::Relaxed), watch.runs.load(Ordering::Relaxed));
    let events = watch.progress.events.load(Ordering::Relaxed);
    format!("{points} values judged, {} runs, {} events", thousands(runs), thousands(events))
}
