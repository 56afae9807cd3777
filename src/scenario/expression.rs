//! Conditions, readings and claims, as they are written:
//!
//! ```text
//! vsw-AAA.free < 200                                     a condition
//! pods.wait.p99                                          a reading
//! vswitch.free.min >= 10 %                               a claim about every run
//! P(any pod waits > 60s before 180d) <= 1 %              a claim about a probability
//! ```

use std::path::Path;

use super::Diagnostics;
use super::diagnostics::{Place, Problem, Problems, quoted_list};
use super::loader::{Files, Loader};
use super::read::At;
use crate::ipam::note::nearest;
use crate::model::{Bound, Claim, Comparison, Condition, Level, Measured, Model, Reading, Statement, VSwitchReading};
use crate::time::{Instant, Span};

/// Smallest probability that a claim may be about: it takes three million runs to show.
const LEAST_SHARE: f64 = 1e-6;

/// The claim that the text of a command-line option states about `model`.
///
/// # Errors
/// What is wrong with it.
pub fn claim(model: &Model, option: &str, text: &str) -> Result<Claim, Diagnostics> {
    alone(option, text, |text, problems| read_claim(text, model, problems))
}

/// The reading of `model` that the text of a command-line option names.
///
/// # Errors
/// What is wrong with it.
pub fn reading(model: &Model, option: &str, text: &str) -> Result<Reading, Diagnostics> {
    alone(option, text, |text, problems| read_reading(text, model, problems))
}

/// What the text of a command-line option asks of every run of `model`: a reading, or the
/// probability of a statement, such as `P(any pod waits > 60s)`.
///
/// # Errors
/// What is wrong with it.
pub fn measured(model: &Model, option: &str, text: &str) -> Result<Measured, Diagnostics> {
    alone(option, text, |text, problems| read_measured(text, model, problems))
}

/// Reads a text that stands alone.
fn alone<T>(
    option: &str,
    text: &str,
    read: impl FnOnce(&At<String>, &mut Problems) -> Option<T>,
) -> Result<T, Diagnostics> {
    let mut loader = Loader::new(Files::Folder(Path::new("").to_owned()));
    let file = loader.add_source(option.to_owned(), text.to_owned());
    let text = At { value: text.to_owned(), place: Place { file, start: 0, end: text.len() } };
    let value = read(&text, &mut loader.problems);
    loader.problems.finish()?;
    Ok(value.expect("a text that is not read has an error"))
}

/// A condition of an action.
pub(super) fn read_condition(text: &At<String>, model: &Model, problems: &mut Problems) -> Option<Condition> {
    let mut reader = Reader::new(text, problems)?;
    let name = reader.word("a level, such as `vsw-AAA.free`")?;
    let level = reader.named(&name, "level", model.levels())?;
    let comparison = reader.comparison()?;
    let (level, than) = match level {
        Level::VSwitch(id, _) => (level, reader.amount_of(model, id.index())?),
        Level::AnyVSwitch(holder) => match (reader.number()?, reader.takes_word("%")) {
            (percent, true) => (Level::AnyVSwitchShare(holder), percent / 100.0),
            (number, false) => (level, number),
        },
        _ => (level, reader.number()?),
    };
    reader.end()?;
    Some(Condition { text: text.value.trim().to_owned(), level, comparison, than })
}

/// A reading.
pub(super) fn read_reading(text: &At<String>, model: &Model, problems: &mut Problems) -> Option<Reading> {
    let mut reader = Reader::new(text, problems)?;
    let reading = reader.reading(model)?;
    reader.end()?;
    Some(reading)
}

/// A reading, or the probability of a statement.
pub(super) fn read_measured(text: &At<String>, model: &Model, problems: &mut Problems) -> Option<Measured> {
    let mut reader = Reader::new(text, problems)?;
    let measured = if reader.takes_word("P") {
        reader.expect("(")?;
        let statement = reader.statement(model)?;
        reader.expect(")")?;
        Measured::Probability(statement)
    } else {
        Measured::Reading(reader.reading(model)?)
    };
    reader.end()?;
    Some(measured)
}

/// A claim.
pub(super) fn read_claim(text: &At<String>, model: &Model, problems: &mut Problems) -> Option<Claim> {
    let mut reader = Reader::new(text, problems)?;
    let is_probability = reader.takes_word("P") && reader.expect("(")?;
    let statement = reader.statement(model)?;
    let probability = if is_probability {
        reader.expect(")")?;
        Some(reader.bound()?)
    } else {
        None
    };
    reader.end()?;
    Some(Claim { text: text.value.trim().to_owned(), statement, probability })
}

/// A piece of a text: a word, a number, a sign.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    place: Place,
}

