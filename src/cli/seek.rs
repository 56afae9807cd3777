//! `brimline seek`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context;
use clap::Args;

use super::print::{self, print, tell};
use super::run::options;
use super::{Stop, progress, quoted};
use crate::model::Model;
use crate::report;
use crate::scenario::{Blueprint, Edit, claim};
use crate::study::front::{self, Compromise, Standing, Survey};
use crate::study::seek::{Answer, Knob, Question, Wanted, Watch, seek as search};
use crate::units::thousands;

/// Runs of a point to begin with where the scenario says how precise it is to be, not how many.
const FIRST: u32 = 20;

/// Most runs of a point unless the command line says more or less.
const AT_MOST: u32 = 400;

/// Most combinations of values.
const MOST_POINTS: usize = 10_000;

/// What is sought, and how.
#[derive(Debug, Args)]
pub(super) struct SeekArgs {
    /// Scenario file
    file: PathBuf,
    #[command(flatten)]
    sought: Sought,
    /// A reading that is to be small, such as `vswitches.idle.mean`, `pods.wait.p99` or `calls`;
    /// several times with `--vary`
    #[arg(long, value_name = "READING", requires = "vary",
        conflicts_with_all = ["smallest", "largest", "earliest", "latest"])]
    minimise: Vec<String>,
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
    /// The smallest safe value: `prefix(vsw-AAA)`, `copies(vsw-AAA)`, either of several vSwitches
    /// together (`prefix(vsw-a, vsw-b)`), `max_pool_size`, `min_pool_size`, or a path of the scenario
    /// with its values: `PATH=FROM..TO/STEP`, or `PATH=A,B,C` from small to large
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
    /// The best compromises between several readings (`--minimise`): what is varied, each a path
    /// with its values, or a knob as above
    #[arg(long, value_name = "KNOB", requires = "minimise")]
    vary: Vec<String>,
}

/// Seeks, answers, and writes the points that were tried.
pub(super) fn seek(args: &SeekArgs) -> Result<(), Stop> {
    let scenario = Blueprint::open(&args.file)?.with(edits(args));
    let base = scenario.load()?;
    see_prefixes(args, &base.model)?;
    if args.sought.vary.is_empty() {
        value(args, question(args, scenario, &base.model)?, &base.model.name)
    } else {
        compromises(args, survey(args, scenario, &base.model)?, &base.model.name)
    }
}

