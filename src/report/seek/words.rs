//! The answer in a sentence or two.

use crate::outcome::Proportion;
use crate::study::seek::{Answer, Finding, Knob, Method, Point, Wanted};
use crate::study::{Decision, Judgement};
use crate::units::thousands;

/// Most values that are listed one by one.
const MOST_LISTED: usize = 6;

/// The answer: the value, its neighbour, and what the noise or the world leaves open.
#[must_use]
pub fn sentence(answer: &Answer, knob: &Knob) -> String {
    let words = Words { answer, knob };
    let main = match (answer.best, answer.beyond) {
        (Some(best), Some(beyond)) => words.both(&answer.points[best], &answer.points[beyond]),
        (Some(best), None) => words.only_safe(&answer.points[best]),
        (None, _) => words.none(),
    };
    [Some(main), words.undecided(), words.exceptions()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

struct Words<'a> {
    answer: &'a Answer,
    knob: &'a Knob,
}

impl Words<'_> {
    fn both(&self, best: &Point, beyond: &Point) -> String {
        let sure = if self.between().is_empty() { "" } else { " for sure" };
        format!(
            "{}{sure} ({}); {} does not ({}).",
            self.best(best),
            self.proof(best),
            self.knob.show(&beyond.value),
            self.proof(beyond)
        )
    }

    /// No value is unsafe for sure beyond the best one.
    fn only_safe(&self, best: &Point) -> String {
        let text = format!("{} ({})", self.best(best), self.proof(best));
        if !self.between().is_empty() {
            return format!("{text}, for sure; no value that was tried is unsafe for sure.");
        }
        let next = self.answer.best.and_then(|at| self.answer.points.get(at + 1));
        match next.and_then(|next| Some((next, next.reason.as_ref()?))) {
            Some((next, reason)) => format!("{text}; {} cannot be: {reason}.", self.knob.show(&next.value)),
            None => format!("{text}; it is the last value that was to be tried."),
        }
    }

    fn none(&self) -> String {
        let tried = || self.answer.points.iter().filter(|point| !point.judgements.is_empty());
        // One that the runs leave open may be safe, wherever it stands.
        let open = tried().find(|point| point.finding == Finding::Undecided);
        let safest = open
            .or_else(|| tried().next())
            .map(|point| (self.knob.show(&point.value), self.proof(point), point.finding));
        match safest {
            Some((value, proof, Finding::Unsafe)) => {
                if self.knob.values.len() == self.answer.points.len() {
                    return format!(
                        "No value of {} keeps {}: even {value} does not ({proof}).",
                        self.knob.name,
                        self.goals()
                    );
                }
                let other = tried().next_back().filter(|other| self.knob.show(&other.value) != value);
                let other =
                    other.map(|other| format!(", nor does {} ({})", self.knob.show(&other.value), self.proof(other)));
                format!(
                    "Neither end of the range of {} keeps {}: {value} does not ({proof}){}. The values between were not tried; `--scan` \
                     tries them.",
                    self.knob.name,
                    self.goals(),
                    other.unwrap_or_default()
                )
            }
            Some((value, proof, _)) => format!(
                "No value of {} is known to keep {}; the runs leave open whether {value} does ({proof}).",
                self.knob.name,
                self.goals()
            ),
            None => format!("No value of {} can be.", self.knob.name),
        }
    }

    /// Values between the answer and the first unsafe one.
    fn between(&self) -> Vec<&Point> {
        let from = self.answer.best.map_or(0, |best| best + 1);
        let to = self.answer.beyond.unwrap_or(self.answer.points.len());
        let between = self.answer.points.get(from..to).unwrap_or_default();
        between.iter().filter(|point| point.finding == Finding::Undecided).collect()
    }

    fn undecided(&self) -> Option<String> {
        let between = self.between();
        if between.is_empty() {
            return None;
        }
        let values = self.list(&between);
        let needed = between.iter().filter_map(|point| point.runs_needed()).max()?;
        Some(format!(
            "The noise does not allow a decision about {values}: {} runs or more would be needed (`--at-most`; {} were allowed).",
            thousands(needed as u64),
            thousands(self.answer.most_runs.into())
        ))
    }

    fn exceptions(&self) -> Option<String> {
        let points: Vec<_> = self.answer.exceptions.iter().map(|&at| &self.answer.points[at]).collect();
        if points.is_empty() {
            return None;
        }
        let how = match self.answer.method {
            Method::ScanAfterBisection => ", which a bisection showed, so every value was tried",
            _ => "",
        };
        let list = self.list(&points);
        let first_safe = self.answer.points.iter().position(|point| point.finding == Finding::Safe);
        // All on the other side of the safe values.
        if self.answer.exceptions.last().copied() < first_safe {
            return Some(format!("Safety has another end{how}: {list} on the other side are unsafe too."));
        }
        Some(format!("Safety ends more than once{how}: {list} of the values before it are unsafe too."))
    }

    /// `prefix(vsw-AAA) = /22 is the smallest that keeps …`
    fn best(&self, best: &Point) -> String {
        let wanted = match self.answer.wanted {
            Wanted::Smallest => "smallest",
            Wanted::Largest => "largest",
            Wanted::Earliest => "earliest",
            Wanted::Latest => "latest",
        };
        format!("{} = {} is the {wanted} that keeps {}", self.knob.name, self.knob.show(&best.value), self.goals())
    }

    fn goals(&self) -> String {
        match &self.answer.goals[..] {
            [one] => one.clone(),
            several => format!("all {} goals", several.len()),
        }
    }

    /// How often: of the goal that fails, or of the only one.
    fn proof(&self, point: &Point) -> String {
        let worst = point.judgements.iter().find(|judgement| judgement.decision == Decision::Fails);
        let several = point.judgements.len() > 1;
        match (worst, &point.judgements[..]) {
            (Some(judgement), _) if several => format!("{}: {}", judgement.claim, often(judgement)),
            (Some(judgement), _) | (None, [judgement]) => often(judgement),
            (None, judgements) => {
                let runs = judgements.iter().map(|judgement| judgement.held.runs).max().unwrap_or(0);
                format!("{} runs", thousands(runs as u64))
            }
        }
    }

    fn list(&self, points: &[&Point]) -> String {
        let names: Vec<_> = points.iter().take(MOST_LISTED).map(|point| self.knob.show(&point.value)).collect();
        match points.len().checked_sub(MOST_LISTED + 1) {
            Some(more) => format!("{} and {} more", names.join(", "), more + 1),
            None => names.join(", "),
        }
    }
}

fn often(judgement: &Judgement) -> String {
    let Proportion { hits, runs, .. } = judgement.held;
    format!("{} of {} runs", thousands(hits as u64), thousands(runs as u64))
}
