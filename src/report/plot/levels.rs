//! Stacked levels over time.

use plotters::style::RGBColor;
use unicode_width::UnicodeWidthStr;

use super::axes::{self, BOTTOM, Frame, HEIGHT, LABEL_GAP, LEFT, RIGHT, TEXT, TOP, WIDTH};
use super::canvas::{Align, BLUE, Canvas, GRID, INK, MUTED, RED, picture};
use super::lines::shorten;
use super::reduce;
use crate::outcome::{Clock, Landmark, count};
use crate::text::{Lang, Phrase, Text, phrase, text};

/// Height of a line of labels of landmarks.
const LINE: f64 = 17.0;
/// The strip of waiting pods, below the axis of time.
const STRIP: (f64, f64) = (BOTTOM + 4.0, BOTTOM + 16.0);
/// Most opacity of the strip for waits that are over before the next row.
const BRIEF: f64 = 0.12;
/// Most characters of a name beside the picture, and of one at the full size of text.
const LONGEST_NAME: usize = 28;
const AT_FULL_SIZE: f64 = 20.0;
/// Most landmarks that are labelled, and lines of labels.
const MOST_MARKS: usize = 6;
const MOST_LINES: usize = 4;
/// Least distance of two ticks of a landmark that comes again and again.
const TICK_GAP: f64 = 4.0;
/// Part of the height from which on a brief peak is shown.
const VISIBLE: f64 = 0.01;

/// What to draw.
pub(super) struct Levels<'a> {
    pub(super) title: Text,
    pub(super) unit: Phrase,
    pub(super) clock: &'a Clock,
    /// Times of the rows, in s.
    pub(super) at: Vec<f64>,
    /// From the bottom up.
    pub(super) layers: Vec<Layer>,
    pub(super) capacity: Option<f64>,
    /// 5 and 95 % quantiles of the total, per row; empty with one run.
    pub(super) band: Vec<(f64, f64)>,
    /// Highest total since the row before, per row; empty if it is not known.
    pub(super) peak: Vec<f64>,
    pub(super) strip: Option<Strip>,
    pub(super) landmarks: Vec<&'a Landmark>,
    pub(super) runs: usize,
}

/// A strip below the axis of time: pods that wait for something.
pub(super) struct Strip {
    pub(super) name: Phrase,
    /// Per row.
    pub(super) rows: Vec<Waiting>,
}

/// Waiting pods at a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Pods that wait.
    pub(super) now: f64,
    /// Most pods that waited since the row before.
    pub(super) most: f64,
    /// Pods that have what those wait for.
    pub(super) others: f64,
}

/// One layer.
pub(super) struct Layer {
    pub(super) name: Text,
    pub(super) color: RGBColor,
    /// Per row.
    pub(super) values: Vec<f64>,
}

impl Levels<'_> {
    /// The same at these rows only.
    pub(super) fn at_rows(mut self, kept: &[usize]) -> Self {
        self.at = reduce::at(kept, &self.at);
        for layer in &mut self.layers {
            layer.values = reduce::at(kept, &layer.values);
        }
        if !self.band.is_empty() {
            self.band = reduce::at(kept, &self.band);
        }
        if !self.peak.is_empty() {
            self.peak = reduce::highest(kept, &self.peak);
        }
        if let Some(strip) = &mut self.strip {
            let most: Vec<f64> = strip.rows.iter().map(|row| row.most).collect();
            let most = reduce::highest(kept, &most);
            let rows = reduce::at(kept, &strip.rows).into_iter().zip(most);
            strip.rows = rows.map(|(row, most)| Waiting { most, ..row }).collect();
        }
        self
    }

    /// The same with at most `most` rows, extremes among them.
    pub(super) fn reduced(self, most: usize) -> Self {
        let total = sums(&self.layers, self.at.len()).pop().unwrap_or_default();
        let (low, high): (Vec<_>, Vec<_>) = self.band.iter().copied().unzip();
        let strip = self.strip.iter().flat_map(|strip| &strip.rows);
        let (now, brief): (Vec<_>, Vec<_>) = strip.map(|row| (row.now, row.most)).unzip();
        let layers = self.layers.iter().map(|layer| layer.values.as_slice());
        let others = [&total, &low, &high, &self.peak, &now, &brief].map(Vec::as_slice);
        let series: Vec<_> = layers.chain(others).filter(|values| !values.is_empty()).collect();
        let kept = reduce::kept_by_day(&series, &self.at, most);
        self.at_rows(&kept)
    }

    /// What a landmark is and when: `vsw-AAA is full, day 49`.
    pub(super) fn label(&self, mark: &Landmark) -> Text {
        text!("{mark}, {when}{again}", mark.text, self.clock.point(mark.time_s.median), again(mark))
    }

    /// How the values came to be.
    pub(super) fn how(&self) -> Text {
        match self.runs {
            1 => text!("{}, one run", self.unit),
            n => text!("{}, mean of {n} runs; the pale band around the total holds 90 % of them", self.unit, n),
        }
    }
}