/// Reads the tokens of a text, one after the other.
struct Reader<'p> {
    tokens: Vec<Token>,
    next: usize,
    end: Place,
    problems: &'p mut Problems,
}

impl<'p> Reader<'p> {
    fn new(text: &At<String>, problems: &'p mut Problems) -> Option<Self> {
        let At { value, place } = text;
        // In quotes, or over several lines, the text does not begin where its place does.
        let written = problems.sources[place.file].text.get(place.start..place.end).unwrap_or_default();
        let shift = written.find(value.as_str()).map(|at| place.start + at);
        let at = |start: usize, end: usize| match shift {
            Some(shift) => Place { file: place.file, start: shift + start, end: shift + end },
            None => *place,
        };
        let mut tokens = Vec::new();
        let mut start = 0;
        while let Some(c) = value[start..].chars().next() {
            let rest = &value[start..];
            let length = match c {
                c if c.is_whitespace() => {
                    start += c.len_utf8();
                    continue;
                }
                '<' | '>' | '=' | '!' => 1 + usize::from(rest[1..].starts_with('=')),
                '(' | ')' | '%' => 1,
                _ => {
                    let ends = |c: char| c.is_whitespace() || "<>=!()%".contains(c);
                    rest.find(ends).unwrap_or(rest.len())
                }
            };
            tokens.push(Token { text: rest[..length].to_owned(), place: at(start, start + length) });
            start += length;
        }
        if tokens.is_empty() {
            problems.error(*place, "there is nothing here");
            return None;
        }
        let end = tokens.last().map_or(*place, |last| Place { start: last.place.end, ..last.place });
        Some(Self { tokens, next: 0, end, problems })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn place(&self) -> Place {
        self.peek().map_or(self.end, |token| token.place)
    }

    fn wrong(&mut self, expected: &str) -> &mut Problem {
        let place = self.place();
        self.problems.error(place, format!("{expected} is expected here"))
    }

    /// Takes the next token if it is this word.
    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.text == word);
        self.next += usize::from(found);
        found
    }

    /// Takes this sign, which has to be there.
    fn expect(&mut self, sign: &str) -> Option<bool> {
        if self.takes_word(sign) {
            return Some(true);
        }
        self.wrong(&format!("`{sign}`"));
        None
    }

    /// Takes a word, which has to be there.
    fn word(&mut self, expected: &str) -> Option<Token> {
        match self.peek().filter(|token| token.text.starts_with(|c: char| c.is_alphanumeric() || c == '_')) {
            Some(token) => {
                let token = token.clone();
                self.next += 1;
                Some(token)
            }
            None => {
                self.wrong(expected);
                None
            }
        }
    }

    /// What has this name.
    fn named<T>(&mut self, name: &Token, what: &str, known: Vec<(String, T)>) -> Option<T> {
        let names: Vec<_> = known.iter().map(|(name, _)| name.clone()).collect();
        let found = known.into_iter().find(|(known, _)| *known == name.text).map(|(_, value)| value);
        if found.is_none() {
            let names = || names.iter().map(String::as_str);
            let near = nearest(&name.text, names()).map(str::to_owned);
            let some = quoted_list(names().take(6));
            let problem = self.problems.error(name.place, format!("there is no {what} `{}`", name.text));
            match near {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("known are {some} and others: `brimline measures FILE` lists them")),
            };
        }
        found
    }

    fn comparison(&mut self) -> Option<Comparison> {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less, Unequal};
        let all = [Less, AtMost, Equal, Unequal, AtLeast, Greater];
        let found = self.peek().and_then(|token| all.into_iter().find(|c| c.sign() == token.text));
        match found {
            Some(_) => self.next += 1,
            None => {
                let help = quoted_list(all.map(Comparison::sign));
                self.wrong("a comparison").help(format!("one of {help}"));
            }
        }
        found
    }

    fn number(&mut self) -> Option<f64> {
        let number = self.peek().and_then(|token| token.text.parse::<f64>().ok()).filter(|n| n.is_finite());
        match number {
            Some(_) => self.next += 1,
            None => {
                self.wrong("a number");
            }
        }
        number
    }

    /// A share that is written as a percentage.
    fn share(&mut self) -> Option<f64> {
        let share = self.number()? / 100.0;
        self.expect("%")?;
        Some(share)
    }

    /// A length of time, in one word or two.
    fn span(&mut self) -> Option<Span> {
        let texts = self.tokens[self.next.min(self.tokens.len())..].iter().take(2).map(|token| token.text.as_str());
        let texts: Vec<_> = texts.collect();
        let (span, used) = match texts[..] {
            [first, ..] if first.parse::<Span>().is_ok() => (first.parse().ok(), 1),
            [first, second] if first.parse::<f64>().is_ok() => (format!("{first}{second}").parse().ok(), 2),
            _ => (None, 0),
        };
        match span {
            Some(_) => self.next += used,
            None => {
                self.wrong("a duration").help("such as `60s` or `180d`");
            }
        }
        span
    }

    /// A number of addresses, or a percentage of the usable ones of a vSwitch.
    fn amount_of(&mut self, model: &Model, vswitch: usize) -> Option<f64> {
        let number = self.number()?;
        let usable = crate::address::usable(model.vpc.vswitches[vswitch].cidr);
        Some(if self.takes_word("%") { number / 100.0 * f64::from(usable) } else { number })
    }

    fn reading(&mut self, model: &Model) -> Option<Reading> {
        let name = self.word("a measure, such as `pods.wait.p99`")?;
        if name.text == "pods.waiting_over" {
            self.expect("(")?;
            let over = self.span()?;
            self.expect(")")?;
            let before = self.before(model)?;
            return Some(Reading::WaitedOver { over, before });
        }
        let mut known = model.readings();
        known.push(("pods.waiting_over".to_owned(), Reading::Calls(None)));
        self.named(&name, "measure", known)
    }

    /// `before 60d`; without it, any time.
    fn before(&mut self, model: &Model) -> Option<Instant> {
        if !self.takes_word("before") {
            return Some(Instant::NEVER);
        }
        let place = self.place();
        let span = self.span()?;
        if span > model.horizon {
            let problem = self.problems.error(place, "this is later than the end of the simulated time");
            problem.help(format!("the horizon is {}; make it longer, or look at an earlier time", model.horizon));
            return None;
        }
        Some(Instant::ZERO + span)
    }

    fn statement(&mut self, model: &Model) -> Option<Statement> {
        if self.takes_word("any") {
            return self.any(model);
        }
        let is_full = |reader: &Self| {
            let word = |n: usize| reader.tokens.get(reader.next + n).map(|token| token.text.as_str());
            word(1) == Some("is") && word(2) == Some("full")
        };
        if is_full(self) {
            let name = self.word("a vSwitch")?;
            let vswitches = model.vpc.vswitches.iter().enumerate();
            let known = vswitches.map(|(i, v)| (v.id.clone(), crate::id::VSwitchId::new(i))).collect();
            let id = self.named(&name, "vSwitch", known)?;
            return self.is_full(Reading::VSwitch(id, VSwitchReading::TimeToFull), model);
        }
        let reading = self.reading(model)?;
        let comparison = self.comparison()?;
        self.compared(reading, comparison, model)
    }

    /// `any pod waits > 60s before 180d` or `any vswitch is full before 90d`.
    fn any(&mut self, model: &Model) -> Option<Statement> {
        if self.takes_word("vswitch") {
            return self.is_full(Reading::AnyVSwitch(VSwitchReading::TimeToFull), model);
        }
        if !(self.takes_word("pod") && self.takes_word("waits")) {
            let near = self.peek().and_then(|token| nearest(&token.text, ["vswitch", "pod", "waits"]));
            let problem = self.wrong("`any pod waits > 60s` or `any vswitch is full`");
            near.into_iter().for_each(|near| _ = problem.help(format!("did you mean `{near}`?")));
            return None;
        }
        if !self.takes_word(">") {
            self.wrong("`>`");
            return None;
        }
        let over = self.span()?;
        let before = self.before(model)?;
        Some(Statement { reading: Reading::WaitedOver { over, before }, comparison: Comparison::Greater, than: 0.0 })
    }

    fn is_full(&mut self, reading: Reading, model: &Model) -> Option<Statement> {
        self.expect("is")?;
        self.expect("full")?;
        let before = self.before(model)?;
        let (comparison, than) = match before {
            Instant::NEVER => (Comparison::AtMost, model.horizon.as_secs_f64()),
            before => (Comparison::Less, before.since(Instant::ZERO).as_secs_f64()),
        };
        Some(Statement { reading, comparison, than })
    }

    /// What a reading is compared with, in its unit.
    fn compared(&mut self, reading: Reading, comparison: Comparison, model: &Model) -> Option<Statement> {
        let (reading, than) = match reading {
            _ if reading.unit() == "s" => (reading, self.span()?.as_secs_f64()),
            Reading::VSwitch(..) | Reading::AnyVSwitch(_) | Reading::AllVSwitches(_) => {
                let number = self.number()?;
                match self.takes_word("%") {
                    true => (self.as_share(reading)?, number / 100.0),
                    false => (reading, number),
                }
            }
            _ => (reading, self.number()?),
        };
        // `pods.waiting_over(60s) == 0 before 60d` says when behind the number.
        let reading = match reading {
            Reading::WaitedOver { over, before: Instant::NEVER } => {
                Reading::WaitedOver { over, before: self.before(model)? }
            }
            other => other,
        };
        Some(Statement { reading, comparison, than })
    }

    /// The same reading as a share of the usable addresses.
    fn as_share(&mut self, reading: Reading) -> Option<Reading> {
        use VSwitchReading::{LeastFree, LeastFreeShare};
        match reading {
            Reading::VSwitch(id, LeastFree) => Some(Reading::VSwitch(id, LeastFreeShare)),
            Reading::AnyVSwitch(LeastFree) => Some(Reading::AnyVSwitch(LeastFreeShare)),
            _ => {
                let place = self.tokens[self.next - 1].place;
                let problem = self.problems.error(place, "only `free.min` may be compared with a percentage");
                problem.help("write a number of addresses");
                None
            }
        }
    }

    /// `<= 1 %` or `>= 99 %`.
    fn bound(&mut self) -> Option<(Bound, f64)> {
        let bound = match () {
            () if self.takes_word("<=") || self.takes_word("<") => Bound::AtMost,
            () if self.takes_word(">=") || self.takes_word(">") => Bound::AtLeast,
            () => {
                self.wrong("`<=` or `>=`").help("a probability is compared with a percentage: `P(...) <= 1 %`");
                return None;
            }
        };
        let place = self.place();
        let share = self.share()?;
        if !(LEAST_SHARE..=1.0 - LEAST_SHARE).contains(&share) {
            let title = format!("no number of runs that could be made shows {} %", share * 100.0);
            let problem = self.problems.error(place, title);
            problem.help("write 0.0001 % to 99.9999 %, or a claim without `P(…)`, about every run");
            return None;
        }
        Some((bound, share))
    }

    /// That there is nothing more.
    fn end(&mut self) -> Option<()> {
        match self.peek().cloned() {
            None => Some(()),
            Some(token) => {
                let problem = self.problems.error(token.place, format!("`{}` is not expected here", token.text));
                if token.text == "before" {
                    problem.help("`before` goes with `pods.waiting_over(…)`, `any pod waits > …` and `is full`");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{VSwitch, Vpc};

    fn model() -> Model {
        let cidr = "10.0.0.0/8".parse().expect("a block");
        let vpc = Vpc { cidr, vswitches: vec![VSwitch::plain("vsw-AAA", "z", "10.0.0.0/24")] };
        Model::plain("a", Span::days(90), vpc)
    }

    #[test]
    fn claims_are_read_as_they_are_meant() {
        let model = model();
        let minute = |before| Reading::WaitedOver { over: Span::secs(60), before };
        let day = |n| Instant::ZERO + Span::days(n);
        let cases = [
            ("pods.waiting_over(60s) == 0 before 60d", minute(day(60)), Comparison::Equal, 0.0, None),
            (
                "vswitch.free.min>=10%",
                Reading::AnyVSwitch(VSwitchReading::LeastFreeShare),
                Comparison::AtLeast,
                0.1,
                None,
            ),
            (
                "P(any pod waits > 60 s before 80d) <= 1 %",
                minute(day(80)),
                Comparison::Greater,
                0.0,
                Some((Bound::AtMost, 0.01)),
            ),
            (
                "P(vsw-AAA is full before 1d) <= 5%",
                Reading::VSwitch(crate::id::VSwitchId::new(0), VSwitchReading::TimeToFull),
                Comparison::Less,
                86_400.0,
                Some((Bound::AtMost, 0.05)),
            ),
            ("calls.refused < 7", Reading::RefusedCalls(None), Comparison::Less, 7.0, None),
        ];
        for (text, reading, comparison, than, probability) in cases {
            let claim = claim(&model, "--fail-if", text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            assert_eq!(claim.statement, Statement { reading, comparison, than }, "{text}");
            assert_eq!(claim.probability.map(|(b, p)| (b, (p * 1e6).round() / 1e6)), probability, "{text}");
        }
    }

    #[test]
    fn what_does_not_resolve_is_pointed_at() {
        let wrong = [
            "vsw-AAB.free.min < 7",
            "pods.wait.p98 < 7s",
            "pods.wait.p99 < 7",
            "P(pods.served > 3) <= 0 %",
            "any pod waits > 60s before 91d",
            "calls.refused <",
            "calls.refused < 7 before 3d",
            "vswitch.idle.mean < 7 %",
            "P(any vswitch is empty) <= 1 %",
        ];
        let model = model();
        let found: Vec<_> =
            wrong.iter().map(|text| claim(&model, "--fail-if", text).expect_err(text).to_string()).collect();
        insta::assert_snapshot!("claims_that_do_not_resolve", found.join("\n\n"));
    }
}
