//! What is uncertain: until when a vSwitch lasts, and how many addresses are free.

use plotters::style::RGBColor;

use super::axes::{self, BOTTOM, Frame, HEIGHT, LEFT, RIGHT, TEXT, TOP, WIDTH};
use super::canvas::{Align, BLUE, Canvas, INK, MUTED, SERIES, picture};
use super::reduce;
use crate::outcome::{ANY, Clock, Estimate, FullBy, Interval, Risk, count};
use crate::text::{Lang, Phrase, Text, Words, phrase, text};

/// Share of the height above the highest value.
const HEADROOM: f64 = 1.04;

/// The probability that vSwitches are not full yet, over time.
pub(super) struct Survival<'a> {
    pub(super) title: Phrase,
    pub(super) how: Phrase,
    pub(super) clock: &'a Clock,
    pub(super) curves: Vec<Curve>,
}

/// The curve of a vSwitch, or of any of them.
pub(super) struct Curve {
    pub(super) name: Text,
    pub(super) color: RGBColor,
    pub(super) points: Vec<FullBy>,
}

impl<'a> Survival<'a> {
    /// These curves, with at most `most` points each.
    pub(super) fn of(risks: &[&Risk], clock: &'a Clock, most: usize) -> Self {
        let curve = |(i, risk): (usize, &&Risk)| {
            let shares: Vec<f64> = risk.curve.iter().map(|by| by.full.share()).collect();
            let points = reduce::at(&reduce::kept(&[&shares], shares.len(), most), &risk.curve);
            match risk.vswitch == ANY {
                true => Curve { name: text!("any of them"), color: INK, points },
                false => Curve { name: risk.vswitch.words(), color: SERIES[i % SERIES.len()], points },
            }
        };
        Self {
            title: phrase!("Not full yet"),
            how: phrase!(
                "share of the runs, with the 95 % interval of the probability at each time by itself (Wilson)"
            ),
            clock,
            curves: risks.iter().enumerate().map(curve).collect(),
        }
    }

    /// The picture as SVG.
    pub(super) fn draw(&self, lang: Lang) -> String {
        let frame = Frame { end: self.clock.horizon.as_secs_f64().max(1e-9), most: HEADROOM, top: TOP };
        picture(WIDTH, HEIGHT, lang, |canvas| {
            axes::title(canvas, &self.title.words(), &self.how.words());
            axes::shares(canvas, &frame);
            axes::time(canvas, &frame, self.clock, BOTTOM);
            self.curves.iter().for_each(|curve| draw(canvas, &frame, curve));
            names(canvas, &frame, &self.curves);
        })
    }
}

fn draw(canvas: &Canvas, frame: &Frame, curve: &Curve) {
    let low = steps(frame, &curve.points, |by| 1.0 - interval(by).high);
    let high = steps(frame, &curve.points, |by| 1.0 - interval(by).low);
    canvas.polygon(high.into_iter().chain(low.into_iter().rev()), curve.color, 0.14);
    canvas.line(steps(frame, &curve.points, |by| 1.0 - by.full.share()), curve.color, 2.0);
}

/// One run has no interval.
pub(super) fn interval(by: &FullBy) -> Interval {
    let share = by.full.share();
    by.full.interval.unwrap_or(Interval { low: share, high: share })
}

/// A line that jumps where the value does.
fn steps(frame: &Frame, curve: &[FullBy], value: impl Fn(&FullBy) -> f64) -> Vec<(f64, f64)> {
    let place = |by: &FullBy, y: f64| (frame.x(by.time_s), frame.y(y));
    let first = curve.first().map(|by| place(by, value(by)));
    let jumps = curve.windows(2).flat_map(|two| [place(&two[1], value(&two[0])), place(&two[1], value(&two[1]))]);
    first.into_iter().chain(jumps).collect()
}

fn names(canvas: &Canvas, frame: &Frame, curves: &[Curve]) {
    let end = |curve: &Curve| 1.0 - curve.points.last().map_or(0.0, |by| by.full.share());
    let mut places: Vec<_> = curves.iter().map(|curve| (frame.y(end(curve)), curve)).collect();
    places.sort_by(|a, b| b.0.total_cmp(&a.0));
    let has_room = axes::apart(places.iter_mut().map(|place| &mut place.0), axes::HIGHEST_LABEL);
    for (y, curve) in places {
        canvas.rectangle(RIGHT + 12.0, y - 14.0, RIGHT + 22.0, y - 4.0, curve.color, 0.88);
        canvas.text(&curve.name, (RIGHT + 28.0, y - 9.0), TEXT, INK, Align::Left);
        let full = curve.points.last().map(|by| text!("full in {} of {} runs", by.full.hits, by.full.runs));
        if has_room {
            canvas.text(&full.unwrap_or_default(), (RIGHT + 28.0, y + 8.0), TEXT - 1.0, MUTED, Align::Left);
        }
    }
}