/// The picture as SVG.
pub(super) fn draw(levels: &Levels, lang: Lang) -> String {
    let sums = sums(&levels.layers, levels.at.len());
    let highest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let top = sums.last().map_or(0.0, |total| highest(total));
    let band = levels.band.iter().map(|b| b.1).fold(0.0, f64::max);
    let most = top.max(band).max(highest(&levels.peak)).max(levels.capacity.unwrap_or(0.0)).max(1.0);
    let mut frame = Frame { end: levels.clock.horizon.as_secs_f64().max(1e-9), most: most * 1.06, top: TOP };
    let marks = layout(levels, &frame, lang);
    let lines = marks.iter().map(|mark| mark.line + 1).max().unwrap_or(0);
    frame.top += LINE * lines as f64;
    picture(WIDTH, HEIGHT, lang, |canvas| {
        axes::title(canvas, &levels.title, &levels.how());
        // The capacity has a line and a label of its own.
        axes::counts(canvas, &frame, levels.capacity);
        let below = if levels.strip.is_none() { BOTTOM } else { STRIP.1 };
        axes::time(canvas, &frame, levels.clock, below);
        areas(canvas, levels, &frame, &sums);
        capacity(canvas, levels, &frame);
        strip(canvas, levels, &frame);
        ticks(canvas, levels, &frame);
        self::marks(canvas, &marks, &frame);
        labels(canvas, levels, &frame, &sums);
    })
}

/// Upper edge of each layer.
fn sums(layers: &[Layer], rows: usize) -> Vec<Vec<f64>> {
    let mut below = vec![0.0; rows];
    let edges = layers.iter().map(|layer| {
        below = below.iter().zip(&layer.values).map(|(a, b)| a + b).collect();
        below.clone()
    });
    edges.collect()
}

fn areas(canvas: &Canvas, levels: &Levels, frame: &Frame, sums: &[Vec<f64>]) {
    let zero = vec![0.0; levels.at.len()];
    let edge = |values: &[f64]| -> Vec<(f64, f64)> {
        levels.at.iter().zip(values).map(|(&t, &v)| (frame.x(t), frame.y(v))).collect()
    };
    let below = std::iter::once(&zero).chain(sums);
    for ((layer, top), bottom) in levels.layers.iter().zip(sums).zip(below) {
        if layer.values.iter().any(|&v| v > 0.0) {
            canvas.polygon(edge(top).into_iter().chain(edge(bottom).into_iter().rev()), layer.color, 0.88);
        }
    }
    let low: Vec<f64> = levels.band.iter().map(|b| b.0).collect();
    let high: Vec<f64> = levels.band.iter().map(|b| b.1).collect();
    if !levels.band.is_empty() {
        canvas.polygon(edge(&high).into_iter().chain(edge(&low).into_iter().rev()), INK, 0.16);
    }
    if let Some(total) = sums.last() {
        if let Some(peaks) = peaks(levels, total, frame) {
            canvas.polygon(edge(&peaks).into_iter().chain(edge(total).into_iter().rev()), MUTED, 0.45);
        }
        canvas.line(edge(total), INK, 1.0);
    }
    canvas.line([(LEFT, BOTTOM), (RIGHT, BOTTOM)], MUTED, 1.0);
}

