//! Compromises: the table of those that no other beats, their plots, and all points as CSV.

use std::path::{Path, PathBuf};

use anyhow::Context;
use csv::Writer;

use super::super::figures::{beside, figure, statistic};
use super::super::plot::scatter::{Dot, DotKind, Scatter, draw};
use super::super::{Draft, file_name, json, save, terminal};
use crate::outcome::{Estimate, range_of_spans, span};
use crate::study::front::{Compromise, Front, Standing};
use crate::text::{Lang, wrap};
use crate::units::{percent, thousands};

/// Most compromises that are shown on the terminal.
const MOST_ROWS: usize = 30;

/// The compromises in plain text. Text wraps at `columns`.
#[must_use]
pub fn front_text(front: &Front, columns: usize) -> String {
    let of = |wanted: fn(&Standing) -> bool| front.points.iter().filter(|point| wanted(&point.standing)).count();
    let best = of(|standing| *standing == Standing::Unbeaten);
    let tied = of(|standing| *standing == Standing::TiedByNoise);
    let readings: Vec<_> = front.objectives.iter().map(|(name, _)| name.as_str()).collect();
    let mut lines = vec![match best + tied {
        0 => "No point keeps the goals.".to_owned(),
        _ => format!(
            "{best} of {} points are beaten by no other in {}{}.",
            thousands(front.points.len() as u64),
            readings.join(", "),
            if tied > 0 { format!("; {tied} more would be but for the noise") } else { String::new() }
        ),
    }];
    let left_out = [
        (of(|standing| *standing == Standing::Unsafe), "do not keep the goals"),
        (
            of(|standing| *standing == Standing::Undecided),
            "may or may not keep the goals, more --replications would tell",
        ),
        (of(|standing| *standing == Standing::Impossible), "cannot be"),
    ];
    let left_out: Vec<_> = left_out.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !left_out.is_empty() {
        lines.push(format!("Of the others, {}.", left_out.join("; ")));
    }
    let text = lines.iter().map(|line| wrap(line, 0, columns) + "\n").collect::<String>();
    if best + tied == 0 {
        return text;
    }
    let note = "Means stand with their 95 % interval, medians of times with 5 to 95 % of the runs; which point is better is \
                decided run by run.";
    text + "\n" + &table(front) + "\n" + &wrap(note, 0, columns) + "\n"
}

fn table(front: &Front) -> String {
    let mut header: Vec<&str> = front.knobs.iter().map(String::as_str).collect();
    let objectives: Vec<_> =
        front.objectives.iter().map(|(name, unit)| format!("{name}\n{}", statistic(unit))).collect();
    header.extend(objectives.iter().map(String::as_str));
    header.push("");
    let shown = |point: &&Compromise| matches!(point.standing, Standing::Unbeaten | Standing::TiedByNoise);
    let mut rows: Vec<(f64, Vec<String>)> = front.points.iter().filter(shown).map(|point| row(front, point)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let more = rows.len().saturating_sub(MOST_ROWS);
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).take(MOST_ROWS).collect();
    let table = terminal::table(&header, &rows, &[header.len() - 1], Lang::English);
    if more > 0 { format!("{table}\n... and {more} more in front.csv") } else { table }
}

/// The cells of a point, and the number that it is sorted by.
fn row(front: &Front, point: &Compromise) -> (f64, Vec<String>) {
    let mut cells = point.values.clone();
    let numbers = point.readings.iter().zip(&point.never).zip(&front.objectives);
    let numbers = numbers.map(|((estimate, &never), (_, unit))| {
        estimate.as_ref().map_or("none".to_owned(), |estimate| cell(estimate, never, unit))
    });
    cells.extend(numbers);
    cells.push(if point.standing == Standing::TiedByNoise { "tied by noise".to_owned() } else { String::new() });
    let first = point.readings.first().copied().flatten();
    (first.zip(front.objectives.first()).map_or(0.0, |(estimate, (_, unit))| headline(&estimate, unit)), cells)
}

/// The number that stands for all runs: the median of a time, so that runs in which it never comes count, and otherwise
/// the mean.
fn headline(estimate: &Estimate, unit: &str) -> f64 {
    if unit == "s" { estimate.median } else { estimate.mean }
}

/// What stands for all runs, and what is likely around it: 90 % of the runs of a time, the interval of a mean.
fn cell(estimate: &Estimate, never: usize, unit: &str) -> String {
    let Estimate { runs, mean, .. } = *estimate;
    let half = estimate.half_width().filter(|&half| half > 0.005 * mean);
    match (unit, half) {
        ("s", _) if never == runs => "never".to_owned(),
        ("s", _) if estimate.median.is_infinite() => format!("never in {never} of {runs}"),
        ("s", _) if never > 0 => format!("{}, never in {never} of {runs}", span(estimate.median).english()),
        ("s", _) => range_of_spans(estimate).english(),
        ("share", Some(half)) => format!("{} ± {}", percent(mean), percent(half)),
        ("share", None) => percent(mean),
        (_, Some(half)) => {
            let least = if mean > 0.0 { mean.min(half) } else { half };
            format!("{} ± {}", beside(mean, least), beside(half, least))
        }
        (_, None) => figure(mean),
    }
}

