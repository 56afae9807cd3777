//! Calls of the API over time, by action, with those that were refused.

use plotters::style::RGBColor;

use super::levels::{Layer, Levels};
use super::{About, Picture, band, canvas, marks, mean, times};
use crate::openapi::Api;
use crate::outcome::Summary;
use crate::record::{Calls, Recording};
use crate::text::{Lang, Text, Words, phrase, text};

/// Actions that have a layer of their own at most, and its colours.
const COLORS: [RGBColor; 4] = [canvas::BLUE, canvas::GREEN, canvas::SKY, canvas::PURPLE];
const MINUTE: f64 = 60.0;

/// How many calls a minute were answered, the refused ones on top; none without a call.
pub(super) fn picture(summary: &Summary, recordings: &[Recording], rows: usize, lang: Lang) -> Option<Picture> {
    let of = |api: &Api| recordings.iter().map(|r| r.calls[api.index()]).sum::<u64>();
    let mut actions: Vec<Api> = Api::ALL.into_iter().filter(|api| of(api) > 0).collect();
    actions.sort_by_key(|api| std::cmp::Reverse(of(api)));
    let own = if actions.len() > COLORS.len() + 1 { COLORS.len() } else { actions.len() };
    let (own, others) = actions.split_at(own);
    let named = own.iter().enumerate().map(|(i, api)| {
        let color = COLORS.get(i).copied().unwrap_or(canvas::GREY);
        layer(recordings, api.name().words(), color, std::slice::from_ref(api), |calls| calls.done)
    });
    let rest = (!others.is_empty()).then(|| {
        let name = text!("{} other actions", others.len());
        layer(recordings, name, canvas::GREY, others, |calls| calls.done)
    });
    let refused = [
        layer(recordings, text!("refused"), canvas::ORANGE, &Api::ALL, |calls| calls.refused),
        layer(recordings, text!("throttled"), canvas::RED, &Api::ALL, |calls| calls.throttled),
    ];
    let all =
        |r: &Recording, row: usize| a_minute(r, row, &Api::ALL, |calls| calls.done + calls.refused + calls.throttled);
    let levels = Levels {
        title: text!("API calls"),
        unit: phrase!("calls a minute, since the row before"),
        clock: &summary.method.clock,
        at: times(recordings),
        layers: named.chain(rest).chain(refused).collect(),
        capacity: None,
        band: band(recordings, all),
        peak: Vec::new(),
        strip: None,
        landmarks: marks(summary),
        runs: recordings.len(),
    };
    let caption = text!("Answered calls of the API by action, and those that were refused or throttled.");
    let picture = || Picture::of_levels(About::Api, "api-calls", caption, &levels.reduced(rows), lang);
    (!actions.is_empty()).then(picture)
}

fn layer(recordings: &[Recording], name: Text, color: RGBColor, actions: &[Api], of: fn(&Calls) -> u32) -> Layer {
    Layer { name, color, values: mean(recordings, |r, row| a_minute(r, row, actions, of)) }
}

/// Calls a minute from the row before to this one; none at the first row, which is the start.
fn a_minute(r: &Recording, row: usize, actions: &[Api], of: fn(&Calls) -> u32) -> f64 {
    let Some(before) = row.checked_sub(1) else { return 0.0 };
    let minutes = r.timeline.at[row].since(r.timeline.at[before]).as_secs_f64() / MINUTE;
    let calls = actions.iter().map(|api| f64::from(of(&r.timeline.calls[row][api.index()]))).sum::<f64>();
    calls / minutes.max(f64::MIN_POSITIVE)
}