/// Refuses goals that hold while pods wait for ever for want of a /28 block; those of a policy are warned of when it is read.
fn see_prefixes(args: &SeekArgs, model: &Model) -> Result<(), Stop> {
    let claims = args.such_that.iter().map(|text| claim(model, "--such-that", text)).collect::<Result<Vec<_>, _>>()?;
    if model.are_blind_to_prefixes(&claims) {
        return Err(Stop::Input(
            "error: these goals do not see whether prefixes run out: a vSwitch without a free /28 block is not full (C131)\n  \
             = help: add `--such-that 'vswitch.prefixes.refusals == 0'`, or a goal about pods such as \
             `pods.waiting.end == 0`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The smallest or largest value.
fn value(args: &SeekArgs, question: Question, name: &str) -> Result<(), Stop> {
    question.check()?;
    let answer = run(args, |watch| search(&question, watch))?;
    print(&shown(args, &question, &answer)?)?;
    told_warnings(args, &answer.warnings);
    told_place(args, &report::seek::write(&args.output, name, &answer)?)?;
    if answer.best.is_some() { Ok(()) } else { Err(Stop::CheckFailed) }
}

/// The best compromises.
fn compromises(args: &SeekArgs, survey: Survey, name: &str) -> Result<(), Stop> {
    survey.check()?;
    let front = run(args, |watch| front::survey(&survey, watch))?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&front).context("the answer is not JSON")?,
        false => report::seek::front_text(&front, print::columns()),
    };
    print(&text)?;
    told_warnings(args, &front.warnings);
    told_place(args, &report::seek::write_front(&args.output, name, &front)?)?;
    let found = |point: &Compromise| matches!(point.standing, Standing::Unbeaten | Standing::TiedByNoise);
    if front.points.iter().any(found) { Ok(()) } else { Err(Stop::CheckFailed) }
}

/// Does the work on threads, and shows how far it is.
fn run<T: Send>(args: &SeekArgs, work: impl FnOnce(&Watch) -> T + Send) -> Result<T, Stop> {
    report::prepare(&args.output)?;
    let pool = super::threads(args.threads)?;
    let watch = Watch::default();
    Ok(progress::spin(args.quiet, || told(&watch), || pool.install(|| work(&watch))))
}

fn told_warnings(args: &SeekArgs, warnings: &[String]) {
    if !args.quiet {
        warnings.iter().for_each(|warning| tell(&format!("\n{}", warning.trim_end())));
    }
}

fn told_place(args: &SeekArgs, folder: &Path) -> anyhow::Result<()> {
    let place = format!("Points: {}", folder.display());
    if args.json {
        tell(&place);
        return Ok(());
    }
    print(&place)
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
    let goals = goals(args, model);
    if goals.is_empty() {
        let text = "error: nothing says what is safe: give `--such-that CLAIM`, or write a `policy` into the scenario\n  \
                    = help: such as `--such-that 'P(any pod waits > 60s) <= 1 %'`";
        return Err(Stop::Input(text.to_owned()));
    }
    let first = replications(args, model);
    let most = args.at_most.unwrap_or(AT_MOST.max(first));
    if most < first {
        return Err(Stop::Input(format!(
            "error: --at-most {most} is less than the {first} runs that a point begins with"
        )));
    }
    Ok(Question { scenario, knob, wanted, goals, seed: model.seed, scan: args.scan, first, most })
}

fn survey(args: &SeekArgs, scenario: Blueprint, model: &Model) -> Result<Survey, Stop> {
    let knob = |text: &String| Knob::parse(text, model).map_err(|wrong| Stop::Input(format!("error: --vary: {wrong}")));
    let knobs = args.sought.vary.iter().map(knob).collect::<Result<Vec<_>, _>>()?;
    let points = knobs.iter().try_fold(1_usize, |points, knob| points.checked_mul(knob.values.len()));
    if points.is_none_or(|points| points > MOST_POINTS) {
        let most = thousands(MOST_POINTS as u64);
        return Err(Stop::Input(format!("error: --vary: there are more than {most} combinations")));
    }
    let replications = replications(args, model);
    if replications < 2 {
        return Err(Stop::Input("error: one run says nothing about noise; give `--replications 2` or more".to_owned()));
    }
    Ok(Survey {
        scenario,
        knobs,
        objectives: args.minimise.clone(),
        goals: goals(args, model),
        seed: model.seed,
        replications,
    })
}

/// Runs of a point to begin with.
fn replications(args: &SeekArgs, model: &Model) -> u32 {
    let own = if model.precision.is_some() { FIRST } else { model.replications };
    args.replications.unwrap_or(own)
}

/// What must hold: what the command line says, or the policy.
fn goals(args: &SeekArgs, model: &Model) -> Vec<String> {
    if args.such_that.is_empty() {
        return model.policy.iter().map(|claim| claim.text.clone()).collect();
    }
    args.such_that.clone()
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
        let mut set = args.set.clone();
        set.extend(answer.paths.iter().map(|path| format!("{path}={}", best.value)));
        let seed = args.seed.map_or(String::new(), |seed| format!(" --seed {seed}"));
        text += &format!("\nRun it: brimline run {}{}{seed}\n", quoted(&args.file), options("--set", &set));
    }
    Ok(text)
}

fn told(watch: &Watch) -> String {
    let (points, runs) = (watch.points.load(Ordering::Relaxed), watch.runs.load(Ordering::Relaxed));
    let events = watch.progress.events.load(Ordering::Relaxed);
    format!("{points} values judged, {} runs, {} events", thousands(runs), thousands(events))
}
