//! `brimline compare`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::print::{self, print, tell};
use super::run::options;
use super::{Stop, progress, quoted};
use crate::outcome::summarize;
use crate::report::{self, compare};
use crate::scenario::{Blueprint, Diagnostics, Edit, Loaded, Origin, Source, measured};
use crate::sim::Progress;
use crate::study::{self, Asked, Variant};

/// What to compare, how to run, and what to leave behind.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Scenario files; each is compared with the first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Compare with the first file with these changes too, such as
    /// `small pools: terway.eni_config.max_pool_size=10; terway.eni_config.min_pool_size=0`; may be
    /// given several times
    #[arg(long, value_name = "NAME: PATH=VALUE; …")]
    variant: Vec<String>,
    /// What the question is about, such as `pods.never_served` or `P(any pod waits > 60s)`; may be given several
    /// times: only this is shown and tested then, beside everything else in compare.csv
    #[arg(long, value_name = "MEASURE")]
    measure: Vec<String>,
    /// Change a value in all of them before they are read; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Folder that takes one folder per comparison
    #[arg(long, value_name = "DIR", default_value = "output")]
    output: PathBuf,
    /// Seed of all chance, instead of the first scenario's
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Independent runs of each, instead of the first scenario's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replications: Option<u32>,
    /// Threads to run on; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print the comparison as JSON instead of text
    #[arg(long)]
    json: bool,
    /// Print nothing but the answer: no warnings, no progress
    #[arg(short, long)]
    quiet: bool,
}

/// A scenario that takes part.
struct Entry {
    name: String,
    /// Its name if another has that too.
    other_name: String,
    origin: String,
    loaded: Loaded,
}

/// Runs all variants, compares, and writes the report; its place is the last line.
pub(super) fn carry_out(args: &CompareArgs) -> Result<(), Stop> {
    let mut warnings = Vec::new();
    let entries = entries(args, &mut warnings)?;
    let asked = asked(&entries, args)?;
    report::prepare(&args.output)?;
    let variants = run(&entries, &asked, args)?;
    let summaries: Vec<_> = variants.iter().map(|v| summarize(v.ensemble.typical(), &v.runs)).collect();
    let comparison = compare::Comparison {
        variants: &variants,
        origins: &entries.iter().map(|entry| entry.origin.clone()).collect::<Vec<_>>(),
        summaries: &summaries,
        contrasts: &study::compare(&variants, &asked),
        sources: &sources(&entries),
        warnings: &warnings,
        reproduce: &reproduce(args),
    };
    print(&match args.json {
        true => String::from_utf8(compare::answer(&comparison)?).expect("JSON is UTF-8"),
        false => compare::terminal(&comparison, print::columns()),
    })?;
    if !args.quiet {
        warnings.iter().for_each(|warning| tell(&format!("\n{}", warning.trim_end())));
    }
    let folder = compare::write(&args.output, &entries[0].loaded.model.name, &comparison)?;
    let place = format!("Report: {}", folder.join("compare.html").display());
    if args.json {
        tell(&place)
    } else {
        print(&place)?
    }
    Ok(())
}

/// What somebody asked for, of each scenario.
fn asked(entries: &[Entry], args: &CompareArgs) -> Result<Vec<Asked>, Diagnostics> {
    let of = |text: &str| {
        let of = |entry: &Entry| {
            let measured = measured(&entry.loaded.model, "--measure", text);
            measured.map_err(|wrong| wrong.because(&format!("it is read for `{}`", entry.name)))
        };
        Ok(Asked { text: text.to_owned(), of: entries.iter().map(of).collect::<Result<_, _>>()? })
    };
    let texts: BTreeSet<_> = args.measure.iter().map(|text| text.trim()).collect();
    texts.into_iter().map(of).collect()
}

fn run(entries: &[Entry], asked: &[Asked], args: &CompareArgs) -> Result<Vec<Variant>, Stop> {
    let mut ensembles: Vec<_> = entries.iter().map(|entry| entry.loaded.ensemble()).collect();
    for asked in asked {
        ensembles.iter_mut().zip(&asked.of).for_each(|(ensemble, of)| ensemble.observe(of.reading()));
    }
    let pool = super::threads(args.threads)?;
    let counter = Progress::default();
    let first = &entries[0].loaded.model;
    let count = entries.len() as u64 * u64::from(first.replications);
    let all = progress::Runs { at_most: "", count, horizon: first.horizon };
    let work = || pool.install(|| study::run_variants(&ensembles, &counter));
    let runs = progress::show_runs(all, args.quiet, &counter, work);
    let named = entries.iter().zip(ensembles).zip(runs);
    Ok(named.map(|((entry, ensemble), runs)| Variant { name: entry.name.clone(), ensemble, runs }).collect())
}

