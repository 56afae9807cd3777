//! The three numbers that matter: when it is full, what sits idle, who waits.

use serde::Serialize;

use crate::outcome::{Summary, VSwitchSummary, count};
use crate::units::percent;

/// One of them.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Key {
    pub(in crate::report) number: String,
    pub(in crate::report) label: String,
    /// Whether nobody wants to see it.
    pub(in crate::report) is_bad: bool,
}

pub(super) fn numbers(summary: &Summary) -> Vec<Key> {
    let vswitch = summary.vswitches.first();
    let of_vswitch = vswitch.into_iter().flat_map(|vswitch| [full(summary, vswitch), idle(vswitch)]);
    of_vswitch.chain([waiting(summary)]).collect()
}

fn full(summary: &Summary, vswitch: &VSwitchSummary) -> Key {
    match &vswitch.time_to_full_s {
        Some(time) => Key {
            number: summary.method.clock.point(time.median),
            label: format!("{} is full, in {} of {} runs", vswitch.id, vswitch.full.hits, vswitch.full.runs),
            is_bad: true,
        },
        None => Key {
            number: count(vswitch.least_free.min),
            label: format!("addresses of {} at least are always free", vswitch.id),
            is_bad: false,
        },
    }
}

fn idle(vswitch: &VSwitchSummary) -> Key {
    let (share, when) = match &vswitch.at_full_share {
        Some(who) => (who.idle.mean, "then"),
        None => (vswitch.mean.idle.mean / f64::from(vswitch.usable), "on average over time"),
    };
    let label = format!("of the addresses of {} sit idle in node pools {when}", vswitch.id);
    Key { number: percent(share), label, is_bad: false }
}

fn waiting(summary: &Summary) -> Key {
    let pods = &summary.pods;
    let (most, end) = (pods.most_waiting.mean, pods.waiting_at_end.mean);
    let (number, label) = match (most > 0.0, end > 0.0) {
        (false, _) => (count(0.0), "pods ever waited for an address".to_owned()),
        (true, false) => (count(most), "pods wait for an address at once, at most; none does at the end".to_owned()),
        (true, true) => (count(end), format!("pods wait for an address at the end; {} at most", count(most))),
    };
    Key { number, label, is_bad: end > 0.0 }
}
