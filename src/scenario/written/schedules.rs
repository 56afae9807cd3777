//! Numbers over time and distributions, as they are written.

use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::{Count, Duration, Growth, Number};
use crate::scenario::read::{At, Read, choice, either_schema, section, wrong_kind};
use crate::scenario::yaml::{Node, Value};

choice! {
    /// A number that changes over time.
    "a schedule" enum Schedule {
        /// Always the same number.
        Constant(At<Count>) = "`300` or `{linear: {from: 10, to: 450}}`",
        /// A straight line, then constant.
        /// Example: `{linear: {from: 10, to: 400, over: 60d}}`.
        linear => Linear(Linear),
        /// Growth by a percentage per span.
        /// Example: `{exponential: {from: 300, growth: 12 %/month, limit: 900}}`.
        exponential => Exponential(Exponential),
        /// An S-curve.
        /// Example: `{logistic: {from: 10, to: 300, midpoint: 45d, scale: 6d}}`.
        logistic => Logistic(Logistic),
        /// Jumps; the first at `0s`.
        /// Example: `{steps: [{at: 0s, value: 10}, {at: 7d, value: 40}]}`.
        steps => Steps(Vec<Point>),
        /// Straight lines between points, constant outside.
        /// Example: `{points: [{at: 0s, value: 10}, {at: 7d, value: 40}]}`.
        points => Points(Vec<Point>),
        /// Straight lines between the points of a CSV file.
        /// Example: `{csv: {file: pods.csv, column: running}}`.
        csv => Csv(Csv),
    }
}

section! {
    /// A straight line from one number to another; constant afterwards.
    "`linear`" struct Linear {
        /// Number at the start.
        /// Example: `10`.
        required from: At<Count>,
        /// Number at the end.
        /// Example: `400`.
        required to: At<Count>,
        /// How long the way takes.
        /// Default: the horizon.
        /// Example: `60d`.
        optional over: At<Duration>,
    }
}

section! {
    /// Growth that compounds.
    "`exponential`" struct Exponential {
        /// Number at the start.
        /// Example: `300`.
        required from: At<Count>,
        /// Growth per span, or with `per`.
        /// Example: `12 %/month`.
        required growth: At<Growth>,
        /// The span over which it grows by that much, if `growth` names none.
        /// Default: 30 days.
        /// Example: `7d`.
        optional per: At<Duration>,
        /// Most that it grows to.
        /// Default: none.
        /// Example: `900`.
        optional limit: At<Count>,
    }
}

section! {
    /// An S-curve.
    "`logistic`" struct Logistic {
        /// Number long before.
        /// Example: `10`.
        required from: At<Count>,
        /// Number long after.
        /// Example: `300`.
        required to: At<Count>,
        /// When it is half-way.
        /// Default: half of the horizon.
        /// Example: `45d`.
        optional midpoint: At<Duration>,
        /// A fifth of the time that the middle 85 % of the way takes.
        /// Default: a tenth of the horizon.
        /// Example: `6d`.
        optional scale: At<Duration>,
    }
}

section! {
    /// A number at a time.
    "a point" struct Point {
        /// The time since the start; of several points, increasing.
        /// Example: `7d`.
        required at: At<Duration>,
        /// The number.
        /// Example: `40`.
        required value: At<Count>,
    }
}

section! {
    /// A CSV file with a header, times in the first column and numbers in another.
    "`csv`" struct Csv {
        /// Its path, from the scenario's folder; gzip is read too.
        /// Example: `pods.csv`.
        required file: At<String>,
        /// Name of the column with the numbers.
        /// Default: the first that holds no times.
        /// Example: `running`.
        optional column: At<String>,
    }
}

choice! {
    /// A distribution of a length of time.
    "a distribution" enum Distribution {
        /// Always the same.
        Constant(At<Duration>) = "`2s` or `{lognormal: {median: 2s, p99: 12s}}`",
        /// Equally likely between `from` and `to`.
        /// Example: `{uniform: {from: 10s, to: 15s}}`.
        uniform => Uniform(Uniform),
        /// Exponential: no memory.
        /// Example: `{exponential: {mean: 2h}}`.
        exponential => Exponential(Mean),
        /// Lognormal: most are short, some are long.
        /// Example: `{lognormal: {median: 2s, p99: 12s}}`.
        lognormal => LogNormal(LogNormal),
        /// Heavy-tailed: the share that is longer than t is (`minimum` / t)^`shape`.
        /// Example: `{pareto: {minimum: 10s, shape: 1.5}}`.
        pareto => Pareto(Pareto),
        /// The share that is longer than t is exp(−(t / `scale`)^`shape`); heavy-tailed for a shape below 1.
        /// Example: `{weibull: {scale: 1h, shape: 0.6}}`.
        weibull => Weibull(Weibull),
        /// One of these measured values, each equally likely: a list, or a file with one on every line.
        /// Example: `{empirical: [1s, 2s, 9s]}`.
        empirical => Empirical(Empirical),
    }
}

section! {
    /// Uniform between two.
    "`uniform`" struct Uniform {
        /// The shortest.
        /// Example: `10s`.
        required from: At<Duration>,
        /// The longest.
        /// Example: `15s`.
        required to: At<Duration>,
    }
}

section! {
    /// Exponential.
    "`exponential`" struct Mean {
        /// The mean.
        /// Example: `2h`.
        required mean: At<Duration>,
    }
}

section! {
    /// Lognormal.
    "`lognormal`" struct LogNormal {
        /// Half are shorter.
        /// Example: `2s`.
        required median: At<Duration>,
        /// One in a hundred is longer; not less than the median.
        /// Example: `12s`.
        required p99: At<Duration>,
    }
}

section! {
    /// Pareto: the share that is longer than t is (minimum / t)^shape.
    "`pareto`" struct Pareto {
        /// The shortest.
        /// Example: `10s`.
        required minimum: At<Duration>,
        /// More than 1, so that there is a mean; the smaller, the heavier the tail.
        /// Example: `1.5`.
        required shape: At<Number>,
    }
}

section! {
    /// Weibull: the share that is longer than t is exp(−(t / scale)^shape).
    "`weibull`" struct Weibull {
        /// 63 % are shorter.
        /// Example: `1h`.
        required scale: At<Duration>,
        /// More than 0: below 1, the tail is heavy; 1 is exponential.
        /// Example: `0.6`.
        required shape: At<Number>,
    }
}

section! {
    /// A file with a duration on every line.
    "`empirical`" struct DurationFile {
        /// Its path, from the scenario's folder.
        /// Example: `startups.txt`.
        required file: At<String>,
    }
}

/// Measured lengths of time.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Empirical {
    List(Vec<At<Duration>>),
    File(DurationFile),
}

impl Read for Empirical {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Map(_) => DurationFile::read(node, problems).map(Self::File),
            Value::List(_) => Read::read(node, problems).map(Self::List),
            _ => {
                wrong_kind(node, "`empirical` is a list of durations, or `{file: …}`", problems);
                None
            }
        }
    }
}

either_schema!(Empirical, g => [g.subschema_for::<Vec<Duration>>(), g.subschema_for::<DurationFile>()]);
