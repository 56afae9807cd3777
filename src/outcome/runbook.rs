//! What came of the actions of a scenario, in words.

use serde::Serialize;

use super::words::{is_one, plus_minus, pods, range_of_spans, whole};
use super::{Clock, Estimate, Proportion, VSwitchSummary};
use crate::text::{COMMA, SPACE, Text, phrase, text};
use crate::units::thousands;

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionSummary {
    /// Its name.
    pub name: String,
    /// What is done.
    pub text: Text,
    /// Runs in which it began.
    pub began: Proportion,
    /// When it began.
    pub began_s: Option<Estimate>,
    /// Runs in which it was complete before the end.
    pub completed: Proportion,
    /// How long it took.
    pub took_s: Option<Estimate>,
    /// Pods that waited for an address when it began.
    pub waiting: Option<Estimate>,
    /// Of these, the ones that have got one since.
    pub relieved: Option<Estimate>,
    /// Of the runs in which pods waited then, those in which none of these still does at the end.
    pub recovered: Option<Proportion>,
    /// From its beginning until the last of these had an address, or had ended.
    pub recovery_s: Option<Estimate>,
    /// Who can use added vSwitches once it is complete.
    pub reach: Option<ReachSummary>,
}

/// Which nodes can use the vSwitches that were added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReachSummary {
    /// Nodes that work.
    pub nodes: Estimate,
    /// Of these, the ones whose daemon runs with such a vSwitch, or takes it up with the next change of its CR.
    pub configured: Estimate,
    /// Of these, the ones that have an interface on such a vSwitch, or a free slot for one.
    pub able: Estimate,
}

impl ActionSummary {
    /// What it achieved, in a few sentences.
    #[must_use]
    pub fn text(&self, clock: &Clock) -> Text {
        let Some(began) = &self.began_s else { return text!("{}: it never began.", self.text) };
        let mut text = text!("{action}: {when}{runs}", self.text, clock.at(began.median), runs(&self.began));
        if clock.at(began.min) != clock.at(began.max) {
            text += text!(" ({})", clock.range(began.min, began.max));
        }
        match &self.took_s {
            Some(took) if took.max > 0.0 => text += text!(", complete {} later", range_of_spans(took)),
            Some(_) if self.completed.hits < self.began.hits => text += text!(", complete at once"),
            Some(_) => {}
            None => text += text!(", not complete at the end"),
        }
        if self.completed.hits > 0 && self.completed.hits < self.began.hits {
            text += text!(" in {} of {} runs", self.completed.hits, self.began.hits);
        }
        let more = [self.recovery_text(), self.reach.as_ref().map(ReachSummary::text)];
        Text::list([text!("{}.", text)].into_iter().chain(more.into_iter().flatten()), SPACE)
    }

    /// `212 pods waited then; 200 of them have got an address since; the last wait ended 2h 5m
    /// later.`; none if nobody waited.
    fn recovery_text(&self) -> Option<Text> {
        let recovered = self.recovered.as_ref()?;
        let mut text = text!("{pods} waited then; {relief}", pods(self.waiting.as_ref()?), self.relief_text()?);
        text += match &self.recovery_s {
            Some(time) if recovered.always() => text!("; the last wait ended {} later", range_of_spans(time)),
            Some(time) => text!(
                "; in {} of {} runs the last wait ended {} later, in the others some wait still",
                recovered.hits,
                recovered.runs,
                range_of_spans(time)
            ),
            None if self.waiting.as_ref().is_some_and(is_one) => text!("; it still waits at the end"),
            None => text!("; some wait still at the end"),
        };
        Some(text!("{}.", text))
    }

    /// `200 of them have got an address since`, of the pods that waited.
    #[must_use]
    pub fn relief_text(&self) -> Option<Text> {
        let (waiting, relieved) = (self.waiting.as_ref()?, self.relieved.as_ref()?);
        let (all, none) = (relieved.mean == waiting.mean, relieved.max == 0.0);
        Some(match is_one(waiting) {
            true if all => text!("it has got an address since"),
            true if none => text!("it has got none since"),
            true => text!("it has got an address since in some of the runs"),
            false if all => text!("all of them have got an address since"),
            false if none => text!("none of them has got an address since"),
            false if is_one(relieved) => text!("1 of them has got an address since"),
            false => text!("{} of them have got an address since", plus_minus(relieved)),
        })
    }
}

impl ReachSummary {
    /// `12 of 40 nodes can use what was added; 8 run without it in their eni-config, 20 have no ENI slot for it.`
    /// The numbers add up.
    fn text(&self) -> Text {
        let [old, stuck] = [self.nodes.mean - self.configured.mean, self.configured.mean - self.able.mean];
        let numbers = whole(&[self.able.mean, old.max(0.0), stuck.max(0.0)]);
        let all = match numbers.iter().sum::<u64>() {
            1 => text!("1 node"),
            all => text!("{} nodes", thousands(all)),
        };
        let mut text = text!("{able} of {nodes} can use what was added", thousands(numbers[0]), all);
        let why = [
            (phrase!("runs without it in its eni-config"), phrase!("run without it in their eni-config")),
            (phrase!("has no ENI slot for it"), phrase!("have no ENI slot for it")),
        ];
        let why = numbers[1..].iter().zip(why).filter(|&(&n, _)| n > 0);
        let why = why.map(|(&n, (one, many))| text!("{} {why}", thousands(n), if n == 1 { one } else { many }));
        let why = Text::list(why, COMMA);
        if !why.is_empty() {
            text += text!("; {why}", why);
        }
        text!("{}.", text)
    }
}

/// A warning of pods with addresses that do not reach the internet; none if there are none.
#[must_use]
pub fn no_way_out_text(vswitch: &VSwitchSummary) -> Option<Text> {
    (!vswitch.snat && vswitch.served.max > 0.0).then(|| match is_one(&vswitch.served) {
        true => {
            text!("1 pod got an address of {}, which has no SNAT entry: it has no way to the internet.", vswitch.id)
        }
        false => text!(
            "{} pods got an address of {}, which has no SNAT entry: they have no way to the internet.",
            plus_minus(&vswitch.served),
            vswitch.id
        ),
    })
}

/// ` in 14 of 20 runs`; nothing if it is all of them.
fn runs(began: &Proportion) -> Text {
    if began.always() { Text::default() } else { text!(", in {} of {} runs", began.hits, began.runs) }
}