/// The scenarios, all with the seed and the number of runs of the first.
fn entries(args: &CompareArgs, warnings: &mut Vec<String>) -> Result<Vec<Entry>, Stop> {
    let mut wrong = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut first = None;
    for planned in planned(args) {
        let loaded = planned.and_then(|plan| Ok((plan.blueprint.load()?, plan)));
        let (loaded, plan) = match loaded {
            Ok(loaded) => loaded,
            Err(diagnostics) => {
                wrong.push(diagnostics.render(print::coloured()));
                continue;
            }
        };
        let (seed, replications) = *first.get_or_insert((loaded.model.seed, loaded.model.replications));
        let loaded = match (loaded.model.seed, loaded.model.replications) == (seed, replications) {
            true => loaded,
            false => aligned(&plan, &loaded, seed, replications, warnings)?,
        };
        let name = plan.name.unwrap_or_else(|| loaded.model.name.clone());
        entries.push(Entry { name, other_name: plan.other_name, origin: plan.origin, loaded });
    }
    if !wrong.is_empty() {
        return Err(Stop::Input(wrong.join("\n\n")));
    }
    tell_apart(&mut entries);
    check(&entries, warnings)?;
    Ok(entries)
}

/// Files that state the same name, as copies do, are called by their paths.
fn tell_apart(entries: &mut [Entry]) {
    let names: Vec<_> = entries.iter().map(|entry| entry.name.clone()).collect();
    for entry in entries {
        if names.iter().filter(|name| **name == entry.name).count() > 1 {
            entry.name.clone_from(&entry.other_name);
        }
    }
}

/// A scenario before it is loaded.
struct Plan {
    blueprint: Blueprint,
    name: Option<String>,
    /// Its name if another has that too.
    other_name: String,
    origin: String,
}

/// The files, and the first with the changes of each variant.
fn planned(args: &CompareArgs) -> Vec<Result<Plan, Diagnostics>> {
    let of_file = |path: &PathBuf| {
        let file = path.display().to_string();
        let blueprint = Blueprint::open(path)?.with(common(args));
        Ok(Plan { blueprint, name: None, other_name: file.clone(), origin: file })
    };
    let of_variant = |text: &String| {
        let (name, changes) = name_and_changes(text);
        let file = args.files[0].display();
        // What the command line says of all comes last, as in `run`.
        let edits = changes.iter().map(|change| Edit::parse("--variant", change));
        let blueprint = Blueprint::open(&args.files[0])?.with(edits).with(common(args));
        let origin = format!("{file} with {}", changes.join("; "));
        Ok(Plan { blueprint, name: Some(name.clone()), other_name: name, origin })
    };
    args.files.iter().map(of_file).chain(args.variant.iter().map(of_variant)).collect()
}

/// Changes of all variants.
fn common(args: &CompareArgs) -> Vec<Edit> {
    let seed = args.seed.map(|seed| Edit::parse("--seed", &format!("seed={seed}")));
    let replications = args.replications.map(|n| Edit::parse("--replications", &format!("replications={n}")));
    args.set.iter().map(|text| Edit::parse("--set", text)).chain(seed).chain(replications).collect()
}

/// The name before the colon, if there is one before any change, and the changes apart by
/// semicolons.
fn name_and_changes(text: &str) -> (String, Vec<String>) {
    let (name, changes) = match text.split_once(':') {
        Some((name, changes)) if !name.contains('=') => (name, changes),
        _ => (text, text),
    };
    let changes = split(changes).into_iter().map(|change| change.trim().to_owned());
    (name.trim().to_owned(), changes.filter(|change| !change.is_empty()).collect())
}