/// The total where it rises visibly between two rows and falls again, and else the total of the
/// rows; none if it never does.
fn peaks(levels: &Levels, total: &[f64], frame: &Frame) -> Option<Vec<f64>> {
    let before = total.first().into_iter().chain(total);
    let rows = levels.peak.iter().zip(total).zip(before);
    let peaks: Vec<_> = rows
        .map(|((&peak, &total), &before)| if peak - total.max(before) > frame.most * VISIBLE { peak } else { total })
        .collect();
    (peaks.iter().zip(total).any(|(peak, total)| peak > total)).then_some(peaks)
}

fn capacity(canvas: &Canvas, levels: &Levels, frame: &Frame) {
    let Some(capacity) = levels.capacity else { return };
    let (y, from) = (frame.y(capacity), levels.at.first().map_or(LEFT, |&first| frame.x(first)));
    canvas.line([(from, y), (RIGHT, y)], INK, 1.5);
    canvas.text(&count(capacity), (LEFT - 9.0, y), TEXT, INK, Align::Right);
    canvas.text(&phrase!("usable"), (from + 6.0, y - 11.0), TEXT, INK, Align::Left);
}

/// The redder, the larger the share of pods that wait; what is over before the next row stays
/// pale.
fn strip(canvas: &Canvas, levels: &Levels, frame: &Frame) {
    let Some(strip) = &levels.strip else { return };
    canvas.rectangle(LEFT, STRIP.0, RIGHT, STRIP.1, GRID, 0.7);
    for (row, ends) in strip.rows.windows(2).enumerate() {
        // The root makes a few waiting among many visible.
        let share = |waiting: f64| (waiting / (waiting + ends[1].others).max(1.0)).sqrt();
        let opacity = share(ends[0].now.min(ends[1].now)).max(share(ends[1].most).min(BRIEF));
        if opacity > 0.04 {
            let (from, to) = (frame.x(levels.at[row]), frame.x(levels.at[row + 1]));
            canvas.rectangle(from, STRIP.0, to, STRIP.1, RED, opacity);
        }
    }
    let most = strip.rows.iter().map(|waiting| waiting.most).fold(0.0, f64::max);
    let middle = (STRIP.0 + STRIP.1) / 2.0;
    canvas.text(&strip.name, (RIGHT + 28.0, middle), TEXT, RED, Align::Left);
    let note = if levels.runs == 1 { text!("{} at most", count(most)) } else { text!("mean: {} at most", count(most)) };
    canvas.text(&note, (RIGHT + 28.0, middle + 17.0), TEXT - 1.0, MUTED, Align::Left);
}

/// A landmark with a line and a label.
struct Mark {
    /// Places of the 5 % quantile, the median and the 95 % quantile.
    x: [f64; 3],
    text: String,
    /// Middle of the text.
    middle: f64,
    /// Line of the label, from the bottom up.
    line: usize,
    color: RGBColor,
}

/// The landmarks that have a label: what is full first, then actions, then others, each in order of
/// time, as long as there is room.
fn layout(levels: &Levels, frame: &Frame, lang: Lang) -> Vec<Mark> {
    let mut chosen: Vec<_> = levels.landmarks.iter().collect();
    chosen.sort_by_key(|mark| {
        (!["vswitch_full", "vswitch_without_prefixes"].contains(&mark.kind), mark.kind != "action")
    });
    chosen.truncate(MOST_MARKS);
    chosen.sort_by(|a, b| a.time_s.median.total_cmp(&b.time_s.median));
    let mut free_from = [16.0; MOST_LINES];
    let mut marks = Vec::new();
    for mark in chosen {
        let x = [mark.time_s.p5, mark.time_s.median, mark.time_s.p95].map(|secs| frame.x(secs));
        let text = levels.label(mark).say(lang);
        // About the width of the text.
        let width = text.width() as f64 * TEXT * 0.58;
        let from = (x[1] - width / 2.0).clamp(16.0, (f64::from(WIDTH) - width - 8.0).max(16.0));
        let Some(line) = free_from.iter().position(|&free| from >= free) else { continue };
        free_from[line] = from + width + 12.0;
        let color = color(mark);
        marks.push(Mark { x, text, middle: from + width / 2.0, line, color });
    }
    marks
}

