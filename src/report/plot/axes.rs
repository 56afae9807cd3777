//! Axes of plots over time.

use super::canvas::{Align, Canvas, GRID, INK, MUTED};
use crate::outcome::{Clock, count};
use crate::text::{Phrase, Text, phrase, text};
use crate::units::percent;

pub(super) const WIDTH: u32 = 1000;
pub(super) const HEIGHT: u32 = 480;
pub(super) const LEFT: f64 = 72.0;
pub(super) const RIGHT: f64 = 812.0;
/// Upper edge without labels of landmarks.
pub(super) const TOP: f64 = 82.0;
pub(super) const BOTTOM: f64 = 390.0;
/// Size of text.
pub(super) const TEXT: f64 = 14.0;
/// Least distance of two labels on the right.
pub(super) const LABEL_GAP: f64 = 34.0;
/// The highest that a label beside a picture stands: beside its title.
pub(super) const HIGHEST_LABEL: f64 = 20.0;

/// Scales of the axes.
pub(super) struct Frame {
    pub(super) end: f64,
    pub(super) most: f64,
    pub(super) top: f64,
}

impl Frame {
    pub(super) fn x(&self, secs: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * secs / self.end
    }

    pub(super) fn y(&self, level: f64) -> f64 {
        BOTTOM - (BOTTOM - self.top) * level / self.most
    }
}

/// What is drawn, and how.
pub(super) fn title(canvas: &Canvas, what: &Text, how: &Text) {
    canvas.text(what, (LEFT - 56.0, 24.0), 19.0, INK, Align::Left);
    canvas.text(how, (LEFT - 56.0, 47.0), TEXT, MUTED, Align::Left);
}

/// An axis of counts, without a tick near `except`.
pub(super) fn counts(canvas: &Canvas, frame: &Frame, except: Option<f64>) {
    let step = nice(frame.most / 5.0).max(1.0);
    let ticks = (0..).map(|i| f64::from(i) * step).take_while(|&tick| tick <= frame.most);
    for tick in ticks {
        let y = frame.y(tick);
        if except.is_none_or(|except| (y - frame.y(except)).abs() > 14.0) {
            tick_line(canvas, y, &count(tick));
        }
    }
}

/// A tick's number, with the decimals that a step has.
pub(super) fn tick(n: f64, step: f64) -> String {
    let decimals = if step < 1.0 { -step.log10().floor() as usize } else { 0 };
    if decimals == 0 { count(n) } else { format!("{n:.decimals$}") }
}

/// An axis of shares from none to all.
pub(super) fn shares(canvas: &Canvas, frame: &Frame) {
    for tick in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        tick_line(canvas, frame.y(tick), &percent(tick));
    }
}

fn tick_line(canvas: &Canvas, y: f64, label: &str) {
    canvas.line([(LEFT, y), (RIGHT, y)], GRID, 1.0);
    canvas.text(label, (LEFT - 9.0, y), TEXT, MUTED, Align::Right);
}

/// The axis of time, `below` everything.
pub(super) fn time(canvas: &Canvas, frame: &Frame, clock: &Clock, below: f64) {
    let (unit, name, steps) = time_unit(frame.end);
    let step =
        steps.iter().copied().find(|step| frame.end / (unit * step) <= 9.0).unwrap_or(nice(frame.end / unit / 7.0));
    let ticks = (0..).map(|i| f64::from(i) * step).take_while(|tick| tick * unit <= frame.end * 1.000_001);
    for (i, tick) in ticks.enumerate() {
        let x = frame.x(tick * unit);
        canvas.line([(x, below), (x, below + 5.0)], MUTED, 1.0);
        canvas.text(&count(tick), (x, below + 17.0), TEXT, MUTED, Align::Centre);
        if let Some(date) = date(clock, tick * unit).filter(|_| i % 2 == 0) {
            canvas.text(&date, (x, below + 35.0), TEXT - 1.0, MUTED, Align::Centre);
        }
    }
    let height = if date(clock, 0.0).is_some() { 56.0 } else { 42.0 };
    let title = text!("{unit} since the start", name);
    canvas.text(&title, ((LEFT + RIGHT) / 2.0, below + height), TEXT, MUTED, Align::Centre);
}

/// The date at a tick, which lies on the border of two days.
fn date(clock: &Clock, secs: f64) -> Option<String> {
    if !clock.in_days() {
        return None;
    }
    let days = jiff::Span::new().try_days((secs / 86_400.0).round() as i64).ok()?;
    clock.start?.checked_add(days).ok().map(|date| date.to_string())
}

/// Moves labels, given from the bottom up, apart where they would meet, but none above `top`; says whether there
/// is room for two lines each.
pub(super) fn apart<'y>(labels: impl Iterator<Item = &'y mut f64>, top: f64) -> bool {
    let mut labels: Vec<_> = labels.collect();
    let bottom = BOTTOM - 16.0;
    let gap = LABEL_GAP.min((bottom - top) / labels.len().saturating_sub(1).max(1) as f64);
    let mut lowest = bottom;
    for y in &mut labels {
        **y = y.min(lowest);
        lowest = **y - gap;
    }
    let mut highest = top;
    for y in labels.iter_mut().rev() {
        **y = y.max(highest);
        highest = **y + gap;
    }
    gap == LABEL_GAP
}

/// Unit of the axis of time in s, its name, and the steps that read well.
fn time_unit(end: f64) -> (f64, Phrase, &'static [f64]) {
    match end {
        259_200.0.. => {
            (86_400.0, phrase!("days"), &[1.0, 2.0, 5.0, 7.0, 10.0, 14.0, 15.0, 30.0, 60.0, 90.0, 180.0, 365.0])
        }
        10_800.0.. => (3_600.0, phrase!("hours"), &[1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0]),
        180.0.. => (60.0, phrase!("minutes"), &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0]),
        _ => (1.0, phrase!("seconds"), &[1.0, 2.0, 5.0, 10.0, 20.0, 30.0]),
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `n`; 2.5 only if it
/// stays whole.
pub(super) fn nice(n: f64) -> f64 {
    let power = 10f64.powf(n.log10().floor());
    let steps: &[f64] = if power >= 10.0 { &[1.0, 2.0, 2.5, 5.0] } else { &[1.0, 2.0, 5.0] };
    let step = steps.iter().map(|m| m * power).find(|&step| step >= n * 0.999_999);
    step.unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        let ticks = [(0.0, 0.005), (0.015, 0.005), (0.4, 0.2), (1.0, 0.5), (2500.0, 500.0)];
        assert_eq!(ticks.map(|(n, step)| tick(n, step)), ["0.000", "0.015", "0.4", "1.0", "2,500"]);
    }

    #[test]
    fn steps_are_round_and_whole() {
        for (n, step) in [(0.7, 1.0), (1.0, 1.0), (3.0, 5.0), (216.0, 250.0), (24.0, 25.0), (1735.0, 2000.0)] {
            assert!((nice(n) - step).abs() < 1e-9, "{n} gives {}", nice(n));
        }
    }
}
