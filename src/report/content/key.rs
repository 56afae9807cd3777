//! The three numbers that matter: when it is full, what sits idle, who waits.

use serde::Serialize;

use crate::outcome::{PrefixSummary, Summary, VSwitchSummary, count, whole_percents};
use crate::text::{Lang, Text, Words, phrase, text};
use crate::units::percent;

/// One of them.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Key<T = Text> {
    pub(in crate::report) number: T,
    pub(in crate::report) label: T,
    /// Whether nobody wants to see it.
    pub(in crate::report) is_bad: bool,
}

impl Key {
    /// It in a language.
    pub(in crate::report) fn say(&self, lang: Lang) -> Key<String> {
        Key { number: self.number.say(lang), label: self.label.say(lang), is_bad: self.is_bad }
    }
}

pub(super) fn numbers(summary: &Summary) -> Vec<Key> {
    let vswitch = summary.vswitches.first();
    let of_vswitch = vswitch.into_iter().flat_map(|vswitch| [full(summary, vswitch), idle(vswitch)]);
    of_vswitch.chain([waiting(summary)]).collect()
}

fn full(summary: &Summary, vswitch: &VSwitchSummary) -> Key {
    let is_worse =
        |prefixes: &&PrefixSummary| vswitch.time_to_full_s.is_none() || prefixes.refused.hits > vswitch.full.hits;
    if let Some(prefixes) = vswitch.prefixes.as_ref().filter(is_worse) {
        return blocks(summary, &vswitch.id, prefixes);
    }
    match &vswitch.time_to_full_s {
        Some(time) => Key {
            number: summary.method.clock.point(time.median),
            label: text!("{} is full, in {} of {} runs", vswitch.id, vswitch.full.hits, vswitch.full.runs),
            is_bad: true,
        },
        None => Key {
            number: count(vswitch.least_free.min).words(),
            label: text!("addresses of {} at least are always free", vswitch.id),
            is_bad: false,
        },
    }
}

/// A vSwitch that is not full, or not yet, may have no block for a node in prefix mode.
fn blocks(summary: &Summary, vswitch: &str, prefixes: &PrefixSummary) -> Key {
    match &prefixes.time_to_refusal_s {
        Some(time) => Key {
            number: summary.method.clock.point(time.median),
            label: text!(
                "{} refuses prefixes, in {} of {} runs",
                vswitch,
                prefixes.refused.hits,
                prefixes.refused.runs
            ),
            is_bad: true,
        },
        None => Key {
            number: count(prefixes.free_blocks_least.min).words(),
            label: text!("/28 blocks of {} at least are always free", vswitch),
            is_bad: false,
        },
    }
}

fn idle(vswitch: &VSwitchSummary) -> Key {
    let (share, when) = match &vswitch.at_full_share {
        Some(who) => (whole_percents(who).idle, phrase!("then")),
        None => (vswitch.mean.idle.mean / f64::from(vswitch.usable), phrase!("on average over time")),
    };
    let label = text!("of the addresses of {} sit idle in node pools {when}", vswitch.id, when);
    Key { number: percent(share).words(), label, is_bad: false }
}

fn waiting(summary: &Summary) -> Key {
    let pods = &summary.pods;
    let (most, end) = (pods.most_waiting.max, pods.waiting_at_end.mean);
    let number = count(if end > 0.0 { end } else { most });
    let is_at_start = pods.most_waiting_s.is_some_and(|time| time.max == 0.0);
    let label = match number.as_str() {
        _ if most == 0.0 => text!("pods ever waited for an address"),
        "1" if end > 0.0 => text!("pod waits for an address at the end; {} at most", count(most)),
        _ if end > 0.0 => text!("pods wait for an address at the end; {} at most", count(most)),
        "1" if is_at_start => text!("pod waits for an address, at the start; never more, and none does at the end"),
        _ if is_at_start => {
            text!("pods wait for an address at once, at the start; never more, and none does at the end")
        }
        "1" => text!("pod at a time waits for an address, never more; none does at the end"),
        _ => text!("pods wait for an address at once, at most; none does at the end"),
    };
    Key { number: number.words(), label, is_bad: end > 0.0 }
}
