//! The command line: types for clap and one file per command; no domain logic.

mod again;
mod chinese;
mod compare;
mod conformance;
mod examples;
mod explain;
mod inspect;
mod manual;
mod measures;
mod metrics;
mod print;
mod progress;
mod run;
mod seek;
mod sweep;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};

use crate::report::in_quotes;
use crate::scenario::{self, Blueprint, Diagnostics, Edit};
use crate::text::Lang;
use print::{print, tell};

/// Predicts when a Terway cluster on Alibaba Cloud runs out of vSwitch addresses, and why.
///
/// Without a command it runs `brimline demo`: the cluster of the article that started the
/// project, a /19 under watermarks of 20 and 80.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Language of help, and of what `run`, `demo` and `explain` answer and write: `zh` is Chinese;
    /// other commands answer in English
    #[arg(long, value_name = "LANG", value_parser = lang(), global = true)]
    lang: Option<Lang>,
}

/// Reads a language.
fn lang() -> impl TypedValueParser<Value = Lang> {
    PossibleValuesParser::new(["en", "zh"]).map(|tag| if tag == "zh" { Lang::Chinese } else { Lang::English })
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 the environment failed (a file cannot be written), 2 the input is wrong, \
                          3 a check or a rule of the policy does not hold, or the runs are too few to tell.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulates the article's cluster, which is built in
    #[command(after_help = examples::DEMO)]
    Demo {
        #[command(flatten)]
        args: RunArgs,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        metrics: metrics::MetricsArgs,
    },
    /// Simulates a scenario: prints the verdict and writes a report
    #[command(after_help = examples::RUN)]
    Run {
        /// Scenario file (YAML; docs/scenario.md describes it)
        file: PathBuf,
        #[command(flatten)]
        args: RunArgs,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        metrics: metrics::MetricsArgs,
    },
    /// Compares scenarios, or changes of one, run by run with the same random numbers
    #[command(after_help = examples::COMPARE)]
    Compare(compare::CompareArgs),
    /// Checks a scenario and shows the resolved model, with the origin of each value
    #[command(after_help = examples::CHECK)]
    Check {
        /// Scenario file
        file: PathBuf,
        /// Change a value of the scenario before it is read, as for `run`
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
    },
    /// Simulates a scenario at many points: every combination of values, or a Latin hypercube
    #[command(after_help = examples::SWEEP)]
    Sweep(sweep::SweepArgs),
    /// Lists what can be measured, and what conditions can look at
    #[command(after_help = examples::MEASURES)]
    Measures {
        /// Scenario file; without it, the built-in scenario
        file: Option<PathBuf>,
        /// Change a value of the scenario before it is read, as for `run`
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
    },
    /// Tells why a pod waited, or what happened to a node: the chain of events, in sentences
    #[command(after_help = examples::EXPLAIN)]
    Explain(ExplainArgs),
    /// Shows a node at a moment, as an engineer sees it: terway-cli, the CR, log and events
    Inspect(inspect::InspectArgs),
    /// Seeks the smallest or largest value that keeps the goals, or the best compromises
    #[command(after_help = examples::SEEK)]
    Seek(seek::SeekArgs),
    /// Prints the JSON Schema of scenario files, for editors
    #[command(after_help = examples::SCHEMA)]
    Schema {
        /// Print the reference of scenario files, docs/scenario.md, instead
        #[arg(long)]
        reference: bool,
    },
    /// Prints completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual, a page for each command
    #[command(after_help = examples::MAN)]
    Man {
        /// Folder that takes `brimline.1`, `brimline-run.1`, ...; it is made if need be
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Compares the allocation core with recorded answers of the real Terway code
    #[command(subcommand)]
    Conformance(Conformance),
}

/// How to run, and what to leave behind.
#[derive(Debug, Default, Args)]
struct RunArgs {
    /// Folder that takes one folder per run
    #[arg(long, value_name = "DIR", default_value = "output")]
    output: PathBuf,
    /// Seed of all chance, instead of the scenario's
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Change a value of the scenario before it is read, such as
    /// `terway.eni_config.max_pool_size=10`; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Independent runs, instead of the scenario's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replications: Option<u32>,
    /// Threads to run replications on; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print the summary as JSON instead of text
    #[arg(long)]
    json: bool,
    /// Print nothing but the answer: no warnings, no progress, no speed
    #[arg(short, long)]
    quiet: bool,
}

/// What a run is held to, and where that is written.
#[derive(Debug, Default, Args)]
struct PolicyArgs {
    /// Fail (exit code 3) if this is true in any run, such as `vswitch.free.min < 10%`, or if its
    /// probability is on this side, as in `P(any pod waits > 60s) > 1%`; may be given several times
    #[arg(long, value_name = "CLAIM")]
    fail_if: Vec<String>,
    /// Write the policy's rules and what came of them as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a summary in Markdown, for a pull request
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// What is to be explained.
#[derive(Debug, Args)]
struct ExplainArgs {
    /// Folder of a run, such as `output/slash19-article`, or a scenario file
    run: PathBuf,
    /// The pod of this name, such as `web-17`, instead of the first that waited
    #[arg(long, value_name = "NAME", conflicts_with = "node")]
    pod: Option<String>,
    /// The node of this name, such as `default-3`
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// The first pod that waited from then on; the pod's life then; what happened on the node
    /// within an hour of it: `40d2h`, `day 41 02:07`
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Change a value of the scenario before it is read, as for `run`
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// The replication, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    replication: u32,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Conformance {
    /// Plays one case and prints what our core does, as JSON
    #[command(after_help = examples::CONFORMANCE_REPLAY)]
    Replay {
        /// Case file (JSON)
        case: PathBuf,
        /// Play it N times with chance on, and print distributions
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        runs: Option<u32>,
        /// Seed of those runs
        #[arg(long, value_name = "S", default_value_t = 1, requires = "runs")]
        seed: u64,
    },
    /// Plays every case under a folder and compares with the real code's answers
    #[command(after_help = examples::CONFORMANCE_CHECK)]
    Check {
        /// Folder of case files
        dir: PathBuf,
        /// Print a Markdown page instead of a table
        #[arg(long)]
        markdown: bool,
    },
}

/// Why a command ends without success.
#[derive(Debug)]
enum Stop {
    /// The user's input is wrong: the diagnostics, ready to print.
    Input(String),
    /// The environment fails us.
    Environment(anyhow::Error),
    /// What was to be checked does not hold; it has been printed.
    CheckFailed,
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Environment(error)
    }
}

impl From<Diagnostics> for Stop {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Input(diagnostics.render(print::coloured()))
    }
}