/// What runs out, what is done about it, and everything else.
pub(super) fn color(mark: &Landmark) -> RGBColor {
    match mark.kind {
        "vswitch_full" | "vswitch_without_prefixes" => RED,
        "action" => BLUE,
        _ => INK,
    }
}

/// `, and 51 times more`.
fn again(mark: &Landmark) -> Text {
    match mark.times_s.len() {
        0 | 1 => Text::default(),
        2 => text!(" and once more"),
        n => text!(" and {} times more", n - 1),
    }
}

fn marks(canvas: &Canvas, marks: &[Mark], frame: &Frame) {
    for mark in marks {
        let y = frame.top - 16.0 - LINE * mark.line as f64;
        canvas.rectangle(mark.x[0], frame.top, mark.x[2], BOTTOM, mark.color, 0.10);
        canvas.dashes(mark.x[1], frame.top - 4.0, BOTTOM, mark.color);
        canvas.text(&mark.text, (mark.middle, y), TEXT, mark.color, Align::Centre);
    }
}

/// Short ticks on the axis of time for all landmarks, each time that they come.
fn ticks(canvas: &Canvas, levels: &Levels, frame: &Frame) {
    for mark in &levels.landmarks {
        let color = color(mark);
        let mut free_from = 0.0;
        for x in mark.times_s.iter().map(|&secs| frame.x(secs)) {
            if x >= free_from {
                canvas.line([(x, BOTTOM - 7.0), (x, BOTTOM)], color, 1.5);
                free_from = x + TICK_GAP;
            }
        }
    }
}

/// Names of the layers at their right end, moved apart where they would meet.
fn labels(canvas: &Canvas, levels: &Levels, frame: &Frame, sums: &[Vec<f64>]) {
    let mut places = Vec::new();
    let mut highest = axes::HIGHEST_LABEL;
    if let (Some(total), Some(row)) = (sums.last(), levels.at.len().checked_sub(1))
        && peaks(levels, total, frame).is_some()
    {
        let y = frame.top - 8.0;
        highest = y + LABEL_GAP;
        canvas.rectangle(RIGHT + 12.0, y - 5.0, RIGHT + 22.0, y + 5.0, MUTED, 0.45);
        canvas.text(&phrase!("brief peaks"), (RIGHT + 28.0, y), TEXT, INK, Align::Left);
        let between = crate::outcome::span(levels.at[row] / row.max(1) as f64);
        let note = text!("shorter than {between}", between);
        canvas.text(&note, (RIGHT + 28.0, y + 17.0), TEXT - 1.0, MUTED, Align::Left);
    }
    let mut below = 0.0;
    for (layer, sum) in levels.layers.iter().zip(sums) {
        let (Some(&top), Some(&last)) = (sum.last(), layer.values.last()) else { return };
        if layer.values.iter().any(|&v| v > 0.0) {
            places.push((frame.y((below + top) / 2.0), layer, last));
        }
        below = top;
    }
    let has_room = axes::apart(places.iter_mut().map(|place| &mut place.0), highest);
    for (y, layer, last) in places {
        canvas.rectangle(RIGHT + 12.0, y - 14.0, RIGHT + 22.0, y - 4.0, layer.color, 0.88);
        let name = shorten(&canvas.say(&layer.name), LONGEST_NAME);
        // A long one is smaller: an action of the API has up to 26 characters.
        let size = TEXT * (AT_FULL_SIZE / name.width() as f64).min(1.0);
        canvas.text(&name, (RIGHT + 28.0, y - 9.0), size, INK, Align::Left);
        if has_room {
            canvas.text(&text!("{} at the end", count(last)), (RIGHT + 28.0, y + 8.0), TEXT - 1.0, MUTED, Align::Left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_stack() {
        let layer = |values: &[f64]| Layer { name: Text::default(), color: INK, values: values.to_vec() };
        assert_eq!(sums(&[layer(&[1.0, 2.0]), layer(&[0.0, 5.0])], 2), [[1.0, 2.0], [1.0, 7.0]]);
    }
}
