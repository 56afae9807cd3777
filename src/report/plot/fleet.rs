//! Nodes and their interfaces over time, by node pool.

use super::levels::{Layer, Levels};
use super::{About, Picture, band, canvas, groups, marks, mean, times};
use crate::model::Model;
use crate::outcome::Summary;
use crate::record::{GroupLevels, Recording};
use crate::text::{Lang, Phrase, Text, Words, phrase, text, unit};

/// Most pools that have a layer of their own.
const MOST_POOLS: usize = canvas::SERIES.len() - 1;

/// How many nodes and how many secondary interfaces there are.
pub(super) fn pictures(
    model: &Model,
    summary: &Summary,
    recordings: &[Recording],
    rows: usize,
    lang: Lang,
) -> [Picture; 2] {
    let levels = |title: Phrase, unit, of| by_pool(model, summary, recordings, title, unit, of).reduced(rows);
    let nodes = levels(phrase!("Nodes"), unit!("nodes"), |levels: &GroupLevels| levels.nodes);
    let enis = levels(phrase!("Secondary ENIs"), unit!("ENIs"), |levels: &GroupLevels| levels.enis);
    [
        Picture::of_levels(About::Pools, "nodes", text!("Nodes that work, by node pool."), &nodes, lang),
        Picture::of_levels(About::Enis, "enis", text!("Secondary ENIs on the nodes, by node pool."), &enis, lang),
    ]
}

fn by_pool<'a>(
    model: &'a Model,
    summary: &'a Summary,
    recordings: &'a [Recording],
    title: Phrase,
    unit: Phrase,
    of: fn(&GroupLevels) -> u32,
) -> Levels<'a> {
    let sum = |pools: std::ops::Range<usize>| {
        let groups = groups(model, |key, _| pools.contains(&key.pool));
        move |r: &Recording, row: usize| {
            groups.iter().map(|&group| f64::from(of(&r.timeline.groups[group][row]))).sum::<f64>()
        }
    };
    let pools = model.node_pools.len();
    let own = if pools > MOST_POOLS + 1 { MOST_POOLS } else { pools };
    let layer = |name: Text, color: usize, pools: std::ops::Range<usize>| Layer {
        name,
        color: canvas::SERIES[color],
        values: mean(recordings, sum(pools)),
    };
    let layers = (0..own).map(|i| layer(model.node_pools[i].name.words(), i, i..i + 1));
    let others = (own < pools).then(|| layer(text!("{} other pools", pools - own), own, own..pools));
    Levels {
        title: title.words(),
        unit,
        clock: &summary.method.clock,
        at: times(recordings),
        layers: layers.chain(others).collect(),
        capacity: None,
        band: band(recordings, sum(0..pools)),
        peak: Vec::new(),
        strip: None,
        landmarks: marks(summary),
        runs: recordings.len(),
    }
}
