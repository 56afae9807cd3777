//! Uncertain inputs: numbers that are drawn once per replication.
//!
//! `[80, 120]` and `{between: [80, 120]}` are uniform; `{p5: 80, p50: 100, p95: 150}` states three
//! quantiles. Numbers, durations, percentages and amounts may be uncertain. Each has its own
//! stream of chance, named by its path, so that two scenarios draw the same where they say the
//! same (common random numbers).

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::diagnostics::{Place, Problems};
use super::edit::name_of;
use super::yaml::{Node, Value};
use crate::chance::stream;
use crate::text::{Text, text};
use crate::time::Span;

/// 95th percentile of the standard normal distribution.
const Z95: f64 = 1.644_853_626_951_472_7;

/// Keys of a scenario whose numbers are not drawn: they say how it is simulated, not what.
pub(super) const CERTAIN: [&str; 6] = ["horizon", "start", "warm_up", "seed", "replications", "outputs"];

/// Keys whose numbers decide what there is, which is the same in every replication.
const STRUCTURAL: [&str; 2] = ["copies", "prefix"];

/// Keys of a scenario that hold other scenarios' values, or text.
const ELSEWHERE: [&str; 2] = ["sweep", "policy"];

/// Keys of numbers with a fraction, however the ends are written.
const REAL: [&str; 5] = ["cpu", "kubeClientQPS", "mean", "shape", "slow"];

/// Keys whose lists are lists.
const LISTS: [&str; 2] = ["at", "empirical"];

/// An input that is uncertain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Uncertain {
    /// Where it stands, such as `node_pools.default.nodes`.
    pub path: String,
    /// How it is distributed, in words.
    pub text: Text,
    /// What it is where one value has to stand for all: its median.
    pub typical: String,
    /// What it is here.
    #[serde(skip)]
    pub(super) here: String,
    /// What it is in each replication.
    pub drawn: Vec<String>,
}

impl Uncertain {
    /// The same with what so many replications drew.
    #[must_use]
    pub fn of_runs(&self, runs: usize) -> Self {
        Self { drawn: self.drawn.iter().take(runs).cloned().collect(), ..self.clone() }
    }
}

/// Which value an uncertain input has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Draw {
    /// Its median.
    Typical,
    /// The lower end, or the 5 % quantile: for checks.
    Low,
    /// The upper end, or the 95 % quantile: for checks.
    High,
    /// What chance gives a replication.
    Of { seed: u64, replication: u32 },
}

/// Gives every uncertain input of a scenario a value, and lists them; reports those that are
/// wrong.
pub(super) fn settle(tree: &mut Node, draw: Draw, problems: &mut Problems) -> Vec<Uncertain> {
    let mut settling = Settling { draw, problems, found: Vec::new() };
    let Value::Map(entries) = &mut tree.value else { return Vec::new() };
    for (key, node) in entries {
        let before = settling.found.len();
        if !ELSEWHERE.contains(&key.name.as_str()) {
            settling.node(node, &key.name, &key.name);
        }
        if CERTAIN.contains(&key.name.as_str()) && settling.found.len() > before {
            let problem = settling.problems.error(node.place, format!("`{}` cannot be uncertain", key.name));
            problem.help("it says how the simulation is done; write one value");
        }
    }
    settling.found
}

/// The median of two or three numbers, with what they are distributed like.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// Uniform between two.
    Between(f64, f64),
    /// Three quantiles.
    Quantiles(f64, f64, f64),
}

struct Settling<'p> {
    draw: Draw,
    problems: &'p mut Problems,
    found: Vec<Uncertain>,
}

