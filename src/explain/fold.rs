//! What repeats itself is told once.

use super::{Line, Teller};
use crate::text::{COMMA, Text, text};
use crate::time::Instant;
use crate::units::thousands;

/// A sentence before it is decided whether it is told.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub at: Instant,
    pub text: Text,
    /// What makes it the same again, and how that is counted: `attempt fails`, `attempts fail`;
    /// `None` = it is always told.
    pub same: Option<Same>,
}

/// What makes two sentences the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Same {
    pub one: Text,
    pub many: Text,
}

impl Draft {
    pub fn new(at: Instant, text: Text) -> Self {
        Self { at, text, same: None }
    }

    pub fn again(at: Instant, text: Text, one: Text, many: Text) -> Self {
        Self { at, text, same: Some(Same { one, many }) }
    }
}

/// Things that happened again, each with how often.
#[derive(Debug, Default)]
pub(super) struct Again {
    counts: Vec<(Same, u32)>,
    pub last: Instant,
}

impl Again {
    pub fn add(&mut self, same: &Same, n: u32, at: Instant) {
        self.last = self.last.max(at);
        match self.counts.iter_mut().find(|(known, _)| known == same) {
            Some((_, count)) => *count += n,
            None => self.counts.push((same.clone(), n)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// `12 more attempts fail, 1 AssignPrivateIpAddresses is refused`.
    pub fn text(&self) -> Text {
        let counts = self.counts.iter().map(|(same, n)| {
            let what = if *n == 1 { &same.one } else { &same.many };
            text!("{} {what}", thousands((*n).into()), what)
        });
        Text::list(counts, COMMA)
    }
}

impl Teller<'_> {
    /// The drafts as lines, in order of time: of what is the same the first is told, and the
    /// others are counted up to the next that is new.
    pub(super) fn fold(&self, mut drafts: Vec<Draft>) -> Vec<Line> {
        drafts.sort_by_key(|draft| draft.at);
        let mut lines = Vec::new();
        let mut seen: Vec<Same> = Vec::new();
        let mut again = Again::default();
        for draft in drafts {
            match draft.same {
                Some(same) if seen.contains(&same) => again.add(&same, 1, draft.at),
                same => {
                    seen.extend(same);
                    lines.extend(self.told_again(&mut again));
                    lines.push(self.line(draft.at, draft.text));
                }
            }
        }
        lines.extend(self.told_again(&mut again));
        lines
    }

    fn told_again(&self, again: &mut Again) -> Option<Line> {
        let again = std::mem::take(again);
        let text = || text!("Until then the same again: {}.", again.text());
        (!again.is_empty()).then(|| self.line(again.last, text()))
    }
}
