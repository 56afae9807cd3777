//! A number over one input, with what is likely around it.

use super::axes::{self, nice};
use super::canvas::{Align, BLUE, Canvas, GRID, INK, MUTED, picture};
use crate::text::Lang;

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 400;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 940.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 336.0;
/// The height at which a time that never comes stands.
const NEVER: f64 = 78.0;
const TEXT: f64 = 14.0;
/// Pixels that a letter takes, about.
const LETTER: f64 = 7.6;

/// What to draw.
pub(in crate::report) struct Line<'a> {
    pub(in crate::report) title: String,
    pub(in crate::report) note: String,
    /// Name of the input.
    pub(in crate::report) name: String,
    /// From left to right.
    pub(in crate::report) points: Vec<Dot>,
    /// Distance of two ticks of the number is a round multiple of this: a second, an hour, a day.
    pub(in crate::report) unit: f64,
    /// Whether it is a number of things, whose ticks have the decimals of their steps.
    pub(in crate::report) is_count: bool,
    /// How a number is written.
    pub(in crate::report) write: &'a dyn Fn(f64) -> String,
}

/// A point of the line.
pub(in crate::report) struct Dot {
    pub(in crate::report) label: String,
    /// Where it stands.
    pub(in crate::report) x: f64,
    /// The number; infinite = never.
    pub(in crate::report) y: f64,
    /// What is likely around it.
    pub(in crate::report) range: Option<(f64, f64)>,
}

impl Dot {
    /// Whether its number, or what is likely around it, is a time that never comes.
    fn reaches_never(&self) -> bool {
        self.y.is_infinite() || self.range.is_some_and(|(_, high)| high.is_infinite())
    }
}

struct Frame {
    from: f64,
    to: f64,
    most: f64,
}

impl Frame {
    fn x(&self, x: f64) -> f64 {
        if self.to > self.from { LEFT + (RIGHT - LEFT) * (x - self.from) / (self.to - self.from) } else { LEFT }
    }

    fn y(&self, y: f64) -> f64 {
        if y.is_finite() { BOTTOM - (BOTTOM - TOP) * y / self.most } else { NEVER }
    }
}

/// The picture as SVG.
pub(in crate::report) fn draw(line: &Line) -> String {
    let xs = || line.points.iter().map(|point| point.x);
    let heights = line.points.iter().flat_map(|point| [Some(point.y), point.range.map(|range| range.1)]);
    let most = heights.flatten().filter(|y| y.is_finite()).fold(1e-9, f64::max);
    let frame = Frame {
        from: xs().fold(f64::INFINITY, f64::min),
        to: xs().fold(f64::NEG_INFINITY, f64::max),
        most: most * 1.05,
    };
    picture(WIDTH, HEIGHT, Lang::English, |canvas| {
        canvas.text(&line.title, (16.0, 24.0), 19.0, INK, Align::Left);
        canvas.text(&line.note, (16.0, 47.0), TEXT, MUTED, Align::Left);
        axes(canvas, line, &frame);
        for (a, b) in line.points.iter().zip(line.points.iter().skip(1)) {
            // From or to "never" there is no way.
            if a.y.is_finite() && b.y.is_finite() {
                canvas.line([(frame.x(a.x), frame.y(a.y)), (frame.x(b.x), frame.y(b.y))], BLUE, 2.0);
            }
        }
        line.points.iter().for_each(|point| dot(canvas, &frame, point));
    })
}

fn axes(canvas: &Canvas, line: &Line, frame: &Frame) {
    let step = nice(frame.most / line.unit / 5.0) * line.unit;
    for tick in (0..).map(|i| f64::from(i) * step).take_while(|&tick| tick <= frame.most) {
        let y = frame.y(tick);
        canvas.line([(LEFT, y), (RIGHT, y)], GRID, 1.0);
        let text = if line.is_count { axes::tick(tick, step) } else { (line.write)(tick) };
        canvas.text(&text, (LEFT - 9.0, y), TEXT, MUTED, Align::Right);
    }
    if line.points.iter().any(Dot::reaches_never) {
        canvas.line([(LEFT, NEVER), (RIGHT, NEVER)], GRID, 1.0);
        canvas.text(&(line.write)(f64::INFINITY), (LEFT - 9.0, NEVER), TEXT, MUTED, Align::Right);
    }
    let mut free = f64::NEG_INFINITY;
    for point in &line.points {
        let (x, half) = (frame.x(point.x), point.label.chars().count() as f64 * LETTER / 2.0);
        if x - half > free {
            canvas.text(&point.label, (x, BOTTOM + 18.0), TEXT, MUTED, Align::Centre);
            free = x + half + LETTER;
        }
    }
    canvas.text(&line.name, (f64::midpoint(LEFT, RIGHT), BOTTOM + 42.0), TEXT, INK, Align::Centre);
}

fn dot(canvas: &Canvas, frame: &Frame, point: &Dot) {
    let (x, y) = (frame.x(point.x), frame.y(point.y));
    if let Some((low, high)) = point.range.filter(|(low, high)| low.is_finite() && low < high) {
        let (bottom, top) = (frame.y(low), frame.y(high));
        canvas.rectangle(x - 1.0, top, x + 1.0, bottom, BLUE, 0.45);
        for end in [top, bottom] {
            canvas.rectangle(x - 4.0, end - 0.75, x + 4.0, end + 0.75, BLUE, 0.45);
        }
    }
    canvas.rectangle(x - 3.0, y - 3.0, x + 3.0, y + 3.0, BLUE, 1.0);
}
