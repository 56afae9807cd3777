//! A full vSwitch address by address, and what counting says instead, in words.

use super::words::{count, range_of_spans, span, whole};
use super::{After, AtFull, Clock, CountingSummary, Summary, VSwitchSummary};
use crate::record::IdleParts;
use crate::text::{COMMA, Phrase, Text, phrase, text};
use crate::units::thousands;

/// Who holds how many addresses, in words and whole numbers that add up to the usable ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Addresses that serve pods.
    pub pods: u64,
    /// Idle addresses by what they are about: a number and `in node pools`.
    pub idle: Vec<(u64, Phrase)>,
    /// The others: a number and `for other tenants`.
    pub others: Vec<(u64, Text)>,
}

const IDLE: IdleParts<Phrase> = IdleParts {
    eni_primaries: phrase!("as an ENI's primary address"),
    pooled: phrase!("in node pools"),
    leaving: phrase!("on their way back"),
    coming: phrase!("being attached"),
    unknown: phrase!("unknown to the daemon"),
};

impl AtFull {
    /// The account, as means over the runs in which the vSwitch is full. Parts that nobody has are
    /// left out.
    #[must_use]
    pub fn account(&self) -> Account {
        let tenants: Vec<_> = match self.tenants.as_slice() {
            [_, _, ..] => self.tenants.iter().map(|t| (t.addresses.mean, text!("for {}", t.name))).collect(),
            _ => vec![(self.addresses.others.mean, text!("for other tenants"))],
        };
        let others = [
            (self.addresses.leaked.mean, text!("leaked, on ENIs that no daemon knows")),
            (self.addresses.primaries.mean, text!("as primary addresses of nodes")),
        ];
        let free = (self.addresses.free.mean, text!("free"));
        let reserved = self.addresses.reserved.map(|reserved| (reserved.mean, text!("free, but kept for prefixes")));
        let held = self.addresses.held.map(|held| (held.mean, text!("held for pods with fixed IPs that are gone")));
        let others: Vec<_> = others.into_iter().chain(held).chain(tenants).chain([free]).chain(reserved).collect();
        let means = [self.addresses.pods.mean].into_iter();
        let means = means.chain(self.idle.parts().map(|part| part.mean)).chain(others.iter().map(|&(mean, _)| mean));
        let mut numbers = whole(&means.collect::<Vec<_>>()).into_iter();
        let mut next = || numbers.next().expect("there are as many numbers as means");
        Account {
            pods: next(),
            idle: IDLE.parts().map(|about| (next(), about)).into_iter().filter(|&(n, _)| n > 0).collect(),
            others: others.into_iter().map(|(_, about)| (next(), about)).filter(|&(n, _)| n > 0).collect(),
        }
    }
}

impl Account {
    /// Idle addresses that lower watermarks may give back: an interface's primary address stays as
    /// long as the interface does.
    #[must_use]
    pub fn pooled(&self) -> u64 {
        self.idle.iter().find(|(_, about)| *about == IDLE.pooled).map_or(0, |&(n, _)| n)
    }

    /// All idle addresses.
    #[must_use]
    pub fn idle_sum(&self) -> u64 {
        self.idle.iter().map(|&(n, _)| n).sum()
    }
}

/// `vsw-AAA, 8,188 addresses: 5,210 serve pods, 2,900 are idle (1,100 as an ENI's primary address,
/// 1,800 in node pools), 78 as primary addresses of nodes; calls under way ask for 10.`
#[must_use]
pub fn account_text(vswitch: &VSwitchSummary, clock: &Clock) -> Option<Text> {
    let full = vswitch.at_full.as_ref()?;
    let account = full.account();
    let mut parts = vec![says(account.pods, phrase!("serves a pod"), phrase!("serve pods"))];
    if account.idle_sum() > 0 {
        let idle: Vec<_> = account.idle.iter().map(|(n, about)| text!("{} {about}", thousands(*n), about)).collect();
        parts.push(text!(
            "{idle} ({parts})",
            says(account.idle_sum(), phrase!("is idle"), phrase!("are idle")),
            Text::list(idle, COMMA)
        ));
    }
    parts.extend(account.others.iter().map(|(n, about)| text!("{} {about}", thousands(*n), about)));
    let asked = match count(full.asked.mean).as_str() {
        "0" => Text::default(),
        asked => text!("; calls under way ask for {asked}", asked),
    };
    let usable = thousands(vswitch.usable.into());
    let moment = moment(vswitch, clock).map(|moment| text!(", {moment}", moment)).unwrap_or_default();
    Some(text!(
        "{}, {usable} addresses{moment}: {}{asked}.",
        vswitch.id,
        usable,
        moment,
        Text::list(parts, COMMA),
        asked
    ))
}

