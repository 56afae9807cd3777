//! What a picture shows, as numbers: for the page to draw it anew, and for the table behind it.

use plotters::style::RGBColor;
use serde::{Serialize, Serializer};

use super::canvas::{BLUE, INK};
use super::levels::{self, Levels};
use super::reduce;
use super::risk::{Curve, Fan, Survival, interval};
use crate::outcome::{Clock, FullBy, Landmark, count};
use crate::text::{Lang, Phrase, phrase, text};
use crate::time::{Instant, Span};
use crate::units::percent;

/// Rows of the table behind a chart.
const TABLE_ROWS: usize = 40;

/// Curves over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::report) struct Chart {
    title: String,
    /// How the values came to be.
    how: String,
    /// `addresses`, `pods`, `share`, ...
    unit: &'static str,
    /// Times of the rows, in s.
    at: Vec<f64>,
    series: Vec<Series>,
    /// Whether each series stands on the one before.
    is_stacked: bool,
    /// Whether values hold until the next row.
    is_stepped: bool,
    /// Usable addresses.
    capacity: Option<f64>,
    bands: Vec<Band>,
    /// Highest total since the row before; empty if it is not known.
    peaks: Numbers,
    strip: Option<Strip>,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Series {
    name: String,
    #[serde(serialize_with = "hex")]
    color: RGBColor,
    values: Numbers,
}

/// Between two quantiles over the runs, or two ends of an interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Band {
    name: String,
    #[serde(serialize_with = "hex")]
    color: RGBColor,
    opacity: f64,
    low: Numbers,
    high: Numbers,
}

/// Pods that wait for something.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Strip {
    name: String,
    now: Numbers,
    /// Most since the row before.
    most: Numbers,
    /// Pods that have what those wait for.
    others: Numbers,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Mark {
    /// What is marked.
    text: String,
    /// The same, and when it comes.
    label: String,
    #[serde(serialize_with = "hex")]
    color: RGBColor,
    /// 5 % quantile, median and 95 % quantile over the runs, in s.
    at: [f64; 3],
    /// When it comes for the first, the second, ... time, in s.
    times: Vec<f64>,
}

/// Values of the rows, rounded as far as one can see: they make up most of a page.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
struct Numbers(Vec<f64>);

/// The table behind a picture; the first column is text, the others are numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Grid {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Numbers {
    /// Counts are rounded to tenths.
    fn counts(values: impl IntoIterator<Item = f64>) -> Self {
        Self(values.into_iter().map(|n| (n * 10.0).round() / 10.0).collect())
    }

    /// Probabilities are rounded to hundredths of a percent.
    fn shares(values: impl IntoIterator<Item = f64>) -> Self {
        Self(values.into_iter().map(|n| (n * 10_000.0).round() / 10_000.0).collect())
    }
}

impl Chart {
    /// Stacked levels.
    pub(super) fn of_levels(levels: &Levels, lang: Lang) -> Self {
        let series = |layer: &levels::Layer| Series {
            name: layer.name.say(lang),
            color: layer.color,
            values: Numbers::counts(layer.values.iter().copied()),
        };
        let band = || Band {
            name: text!("90 % of the runs").say(lang),
            color: INK,
            opacity: 0.16,
            low: Numbers::counts(levels.band.iter().map(|band| band.0)),
            high: Numbers::counts(levels.band.iter().map(|band| band.1)),
        };
        let strip = |strip: &levels::Strip| Strip {
            name: strip.name.say(lang).to_owned(),
            now: Numbers::counts(strip.rows.iter().map(|row| row.now)),
            most: Numbers::counts(strip.rows.iter().map(|row| row.most)),
            others: Numbers::counts(strip.rows.iter().map(|row| row.others)),
        };
        let mark = |mark: &&Landmark| Mark {
            text: mark.text.say(lang),
            label: levels.label(mark).say(lang),
            color: levels::color(mark),
            at: [mark.time_s.p5, mark.time_s.median, mark.time_s.p95],
            times: mark.times_s.clone(),
        };
        Self {
            title: levels.title.say(lang),
            how: levels.how().say(lang),
            unit: levels.unit.english(),
            at: levels.at.clone(),
            series: levels.layers.iter().filter(|layer| layer.values.iter().any(|&n| n > 0.0)).map(series).collect(),
            is_stacked: true,
            is_stepped: false,
            capacity: levels.capacity,
            bands: (!levels.band.is_empty()).then(band).into_iter().collect(),
            peaks: Numbers::counts(levels.peak.iter().copied()),
            strip: levels.strip.as_ref().map(strip),
            marks: levels.landmarks.iter().map(mark).collect(),
        }
    }

