//! How long pods waited.

use super::canvas::{Align, BLUE, INK, MUTED, RED, picture};
use super::chart::Grid;
use crate::outcome::{PodSummary, count};
use crate::text::{Lang, phrase};
use crate::units::percent;

const WIDTH: u32 = 1000;
const ROW: f64 = 27.0;
const TOP: f64 = 72.0;
const LEFT: f64 = 140.0;
const LONGEST: f64 = 620.0;
const TEXT: f64 = 14.0;

fn all(pods: &PodSummary) -> f64 {
    pods.waits.iter().map(|class| class.pods.mean).sum::<f64>().max(1e-9)
}

/// The table behind it.
pub(super) fn grid(pods: &PodSummary, lang: Lang) -> Grid {
    let all = all(pods);
    let rows = pods.waits.iter().map(|class| {
        let mean = class.pods.mean;
        vec![class.label.say(lang).to_owned(), percent(mean / all), count(mean)]
    });
    let header = [phrase!("wait for an address"), phrase!("share of the pods"), phrase!("pods, mean over the runs")];
    Grid { header: header.map(|name| name.say(lang).to_owned()).into(), rows: rows.collect() }
}

/// The picture as SVG: a bar per class of waits.
pub(super) fn draw(pods: &PodSummary, lang: Lang) -> String {
    let all = all(pods);
    let most = pods.waits.iter().map(|class| class.pods.mean).fold(1e-9, f64::max);
    let height = TOP + ROW * pods.waits.len() as f64 + 14.0;
    picture(WIDTH, height as u32, lang, |canvas| {
        canvas.text(
            &phrase!("Time from being placed on a node to having an address"),
            (16.0, 24.0),
            19.0,
            INK,
            Align::Left,
        );
        canvas.text(
            &phrase!("share of the pods that asked, mean over the runs"),
            (16.0, 47.0),
            TEXT,
            MUTED,
            Align::Left,
        );
        for (i, class) in pods.waits.iter().enumerate() {
            let y = TOP + ROW * (i as f64 + 0.5);
            let color = if i + 1 == pods.waits.len() { RED } else { BLUE };
            let end = LEFT + LONGEST * class.pods.mean / most;
            canvas.text(&class.label, (LEFT - 10.0, y), TEXT, INK, Align::Right);
            canvas.rectangle(LEFT, y - 9.0, end.max(LEFT + 1.0), y + 9.0, color, 0.88);
            let share = format!("{} ({})", percent(class.pods.mean / all), count(class.pods.mean));
            canvas.text(&share, (end + 10.0, y), TEXT, MUTED, Align::Left);
        }
    })
}
