//! Heat maps: a number over two inputs.

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas, GRID, INK, MUTED, picture};
use super::lines::shorten;
use crate::text::Lang;

const WIDTH: u32 = 1000;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 880.0;
const TOP: f64 = 96.0;
const TEXT: f64 = 14.0;
const CELL_TEXT: f64 = 13.0;
/// Height of a row: low ones if there are many.
const ROW: f64 = 44.0;
const MOST_ROWS_HEIGHT: f64 = 480.0;
/// Most characters of a row's label.
const LONGEST_LABEL: usize = 20;
/// Pixels that a letter takes, about.
const LETTER: f64 = 7.6;

// From few to many. Unlike ink and paper they stay as they are on a dark page, and so does the
// text on them.
const PALE: RGBColor = RGBColor(0xE6, 0xF0, 0xF9);
const MIDDLE: RGBColor = RGBColor(0x5D, 0x9C, 0xCF);
const DEEP: RGBColor = RGBColor(0x0E, 0x3A, 0x66);
const NEVER: RGBColor = RGBColor(0xCF, 0xD4, 0xDA);
const ON_PALE: RGBColor = RGBColor(0x1E, 0x24, 0x2B);
const ON_DEEP: RGBColor = RGBColor(0xFC, 0xFC, 0xFC);

/// What to draw.
pub(in crate::report) struct Heat<'a> {
    pub(in crate::report) title: String,
    pub(in crate::report) note: String,
    pub(in crate::report) x: Side,
    pub(in crate::report) y: Side,
    /// By row from the top, then by column; none where there is nothing.
    pub(in crate::report) cells: Vec<Vec<Option<f64>>>,
    /// How a number is written.
    pub(in crate::report) write: &'a dyn Fn(f64) -> String,
}

/// One of the two inputs.
pub(in crate::report) struct Side {
    pub(in crate::report) name: String,
    /// What its rows or columns stand for.
    pub(in crate::report) labels: Vec<String>,
}

/// Sizes.
struct Frame {
    column: f64,
    row: f64,
    bottom: f64,
    low: f64,
    high: f64,
}

impl Frame {
    /// How far a value is on the way from the lowest to the highest.
    fn way(&self, value: f64) -> f64 {
        if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.0 }
    }
}

/// The picture as SVG.
pub(in crate::report) fn draw(heat: &Heat) -> String {
    let (columns, rows) = (heat.x.labels.len() as f64, heat.y.labels.len() as f64);
    let finite = heat.cells.iter().flatten().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    // Colours do not tell apart what reads the same.
    let high = if high >= low && (heat.write)(low) == (heat.write)(high) { low } else { high };
    let row = ROW.min(MOST_ROWS_HEIGHT / rows).max(16.0);
    let frame = Frame { column: (RIGHT - LEFT) / columns, row, bottom: TOP + row * rows, low, high };
    picture(WIDTH, (frame.bottom + 58.0) as u32, Lang::English, |canvas| {
        canvas.text(&heat.title, (16.0, 24.0), 19.0, INK, Align::Left);
        canvas.text(&heat.note, (16.0, 47.0), TEXT, MUTED, Align::Left);
        for (i, cells) in heat.cells.iter().enumerate() {
            for (j, cell) in cells.iter().enumerate() {
                self::cell(canvas, heat, &frame, (i, j), *cell);
            }
        }
        sides(canvas, heat, &frame);
        legend(canvas, heat, &frame);
    })
}

fn cell(canvas: &Canvas, heat: &Heat, frame: &Frame, (row, column): (usize, usize), value: Option<f64>) {
    let (left, top) = (LEFT + frame.column * column as f64, TOP + frame.row * row as f64);
    let (right, bottom) = (left + frame.column - 1.0, top + frame.row - 1.0);
    let Some(value) = value else { return canvas.rectangle(left, top, right, bottom, GRID, 0.4) };
    let way = frame.way(value);
    let (color, ink) = match () {
        () if value.is_infinite() => (NEVER, ON_PALE),
        () if way > 0.45 => (color(way), ON_DEEP),
        () => (color(way), ON_PALE),
    };
    canvas.rectangle(left, top, right, bottom, color, 1.0);
    let text = (heat.write)(value);
    if text.chars().count() as f64 * LETTER < frame.column - 4.0 {
        let middle = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        canvas.text(&text, middle, CELL_TEXT, ink, Align::Centre);
    }
}

/// The colour of a share of the way from the lowest to the highest value.
fn color(way: f64) -> RGBColor {
    let (from, to, part) = if way < 0.5 { (PALE, MIDDLE, way * 2.0) } else { (MIDDLE, DEEP, way * 2.0 - 1.0) };
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

fn sides(canvas: &Canvas, heat: &Heat, frame: &Frame) {
    for (i, label) in heat.y.labels.iter().enumerate() {
        let y = TOP + frame.row * (i as f64 + 0.5);
        canvas.text(&shorten(label, LONGEST_LABEL), (LEFT - 10.0, y), TEXT, MUTED, Align::Right);
    }
    canvas.text(&heat.y.name, (16.0, TOP - 20.0), TEXT, INK, Align::Left);
    let longest = heat.x.labels.iter().map(|label| label.chars().count()).max().unwrap_or(1) as f64;
    let every = ((longest + 1.0) * LETTER / frame.column).ceil().max(1.0) as usize;
    for (i, label) in heat.x.labels.iter().enumerate().step_by(every) {
        let x = LEFT + frame.column * (i as f64 + 0.5);
        canvas.text(label, (x, frame.bottom + 18.0), TEXT, MUTED, Align::Centre);
    }
    canvas.text(&heat.x.name, (f64::midpoint(LEFT, RIGHT), frame.bottom + 40.0), TEXT, INK, Align::Centre);
}

/// The colours with the lowest and the highest value.
fn legend(canvas: &Canvas, heat: &Heat, frame: &Frame) {
    const STEPS: usize = 24;
    if frame.low >= frame.high {
        return;
    }
    let (left, height) = (RIGHT + 14.0, (frame.bottom - TOP).min(160.0));
    for step in 0..STEPS {
        let (from, to) = (step as f64 / STEPS as f64, (step + 1) as f64 / STEPS as f64);
        canvas.rectangle(left, TOP + height * (1.0 - to), left + 14.0, TOP + height * (1.0 - from), color(from), 1.0);
    }
    canvas.text(&(heat.write)(frame.high), (left + 20.0, TOP + 6.0), TEXT, MUTED, Align::Left);
    canvas.text(&(heat.write)(frame.low), (left + 20.0, TOP + height - 6.0), TEXT, MUTED, Align::Left);
}