    /// A median with what most runs agree on.
    pub(super) fn of_fan(fan: &Fan, lang: Lang) -> Self {
        let quantile = |i: usize| Numbers::counts(fan.rows.iter().map(|row| row[i]));
        let band = |name: Phrase, opacity: f64, low: usize, high: usize| Band {
            name: name.say(lang).to_owned(),
            color: BLUE,
            opacity,
            low: quantile(low),
            high: quantile(high),
        };
        Self {
            title: fan.title.say(lang),
            how: fan.how().say(lang),
            unit: "addresses",
            at: fan.at.clone(),
            series: vec![Series { name: phrase!("median").say(lang).to_owned(), color: INK, values: quantile(2) }],
            is_stacked: false,
            is_stepped: false,
            capacity: None,
            bands: vec![band(phrase!("90 % of the runs"), 0.25, 0, 4), band(phrase!("half of the runs"), 0.35, 1, 3)],
            peaks: Numbers::default(),
            strip: None,
            marks: Vec::new(),
        }
    }

    /// Survival curves, which jump.
    pub(super) fn of_survival(survival: &Survival, lang: Lang) -> Self {
        let mut at: Vec<f64> = survival.curves.iter().flat_map(|c| c.points.iter().map(|by| by.time_s)).collect();
        at.sort_by(f64::total_cmp);
        at.dedup();
        // Each curve has times of its own; between two of them it stays as it is.
        let values = |curve: &Curve, value: fn(&FullBy) -> f64| {
            let mut points = curve.points.iter().peekable();
            let mut now = 1.0;
            let values = at.iter().map(|&time| {
                while let Some(by) = points.next_if(|by| by.time_s <= time) {
                    now = 1.0 - value(by);
                }
                now
            });
            Numbers::shares(values)
        };
        let series = survival.curves.iter().map(|curve| Series {
            name: curve.name.say(lang),
            color: curve.color,
            values: values(curve, |by| by.full.share()),
        });
        let band = survival.curves.iter().map(|curve| Band {
            name: text!("{curve}, 95 % interval", curve.name).say(lang),
            color: curve.color,
            opacity: 0.14,
            low: values(curve, |by| interval(by).high),
            high: values(curve, |by| interval(by).low),
        });
        Self {
            title: survival.title.say(lang).to_owned(),
            how: survival.how.say(lang).to_owned(),
            unit: "share",
            series: series.collect(),
            is_stacked: false,
            is_stepped: true,
            capacity: None,
            bands: band.collect(),
            peaks: Numbers::default(),
            strip: None,
            marks: Vec::new(),
            at,
        }
    }

    fn columns(&self) -> Vec<&[f64]> {
        let strip = self.strip.iter().flat_map(|strip| [&strip.now, &strip.most]);
        let bands = self.bands.iter().flat_map(|band| [&band.low, &band.high]);
        let columns = self.series.iter().map(|series| &series.values).chain(bands).chain(strip).chain([&self.peaks]);
        columns.map(|numbers| numbers.0.as_slice()).filter(|values| !values.is_empty()).collect()
    }

    /// A table of a few rows, extremes among them, for who cannot see the picture.
    pub(super) fn grid(&self, clock: &Clock, lang: Lang) -> Grid {
        let kept = reduce::kept(&self.columns(), self.at.len(), TABLE_ROWS);
        let at = |values: &Numbers| reduce::at(&kept, &values.0);
        let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
        columns.extend(self.series.iter().map(|series| (series.name.clone(), at(&series.values))));
        for Band { name, low, high, .. } in &self.bands {
            columns.extend([
                (text!("{name}: from", name).say(lang), at(low)),
                (text!("{name}: to", name).say(lang), at(high)),
            ]);
        }
        if !self.peaks.0.is_empty() {
            columns.push((
                phrase!("highest total since the row before").say(lang).to_owned(),
                reduce::highest(&kept, &self.peaks.0),
            ));
        }
        if let Some(Strip { name, now, most, .. }) = &self.strip {
            columns.push((name.clone(), at(now)));
            columns.push((text!("{name}, most since the row before", name).say(lang), reduce::highest(&kept, &most.0)));
        }
        let write = |n: f64| if self.unit == "share" { percent(n) } else { count(n) };
        let row = |(i, &row): (usize, &usize)| {
            let cells = columns.iter().map(|(_, values)| write(values[i]));
            [clock.moment(Instant::ZERO + Span::from_secs_f64(self.at[row])).say(lang)]
                .into_iter()
                .chain(cells)
                .collect()
        };
        let header =
            [phrase!("time").say(lang).to_owned()].into_iter().chain(columns.iter().map(|(name, _)| name.clone()));
        Grid { header: header.collect(), rows: kept.iter().enumerate().map(row).collect() }
    }
}

fn hex<S: Serializer>(color: &RGBColor, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2))
}