/// Splits at semicolons outside quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut quote, mut start, mut parts) = (None, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (';', None) => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The same scenario with the seed and the number of runs of the first; it is told if that
/// overrules what the file says.
fn aligned(
    plan: &Plan,
    loaded: &Loaded,
    seed: u64,
    replications: u32,
    warnings: &mut Vec<String>,
) -> Result<Loaded, Stop> {
    let is_stated = |path: &str| {
        let setting = loaded.settings.iter().find(|setting| setting.path == path);
        setting.is_some_and(|setting| !matches!(setting.origin, Origin::Default { .. }))
    };
    let model = &loaded.model;
    if is_stated("seed") && model.seed != seed {
        warnings.push(format!(
            "warning: {} states seed {}; it runs with that of the first, {seed}: only common random numbers make pairs",
            plan.origin, model.seed
        ));
    }
    if is_stated("replications") && model.replications != replications {
        warnings.push(format!(
            "warning: {} states {} replications; it runs as often as the first, {replications} times",
            plan.origin, model.replications
        ));
    }
    let edits = [("seed", seed.to_string()), ("replications", replications.to_string())];
    let edits = edits.map(|(path, value)| Edit::parse("--replications", &format!("{path}={value}")));
    Ok(plan.blueprint.with(edits).load()?)
}

/// Whether what was loaded can be compared; what deserves attention is told.
fn check(entries: &[Entry], warnings: &mut Vec<String>) -> Result<(), Stop> {
    let Some((first, others)) = entries.split_first().filter(|(_, others)| !others.is_empty()) else {
        let help = "name a second file, or a change of the first: --variant 'NAME: PATH=VALUE'";
        return Err(Stop::Input(format!("error: one scenario alone cannot be compared\n  = help: {help}")));
    };
    for (i, entry) in entries.iter().enumerate() {
        if entries[..i].iter().any(|other| other.name == entry.name) {
            return Err(Stop::Input(format!("error: two variants are called `{}`", entry.name)));
        }
    }
    let (horizon, warm_up) = (first.loaded.model.horizon, first.loaded.model.warm_up);
    for entry in others {
        let model = &entry.loaded.model;
        if (model.horizon, model.warm_up) != (horizon, warm_up) {
            warnings.push(format!(
                "warning: {} simulates {} after a warm-up of {}, {} {horizon} after {warm_up}: counts and means are of \
                 different times",
                entry.name, model.horizon, model.warm_up, first.name
            ));
        }
    }
    let mut told = BTreeSet::new();
    for warning in entries.iter().flat_map(|entry| &entry.loaded.warnings).filter(|&warning| told.insert(warning)) {
        let of: Vec<_> = entries.iter().filter(|entry| entry.loaded.warnings.contains(warning)).collect();
        let whose = of.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ");
        let note = if of.len() < entries.len() { format!("\n  = note: of {whose}") } else { String::new() };
        warnings.push(format!("{}{note}", warning.trim_end()));
    }
    Ok(())
}

/// The files that were read, each once.
fn sources(entries: &[Entry]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for source in entries.iter().flat_map(|entry| &entry.loaded.sources) {
        if !source.name.starts_with("--") && !sources.contains(source) {
            sources.push(source.clone());
        }
    }
    sources
}

/// The command that repeats the comparison, without what does not change its numbers.
fn reproduce(args: &CompareArgs) -> String {
    let files = args.files.iter().map(|file| format!(" {}", quoted(file)));
    let changes = [("--variant", &args.variant), ("--measure", &args.measure), ("--set", &args.set)];
    let changes = changes.map(|(name, values)| options(name, values));
    let seed = args.seed.map(|seed| format!(" --seed {seed}"));
    let replications = args.replications.map(|n| format!(" --replications {n}"));
    let all = files.chain(changes).chain(seed).chain(replications);
    std::iter::once("brimline compare".to_owned()).chain(all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_have_a_name_and_changes() {
        let read = |text: &str| name_and_changes(text);
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert_eq!(read("small: a.b=1; c=2"), ("small".to_owned(), owned(&["a.b=1", "c=2"])));
        assert_eq!(read("a.b=1"), ("a.b=1".to_owned(), owned(&["a.b=1"])));
        assert_eq!(
            read("a={linear: {from: 1}}"),
            ("a={linear: {from: 1}}".to_owned(), owned(&["a={linear: {from: 1}}"]))
        );
        assert_eq!(read("x: a='1;2'; b=3;").1, owned(&["a='1;2'", "b=3"]));
    }
}