/// Free addresses over time, with what most runs agree on.
pub(super) struct Fan<'a> {
    pub(super) title: Text,
    pub(super) clock: &'a Clock,
    /// Times of the rows, in s.
    pub(super) at: Vec<f64>,
    /// Per row, from the lowest to the highest: 5, 25, 50, 75 and 95 % quantiles over the runs.
    pub(super) rows: Vec<[f64; 5]>,
    pub(super) runs: usize,
}

impl Fan<'_> {
    /// The 5, 25, 50, 75 and 95 % quantiles of values.
    pub(super) fn row(values: &[f64]) -> [f64; 5] {
        let all = Estimate::of(values).expect("there is a run");
        let [p25, p75] = Estimate::quartiles(values);
        [all.p5, p25, all.median, p75, all.p95]
    }

    /// Width of the widest row.
    pub(super) fn spread(&self) -> f64 {
        self.rows.iter().map(|row| row[4] - row[0]).fold(0.0, f64::max)
    }

    /// The same with at most `most` rows, extremes among them.
    pub(super) fn reduced(self, most: usize) -> Self {
        let series: [Vec<f64>; 5] = std::array::from_fn(|i| self.rows.iter().map(|row| row[i]).collect());
        let series = series.each_ref().map(Vec::as_slice);
        let kept = reduce::kept_by_day(&series, &self.at, most);
        Self { at: reduce::at(&kept, &self.at), rows: reduce::at(&kept, &self.rows), ..self }
    }

    /// How the values came to be.
    pub(super) fn how(&self) -> Text {
        text!("addresses, median of {} runs; half of them are in the dark band, 90 % in the pale one", self.runs)
    }

    /// The picture as SVG.
    pub(super) fn draw(&self, lang: Lang) -> String {
        let most = self.rows.iter().map(|row| row[4]).fold(1.0, f64::max);
        let frame = Frame { end: self.clock.horizon.as_secs_f64().max(1e-9), most: most * HEADROOM, top: TOP };
        let edge = |quantile: usize| -> Vec<(f64, f64)> {
            self.at.iter().zip(&self.rows).map(|(&at, row)| (frame.x(at), frame.y(row[quantile]))).collect()
        };
        let band = |canvas: &Canvas, low: usize, high: usize, opacity: f64| {
            canvas.polygon(edge(high).into_iter().chain(edge(low).into_iter().rev()), BLUE, opacity);
        };
        picture(WIDTH, HEIGHT, lang, |canvas| {
            axes::title(canvas, &self.title, &self.how());
            axes::counts(canvas, &frame, None);
            axes::time(canvas, &frame, self.clock, BOTTOM);
            band(canvas, 0, 4, 0.25);
            band(canvas, 1, 3, 0.35);
            canvas.line(edge(2), INK, 1.5);
            canvas.line([(LEFT, BOTTOM), (RIGHT, BOTTOM)], MUTED, 1.0);
            self.legend(canvas);
        })
    }

    fn legend(&self, canvas: &Canvas) {
        let Some(end) = self.rows.last() else { return };
        let at_end = |low: usize, high: usize| match (count(end[low]), count(end[high])) {
            (low, high) if low == high => text!("{low} at the end", low),
            (low, high) => text!("{low} to {high} at the end", low, high),
        };
        let entries = [
            (phrase!("median"), 1.0, INK, 2, 2),
            (phrase!("half of the runs"), 0.6, BLUE, 1, 3),
            (phrase!("90 % of the runs"), 0.25, BLUE, 0, 4),
        ];
        for (i, (name, opacity, color, low, high)) in entries.into_iter().enumerate() {
            let y = TOP + 24.0 + 40.0 * i as f64;
            canvas.rectangle(RIGHT + 12.0, y - 14.0, RIGHT + 22.0, y - 4.0, color, opacity);
            canvas.text(&name, (RIGHT + 28.0, y - 9.0), TEXT, INK, Align::Left);
            canvas.text(&at_end(low, high), (RIGHT + 28.0, y + 8.0), TEXT - 1.0, MUTED, Align::Left);
        }
    }
}