impl Settling<'_> {
    /// Looks at the value of `key` at `path`, and at everything in it.
    fn node(&mut self, node: &mut Node, key: &str, path: &str) {
        if let Some(written) = Written::of(node, key) {
            if STRUCTURAL.contains(&key) {
                let problem = self.problems.error(node.place, format!("`{key}` cannot be uncertain"));
                problem.help("every replication has the same vSwitches; write one number");
            }
            self.settle(node, path, &written);
            return;
        }
        match &mut node.value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    self.node(value, &key.name, &format!("{path}.{}", key.name));
                }
            }
            Value::List(items) => {
                for (i, item) in items.iter_mut().enumerate() {
                    // No list is made of intervals: something else is meant, and wrong.
                    if matches!(item.value, Value::List(_)) {
                        continue;
                    }
                    let path = match name_of(item) {
                        Some(name) => format!("{path}.{name}"),
                        None => format!("{path}[{i}]"),
                    };
                    self.node(item, key, &path);
                }
            }
            _ => {}
        }
    }

    /// Puts a value in the place of an uncertain input.
    fn settle(&mut self, node: &mut Node, path: &str, written: &Written) {
        let Some((shape, kind)) = self.shape(written) else {
            // One error is enough: a number of it is read in its place.
            let is_there = |number: &&Node| !matches!(number.value, Value::Null);
            node.value = written.numbers.iter().find(is_there).map_or(Value::Null, |number| number.value.clone());
            return;
        };
        let value = match self.draw {
            Draw::Typical => shape.median(),
            Draw::Low => shape.ends().0,
            Draw::High => shape.ends().1,
            Draw::Of { seed, replication } => shape.draw(seed, replication, path, kind == Kind::Whole),
        };
        let text = match shape {
            Shape::Between(low, high) => text!("uniform from {low} to {high}", kind.show(low), kind.show(high)),
            Shape::Quantiles(p5, p50, p95) => {
                text!("5 %: {}, median: {}, 95 %: {}", kind.show(p5), kind.show(p50), kind.show(p95))
            }
        };
        self.found.push(Uncertain {
            path: path.to_owned(),
            text,
            typical: kind.show(shape.median()),
            here: kind.show(value),
            drawn: Vec::new(),
        });
        node.value = kind.value(value);
    }

    fn shape(&mut self, written: &Written) -> Option<(Shape, Kind)> {
        let numbers: Vec<_> = written.numbers.iter().map(|number| Kind::of(number, written.key)).collect();
        let Some(all) = numbers.into_iter().collect::<Option<Vec<_>>>() else {
            let problem = self.problems.error(written.place, "an uncertain input is made of numbers");
            problem.help("such as `[80, 120]`, `[5d, 9d]` or `{p5: 8 %, p50: 10 %, p95: 15 %}`");
            return None;
        };
        let kind = all.iter().map(|(_, kind)| kind).fold(all[0].1.clone(), |a, b| a.common(b));
        if all.iter().any(|(_, other)| !kind.fits(other)) {
            let problem = self.problems.error(written.place, "the numbers of an uncertain input have one unit");
            problem.help("write the same unit with each");
            return None;
        }
        let values: Vec<_> = all.iter().map(|(value, _)| *value).collect();
        if values.windows(2).any(|two| two[0] > two[1]) {
            self.problems.error(written.place, "the numbers of an uncertain input increase").label("these do not");
            return None;
        }
        match values[..] {
            [low, high] => Some((Shape::Between(low, high), kind)),
            [p5, p50, p95] => Some((Shape::Quantiles(p5, p50, p95), kind)),
            _ => None,
        }
    }
}

/// An uncertain input as it is written: two numbers, or three quantiles.
struct Written<'k> {
    key: &'k str,
    numbers: Vec<Node>,
    place: Place,
}

impl<'k> Written<'k> {
    /// What the value of `key` is, if it is an uncertain input.
    fn of(node: &Node, key: &'k str) -> Option<Self> {
        let scalar = |node: &Node| match &node.value {
            Value::Int(_) | Value::Float(_) => true,
            Value::Text(text) => text.starts_with(|c: char| c.is_ascii_digit() || "-+.".contains(c)),
            _ => false,
        };
        let numbers = match &node.value {
            Value::List(items) if !LISTS.contains(&key) && items.len() == 2 && items.iter().all(scalar) => {
                // Two addresses or two dates are no interval.
                items.iter().all(|item| Kind::of(item, key).is_some()).then(|| items.clone())
            }
            Value::Map(entries) => {
                let get = |name: &str| entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node.clone());
                match entries.len() {
                    1 => match get("between")?.value {
                        Value::List(items) if items.len() == 2 => Some(items),
                        _ => None,
                    },
                    3 => Some(vec![get("p5")?, get("p50")?, get("p95")?]),
                    _ => None,
                }
            }
            _ => None,
        };
        Some(Self { key, numbers: numbers?, place: node.place })
    }
}