/// The command line as it was given. Whoever asks for help, or is wrong, is told, and that is all.
#[must_use]
pub fn parse() -> Cli {
    let words: Vec<_> = std::env::args().collect();
    let wants_chinese =
        words.iter().any(|word| word == "--lang=zh") || words.windows(2).any(|two| two == ["--lang", "zh"]);
    let command = if wants_chinese { chinese::help(Cli::command()) } else { Cli::command() };
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

/// Carries out a command; what goes wrong is on standard error.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let lang = cli.lang.unwrap_or_default();
    let Err(stop) = carry_out(
        cli.command.unwrap_or_else(|| Command::Demo {
            args: RunArgs::of_no_command(),
            policy: PolicyArgs::default(),
            metrics: metrics::MetricsArgs::default(),
        }),
        lang,
    ) else {
        return ExitCode::SUCCESS;
    };
    match stop {
        Stop::Input(text) => {
            tell(text.trim_end());
            ExitCode::from(2)
        }
        Stop::Environment(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::from(1)
        }
        Stop::CheckFailed => ExitCode::from(3),
    }
}

fn carry_out(command: Command, lang: Lang) -> Result<(), Stop> {
    match command {
        Command::Demo { args, policy, metrics } => {
            run::run(&Blueprint::demo(), &args, &policy, &metrics, "brimline demo", lang)
        }
        Command::Run { file, args, policy, metrics } => run::run(
            &Blueprint::open(&file)?,
            &args,
            &policy,
            &metrics,
            &format!("brimline run {}", quoted(&file)),
            lang,
        ),
        Command::Compare(args) => compare::carry_out(&args),
        Command::Check { file, set } => {
            let scenario = Blueprint::open(&file)?.with(set.iter().map(|text| Edit::parse("--set", text)));
            let loaded = scenario.load()?;
            crate::study::sweep::check_section(&scenario, &loaded)?;
            Ok(print(&scenario::describe(&loaded))?)
        }
        Command::Sweep(args) => sweep::carry_out(args),
        Command::Measures { file, set } => measures::carry_out(file.as_deref(), &set),
        Command::Explain(args) => explain::carry_out(&args, lang),
        Command::Inspect(args) => inspect::carry_out(&args),
        Command::Seek(args) => seek::seek(&args),
        Command::Schema { reference: false } => Ok(print(&scenario::schema())?),
        Command::Schema { reference: true } => Ok(print(&scenario::reference())?),
        Command::Completions { shell } => Ok(print(&manual::completions(shell))?),
        Command::Man { dir } => Ok(manual::write(&dir)?),
        Command::Conformance(command) => conformance::carry_out(command),
    }
}

/// As many threads as were asked for, or all cores.
fn threads(wanted: Option<u16>) -> anyhow::Result<rayon::ThreadPool> {
    let threads = wanted.map_or_else(rayon::current_num_threads, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")
}

/// A file's name as a shell takes it.
fn quoted(file: &std::path::Path) -> String {
    in_quotes(&file.display().to_string())
}

impl RunArgs {
    /// What clap would make of no arguments.
    fn of_no_command() -> Self {
        Self { output: "output".into(), ..Self::default() }
    }
}