/// Writes the folder `NAME-seek` below `root`, or `NAME-seek-2` and so on, and returns its path.
///
/// # Errors
/// If something cannot be written; nothing is left behind then.
pub fn write_front(root: &Path, name: &str, front: &Front) -> anyhow::Result<PathBuf> {
    let name = file_name(&format!("{name}-seek"));
    std::fs::create_dir_all(root).with_context(|| format!("cannot create the folder {}", root.display()))?;
    let draft = Draft::new(root, &name)?;
    save(&draft.0, "front.json", &json(front)?)?;
    save(&draft.0, "front.csv", &points(front)?)?;
    let plots = plots(front);
    for (file, svg) in &plots {
        save(&draft.0, &format!("{file}.svg"), svg.as_bytes())?;
    }
    #[cfg(feature = "png")]
    {
        let rasteriser = super::super::plot::png::Rasteriser::new();
        for (file, svg) in &plots {
            save(&draft.0, &format!("{file}.png"), &rasteriser.png(svg)?)?;
        }
    }
    draft.publish(root, &name)
}

/// A row per point and objective.
fn points(front: &Front) -> anyhow::Result<Vec<u8>> {
    let mut csv = Writer::from_writer(Vec::new());
    let mut header: Vec<&str> = vec!["point"];
    header.extend(front.knobs.iter().map(String::as_str));
    header.extend([
        "standing",
        "beaten_by",
        "measure",
        "unit",
        "runs",
        "never",
        "mean",
        "low",
        "high",
        "p5",
        "median",
        "p95",
        "reason",
    ]);
    csv.write_record(header)?;
    for (at, point) in front.points.iter().enumerate() {
        for (((measure, unit), estimate), never) in front.objectives.iter().zip(&point.readings).zip(&point.never) {
            let mut row = vec![at.to_string()];
            row.extend(point.values.iter().cloned());
            row.extend(standing(point.standing));
            row.extend([measure.clone(), (*unit).to_owned()]);
            row.extend(numbers(estimate.as_ref(), *never));
            row.push(point.reason.clone().unwrap_or_default());
            csv.write_record(row)?;
        }
    }
    Ok(csv.into_inner()?)
}

/// The standing in a word, and who beats it.
fn standing(standing: Standing) -> [String; 2] {
    let word = match standing {
        Standing::Unbeaten => "unbeaten",
        Standing::TiedByNoise => "tied_by_noise",
        Standing::BeatenBy(by) => return ["beaten".to_owned(), by.to_string()],
        Standing::Unsafe => "unsafe",
        Standing::Undecided => "undecided",
        Standing::Impossible => "impossible",
    };
    [word.to_owned(), String::new()]
}

/// Runs, those that never come to it, mean, interval and quantiles; what is infinite is `inf`.
fn numbers(estimate: Option<&Estimate>, never: usize) -> Vec<String> {
    let Some(estimate) = estimate else { return vec![String::new(); 8] };
    let end =
        |end: fn(crate::outcome::Interval) -> f64| estimate.interval.map_or(String::new(), |i| end(i).to_string());
    let mut all = vec![estimate.runs.to_string(), never.to_string(), estimate.mean.to_string()];
    all.extend([end(|i| i.low), end(|i| i.high)]);
    all.extend([estimate.p5, estimate.median, estimate.p95].map(|n| n.to_string()));
    all
}

/// A picture for every two objectives that some points have, under the name of its file.
fn plots(front: &Front) -> Vec<(String, String)> {
    let pairs = (0..front.objectives.len()).flat_map(|x| (x + 1..front.objectives.len()).map(move |y| (x, y)));
    let scatters = pairs.map(|(x, y)| (format!("front-{}-{}", x + 1, y + 1), scatter(front, x, y)));
    scatters.filter(|(_, scatter)| !scatter.dots.is_empty()).map(|(name, scatter)| (name, draw(&scatter))).collect()
}

/// Points that keep the goals and have both numbers.
fn scatter(front: &Front, x: usize, y: usize) -> Scatter {
    let axis = |at: usize| match &front.objectives[at] {
        (name, "s") => format!("{name} (median, s)"),
        (name, unit) => format!("{name} (mean, {unit})"),
    };
    let number = |point: &Compromise, at: usize| Some(headline(&point.readings[at]?, front.objectives[at].1));
    let dot = |point: &Compromise| {
        let kind = match point.standing {
            Standing::Unbeaten => DotKind::Best,
            Standing::TiedByNoise => DotKind::Tied,
            Standing::BeatenBy(_) => DotKind::Beaten,
            Standing::Unsafe | Standing::Undecided | Standing::Impossible => return None,
        };
        let name = if kind == DotKind::Beaten { String::new() } else { point.values.join(", ") };
        Some(Dot { at: (number(point, x)?, number(point, y)?), name, kind })
    };
    Scatter {
        title: format!("Compromises of {}", front.knobs.join(", ")),
        axes: (axis(x), axis(y)),
        dots: front.points.iter().filter_map(dot).collect(),
    }
}