/// What kind of number it is.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A whole number.
    Whole,
    /// A number with a fraction.
    Real,
    /// A length of time, in seconds.
    Span,
    /// A number with something behind it: `%`, `%/month`, `Gi`, ...
    With(String),
}

impl Kind {
    /// The number that a scalar is at `key`, and of what kind.
    fn of(node: &Node, key: &str) -> Option<(f64, Self)> {
        match &node.value {
            Value::Int(n) if REAL.contains(&key) => Some((*n as f64, Self::Real)),
            Value::Int(n) => Some((*n as f64, Self::Whole)),
            Value::Float(x) if x.is_finite() => Some((*x, Self::Real)),
            Value::Text(text) => {
                // `500m` of a CPU is half of it, not a time.
                if key != "cpu"
                    && let Ok(span) = text.parse::<Span>()
                {
                    return Some((span.as_secs_f64(), Self::Span));
                }
                let text = text.trim();
                let end = text.find(|c: char| !c.is_ascii_digit() && !"-+.".contains(c)).unwrap_or(text.len());
                let unit = text[end..].trim_start();
                let known = ["m", "Ki", "Mi", "Gi", "Ti", "k", "M", "G", "T"];
                let fits = unit.starts_with('%') || known.contains(&unit);
                Some((text[..end].parse().ok()?, Self::With(unit.to_owned()))).filter(|_| fits)
            }
            _ => None,
        }
    }

    /// The kind of a number that may be either.
    fn common(self, other: &Self) -> Self {
        if self == Self::Whole && *other == Self::Real { Self::Real } else { self }
    }

    fn fits(&self, other: &Self) -> bool {
        self == other || *self == Self::Real && *other == Self::Whole
    }

    /// A number of this kind as it is written; as many digits as there are, whole ones rounded.
    fn value(&self, number: f64) -> Value {
        match self {
            Self::Whole => Value::Int(number.round() as i128),
            Self::Real => Value::Float(number),
            Self::Span => Value::Text(format!("{}ms", (number * 1e3).round().max(0.0))),
            Self::With(unit) if unit == "m" => Value::Text(format!("{}m", number.round())),
            Self::With(unit) => Value::Text(format!("{number}{unit}")),
        }
    }

    /// The same for people.
    fn show(&self, number: f64) -> String {
        match self {
            Self::Whole => format!("{}", number.round()),
            Self::Real => format!("{number}"),
            Self::Span => Span::from_secs_f64(number).to_string(),
            Self::With(unit) if unit.starts_with('%') => format!("{number} {unit}"),
            Self::With(unit) if unit == "m" => format!("{}m", number.round()),
            Self::With(unit) => format!("{number}{unit}"),
        }
    }
}

impl Shape {
    fn median(self) -> f64 {
        match self {
            Self::Between(low, high) => f64::midpoint(low, high),
            Self::Quantiles(_, p50, _) => p50,
        }
    }

    /// The ends, or the quantiles that were stated.
    fn ends(self) -> (f64, f64) {
        let (Self::Between(low, high) | Self::Quantiles(low, _, high)) = self;
        (low, high)
    }

