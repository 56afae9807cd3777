//! Points by two numbers that are to be small.

use super::axes::nice;
use super::canvas::{Align, BLUE, Canvas, GREY, GRID, INK, MUTED, ORANGE, PAPER, picture};
use crate::outcome::count;
use crate::text::Lang;

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 560;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 950.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 490.0;
const TEXT: f64 = 13.0;
const RADIUS: f64 = 5.0;
/// Corners of a dot.
const CORNERS: usize = 16;
/// About as many steps on an axis.
const STEPS: f64 = 6.0;
/// Least distance of two names, in pixels.
const NAME_GAP: f64 = 16.0;

/// A dot.
pub(in crate::report) struct Dot {
    /// Its numbers, across and up.
    pub at: (f64, f64),
    /// Its name; only dots with one are named.
    pub name: String,
    /// What it is.
    pub kind: DotKind,
}

/// What a dot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum DotKind {
    /// Others beat it.
    Beaten,
    /// It would be beaten but for the noise.
    Tied,
    /// It is one of the best.
    Best,
}

/// A picture of dots.
pub(in crate::report) struct Scatter {
    /// Its heading.
    pub title: String,
    /// Names of the axes, with units.
    pub axes: (String, String),
    /// The dots.
    pub dots: Vec<Dot>,
}

/// From numbers to pixels.
struct Frame {
    steps: (f64, f64),
    most: (f64, f64),
}

impl Frame {
    fn of(dots: &[Dot]) -> Self {
        let most = |number: fn(&Dot) -> f64| dots.iter().map(number).fold(0.0, f64::max).max(1e-9);
        let (x, y) = (most(|dot| dot.at.0), most(|dot| dot.at.1));
        let steps = (nice(x / STEPS), nice(y / STEPS));
        let whole = |most: f64, step: f64| (most / step).ceil() * step;
        Self { steps, most: (whole(x, steps.0), whole(y, steps.1)) }
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (LEFT + (RIGHT - LEFT) * x / self.most.0, BOTTOM - (BOTTOM - TOP) * y / self.most.1)
    }
}

/// The picture as SVG. Both axes begin at 0.
pub(in crate::report) fn draw(scatter: &Scatter) -> String {
    let frame = Frame::of(&scatter.dots);
    let mut order: Vec<&Dot> = scatter.dots.iter().collect();
    order.sort_by_key(|dot| dot.kind);
    picture(WIDTH, HEIGHT, Lang::English, |canvas| {
        canvas.text(&scatter.title, (16.0, 24.0), 19.0, INK, Align::Left);
        legend(canvas);
        axes(canvas, scatter, &frame);
        for dot in &order {
            let color = match dot.kind {
                DotKind::Beaten => GREY,
                DotKind::Tied => ORANGE,
                DotKind::Best => BLUE,
            };
            self::dot(canvas, frame.at(dot.at), color);
        }
        names(canvas, &order, &frame);
    })
}

fn legend(canvas: &Canvas) {
    let parts = [(BLUE, "no other is better"), (ORANGE, "tied by noise"), (GREY, "another is better")];
    for (i, (color, text)) in parts.into_iter().enumerate() {
        let x = 22.0 + 170.0 * i as f64;
        dot(canvas, (x, 51.0), color);
        canvas.text(text, (x + 12.0, 51.0), TEXT, MUTED, Align::Left);
    }
}

fn axes(canvas: &Canvas, scatter: &Scatter, frame: &Frame) {
    let ticks =
        |step: f64, most: f64| (0..).map(move |i| f64::from(i) * step).take_while(move |&n| n <= most * 1.000_001);
    for tick in ticks(frame.steps.0, frame.most.0) {
        let (x, _) = frame.at((tick, 0.0));
        canvas.line([(x, TOP), (x, BOTTOM)], GRID, 1.0);
        canvas.text(&number(tick), (x, BOTTOM + 16.0), TEXT, MUTED, Align::Centre);
    }
    for tick in ticks(frame.steps.1, frame.most.1) {
        let (_, y) = frame.at((0.0, tick));
        canvas.line([(LEFT, y), (RIGHT, y)], GRID, 1.0);
        canvas.text(&number(tick), (LEFT - 8.0, y), TEXT, MUTED, Align::Right);
    }
    canvas.text(&scatter.axes.0, (RIGHT, BOTTOM + 42.0), TEXT, INK, Align::Right);
    canvas.text(&scatter.axes.1, (LEFT, TOP - 16.0), TEXT, INK, Align::Left);
}

/// A tick's number: with decimals where the steps have them.
fn number(n: f64) -> String {
    if n < 1.0 && n > 0.0 { format!("{:.3}", n).trim_end_matches('0').to_owned() } else { count(n) }
}

fn dot(canvas: &Canvas, (x, y): (f64, f64), color: plotters::style::RGBColor) {
    for (radius, color) in [(RADIUS + 1.0, PAPER), (RADIUS, color)] {
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / CORNERS as f64;
            (x + radius * angle.cos(), y + radius * angle.sin())
        };
        canvas.polygon((0..CORNERS).map(corner), color, 1.0);
    }
}

/// Names beside their dots, those of the best first; one that would touch another is left out.
fn names(canvas: &Canvas, dots: &[&Dot], frame: &Frame) {
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for dot in dots.iter().rev().filter(|dot| !dot.name.is_empty()) {
        let (x, y) = frame.at(dot.at);
        let width = 7.0 * dot.name.chars().count() as f64;
        if taken.iter().any(|&(left, other)| (other - y).abs() < NAME_GAP && (left - x).abs() < width) {
            continue;
        }
        taken.push((x, y));
        let left = x + 10.0 + width > f64::from(WIDTH);
        let (x, align) = if left { (x - 10.0, Align::Right) } else { (x + 10.0, Align::Left) };
        canvas.text(&dot.name, (x, y - 9.0), TEXT, INK, align);
    }
}
