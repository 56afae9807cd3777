//! Lines over time with their bands, one for each variant.

use plotters::style::RGBColor;

use super::axes::{self, BOTTOM, Frame, HEIGHT, LEFT, RIGHT, TEXT, TOP, WIDTH};
use super::canvas::{Align, Canvas, Dash, INK, MUTED, picture};
use crate::outcome::{Clock, count};
use crate::text::{Lang, Words};

/// Most characters of a name beside its line.
const LONGEST_NAME: usize = 18;

/// What to draw.
pub(super) struct Lines<'a> {
    pub(super) title: String,
    pub(super) unit: &'static str,
    /// That of the longest variant.
    pub(super) clock: &'a Clock,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) runs: usize,
}

/// One line.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) color: RGBColor,
    /// What tells it from one of the same colour.
    pub(super) dash: Dash,
    /// Times of the rows, in s.
    pub(super) at: Vec<f64>,
    /// Per row.
    pub(super) mean: Vec<f64>,
    /// 5 and 95 % quantiles per row; empty with one run.
    pub(super) band: Vec<(f64, f64)>,
}

/// The picture as SVG.
pub(super) fn draw(lines: &Lines) -> String {
    let values = lines.lines.iter().flat_map(|line| line.mean.iter().copied().chain(line.band.iter().map(|b| b.1)));
    let most = values.fold(1.0, f64::max) * 1.06;
    let frame = Frame { end: lines.clock.horizon.as_secs_f64().max(1e-9), most, top: TOP };
    picture(WIDTH, HEIGHT, Lang::English, |canvas| {
        title(canvas, lines);
        axes::counts(canvas, &frame, None);
        axes::time(canvas, &frame, lines.clock, BOTTOM);
        lines.lines.iter().for_each(|line| band(canvas, line, &frame));
        lines.lines.iter().for_each(|line| canvas.stroke(edge(line, &line.mean, &frame), line.color, 2.0, line.dash));
        canvas.line([(LEFT, BOTTOM), (RIGHT, BOTTOM)], MUTED, 1.0);
        labels(canvas, lines, &frame);
    })
}

fn title(canvas: &Canvas, lines: &Lines) {
    let how = match lines.runs {
        1 => format!("{}, one run each", lines.unit),
        n => format!("{}, mean of {n} runs each; the pale band around a line holds 90 % of them", lines.unit),
    };
    axes::title(canvas, &lines.title.words(), &how.words());
}

fn edge(line: &Line, values: &[f64], frame: &Frame) -> Vec<(f64, f64)> {
    line.at.iter().zip(values).map(|(&at, &value)| (frame.x(at), frame.y(value))).collect()
}

fn band(canvas: &Canvas, line: &Line, frame: &Frame) {
    let (low, high): (Vec<_>, Vec<_>) = line.band.iter().copied().unzip();
    if !line.band.is_empty() {
        let around = edge(line, &high, frame).into_iter().chain(edge(line, &low, frame).into_iter().rev());
        canvas.polygon(around, line.color, 0.22);
    }
}

/// Names of the lines at their right end, moved apart where they would meet.
fn labels(canvas: &Canvas, lines: &Lines, frame: &Frame) {
    let last = |line: &Line| line.mean.last().copied().unwrap_or(0.0);
    let mut order: Vec<_> = lines.lines.iter().collect();
    order.sort_by(|a, b| last(a).total_cmp(&last(b)));
    let mut heights: Vec<f64> = order.iter().map(|line| frame.y(last(line))).collect();
    let has_room = axes::apart(heights.iter_mut(), axes::HIGHEST_LABEL);
    for (line, y) in order.into_iter().zip(heights) {
        let swatch = (RIGHT + 10.0, RIGHT + 24.0);
        canvas.stroke([(swatch.0, y - 9.0), (swatch.1, y - 9.0)], line.color, 3.0, line.dash);
        canvas.text(&shorten(line.name, LONGEST_NAME), (RIGHT + 28.0, y - 9.0), TEXT, INK, Align::Left);
        if has_room {
            let note = format!("{} at the end", count(last(line)));
            canvas.text(&note, (RIGHT + 28.0, y + 8.0), TEXT - 1.0, MUTED, Align::Left);
        }
    }
}

/// A name in as many characters as there is room for beside a picture.
pub(super) fn shorten(name: &str, most: usize) -> String {
    match name.char_indices().nth(most) {
        None => name.to_owned(),
        Some(_) => name.chars().take(most - 1).chain(['…']).collect(),
    }
}