    /// The value of the input at `path` in a replication. Three quantiles are taken as those of
    /// two halves of normal distributions that meet in the median, or of lognormal ones if all
    /// three are positive: exact at the quantiles, and what has no negative quantile is not negative.
    fn draw(self, seed: u64, replication: u32, path: &str, whole: bool) -> f64 {
        let mut chance = stream(seed, replication, &format!("uncertain/{path}"));
        match self {
            // Every whole number is as likely, the ends too.
            Self::Between(low, high) if whole => low + ((high - low + 1.0) * chance.random::<f64>()).floor(),
            Self::Between(low, high) => low + (high - low) * chance.random::<f64>(),
            Self::Quantiles(p5, p50, p95) => {
                let z: f64 = StandardNormal.sample(&mut chance);
                let end = if z < 0.0 { p5 } else { p95 };
                let way = z.abs() / Z95;
                if p5 > 0.0 {
                    return p50 * (end / p50).powf(way);
                }
                let value = p50 + (end - p50) * way;
                if p5 < 0.0 { value } else { value.max(0.0) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Source;

    fn settled(text: &str, draw: Draw) -> (Vec<Uncertain>, Node, usize) {
        let mut problems = Problems::default();
        problems.sources.push(Source { name: "a.yaml".to_owned(), text: text.to_owned() });
        let mut tree = crate::scenario::yaml::parse(&mut problems, 0).expect("it is YAML");
        let found = settle(&mut tree, draw, &mut problems);
        (found, tree, problems.count())
    }

    #[test]
    fn quantiles_come_out_as_they_were_stated() {
        let shape = Shape::Quantiles(80.0, 100.0, 150.0);
        let mut draws: Vec<_> = (0..20_000).map(|r| shape.draw(1, r, "x", false)).collect();
        draws.sort_by(f64::total_cmp);
        for (share, value) in [(0.05, 80.0), (0.5, 100.0), (0.95, 150.0)] {
            let found = draws[(share * draws.len() as f64) as usize];
            assert!((found / value - 1.0).abs() < 0.01, "{share}: {found} is not {value}");
        }
    }

    #[test]
    fn whole_numbers_are_equally_likely_at_the_ends() {
        let shape = Shape::Between(1.0, 3.0);
        let mut counts = [0; 4];
        (0..9_000).for_each(|r| counts[shape.draw(1, r, "x", true) as usize] += 1);
        assert!(counts[0] == 0 && counts[1..].iter().all(|count| (2_850..3_150).contains(count)), "{counts:?}");
    }

    #[test]
    fn lists_of_two_numbers_are_intervals_except_where_lists_are_meant() {
        let text = "a: {b: [80, 120], at: [1d, 2d], c: [5 %, 7 %]}
list: [{name: x, n: {p5: 1d, p50: 2d, p95: 9d}}]";
        let (found, _, problems) = settled(text, Draw::Typical);
        let found: Vec<_> = found.iter().map(|u| format!("{}: {} ({})", u.path, u.text.english(), u.typical)).collect();
        assert_eq!(problems, 0);
        insta::assert_snapshot!(found.join("\n"), @r"
        a.b: uniform from 80 to 120 (100)
        a.c: uniform from 5 % to 7 % (6 %)
        list.x.n: 5 %: 1d, median: 2d, 95 %: 9d (2d)
        ");
    }

    #[test]
    fn quantiles_from_0_on_draw_nothing_negative() {
        let shape = Shape::Quantiles(0.0, 10.0, 30.0);
        assert!((0..2_000).all(|r| shape.draw(1, r, "x", false) >= 0.0));
    }

    #[test]
    fn amounts_are_drawn_in_their_unit_and_fractions_between_whole_ends() {
        let (found, tree, problems) =
            settled("requests: {cpu: [500m, 1000m]}\nmax_surge: [5 %, 10%]\nslow: [2, 3]", Draw::Typical);
        assert_eq!(
            (problems, found.iter().map(|u| u.typical.as_str()).collect::<Vec<_>>()),
            (0, vec!["750m", "7.5 %", "2.5"])
        );
        assert!(format!("{tree:?}").contains("\"750m\""), "{tree:?}");
    }

    #[test]
    fn mixed_units_decreasing_numbers_and_uncertain_horizons_are_refused() {
        for text in [
            "a: [5 %, 7]",
            "a: [9, 5]",
            "horizon: [5d, 9d]",
            "a: {copies: [1, 3]}",
            "a: {prefix: [22, 26]}",
            "a: {between: [x, 5]}",
        ] {
            assert_eq!(settled(text, Draw::Typical).2, 1, "{text}");
        }
    }
}