/// `17 s after the rollout of web began`; else the time of day, if the runs agree on it.
fn moment(vswitch: &VSwitchSummary, clock: &Clock) -> Option<Text> {
    let time = vswitch.time_to_full_s?;
    let after = vswitch.at_full.as_ref().and_then(|full| full.after.as_ref());
    after.map(after_text).or_else(|| clock.time_of_day(&time))
}

/// `17 s (15 s to 19 s) after the rollout of web began`.
pub(super) fn after_text(after: &After) -> Text {
    text!("{} after {}", range_of_spans(&after.later_s), after.text)
}

/// What counting pods says and what the simulation says, side by side; none if no pod wants an
/// address.
#[must_use]
pub fn counting_text(summary: &Summary) -> Option<Text> {
    let counting = &summary.counting;
    if counting.most_wanted.max == 0.0 {
        return None;
    }
    let clock = &summary.method.clock;
    let usable = match counting.vswitches {
        1 => text!("the {} usable addresses", thousands(counting.usable.into())),
        n => text!("the {} usable addresses of the {n} vSwitches together", thousands(counting.usable.into()), n),
    };
    let counted = match &counting.time_to_full_s {
        Some(time) if counting.grows => {
            text!(
                "Pods exceed the usable addresses that there are {}{}",
                clock.at(time.median),
                in_runs(&counting.full)
            )
        }
        Some(time) => text!("Pods exceed {usable} {}{}", usable, clock.at(time.median), in_runs(&counting.full)),
        None => text!("Pods want at most {} of {usable}", count(counting.most_wanted.max), usable),
    };
    let simulated = match &counting.simulated_time_to_full_s {
        Some(time) => {
            let which = if counting.vswitches == 1 { phrase!("it") } else { phrase!("the first vSwitch") };
            let runs = in_runs(&counting.simulated_full);
            let when = clock.at(time.median);
            text!("simulated, {which} is full {when}{runs}{}{}", which, when, runs, apart(counting), unserving(summary))
        }
        None if summary.vswitches.iter().any(|vswitch| !vswitch.full.never()) => {
            text!("simulated, no vSwitch of pods runs full")
        }
        None => text!("simulated, no vSwitch runs full"),
    };
    Some(text!("{counted}; {simulated}.", counted, simulated))
}

/// `, when 2,978 of them serve no pod`: the reason, if it is one and about one vSwitch.
fn unserving(summary: &Summary) -> Text {
    let mut serving = summary.vswitches.iter().filter(|vswitch| vswitch.serves_pods);
    let (Some(vswitch), None) = (serving.next(), serving.next()) else { return Text::default() };
    let Some(full) = &vswitch.at_full else { return Text::default() };
    match u64::from(vswitch.usable).saturating_sub(full.account().pods) {
        0 => Text::default(),
        others => text!(", when {} no pod", says(others, phrase!("of them serves"), phrase!("of them serve"))),
    }
}

/// `1 is idle`, `1,100 are idle`.
fn says(n: u64, one: Phrase, many: Phrase) -> Text {
    text!("{n} {does}", thousands(n), if n == 1 { one } else { many })
}

/// ` in 14 of 20 runs`, if it is not so in all.
fn in_runs(happened: &super::Proportion) -> Text {
    match happened.always() {
        true => Text::default(),
        false => text!(" in {} of {} runs", happened.hits, happened.runs),
    }
}

/// `, 9h 36m earlier`, the median over the runs in which both happen; it is not the difference of two medians.
fn apart(counting: &CountingSummary) -> Text {
    let Some(earlier) = &counting.simulated_earlier_s else { return Text::default() };
    let apart = match earlier.median {
        0.0 => text!("at the same time"),
        earlier if earlier > 0.0 => text!("{} earlier", span(earlier)),
        later => text!("{} later", span(-later)),
    };
    match (earlier.runs, counting.full.runs) {
        (_, 1) => text!(", {apart}", apart),
        (runs, all) if runs == all => text!(", {apart}, run by run", apart),
        _ => text!(", {apart} in runs with both", apart),
    }
}
