//! Schedules and distributions, from what was written to what is meant.

use super::diagnostics::Place;
use super::loader::Loader;
use super::quantity::{Count, Duration};
use super::read::At;
use super::series::{Columns, series};
use super::show;
use super::written::{self, Csv, Distribution, Empirical, Exponential, Linear, Logistic, Point};
use crate::chance::SpanDist;
use crate::model::{Deed, Model, NodePool, PoolSize, Portion, Schedule, Shape, VSwitch};
use crate::time::{Instant, Span};
use crate::units::thousands;

/// Span over which growth is stated if nobody says.
const MONTH: Span = Span::days(30);

/// What a schedule is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    /// The end of the simulated time, if it is known.
    pub horizon: Option<Span>,
    /// Most that the number may be.
    pub most: u64,
    /// What is counted, such as `nodes`.
    pub what: &'static str,
}

/// Largest number that a schedule reaches until `horizon`.
pub(super) fn peak(schedule: &Schedule, horizon: Span) -> f64 {
    match schedule {
        Schedule::Steps(points) | Schedule::Points(points) => {
            let end = Instant::ZERO + horizon;
            let reached = points.iter().take_while(|&&(at, _)| at < end).map(|&(_, v)| v);
            // On the way to a later point it is at its highest at the end, or not.
            reached.fold(schedule.value(end), f64::max)
        }
        _ => schedule.value(Instant::ZERO).max(schedule.value(Instant::ZERO + horizon)),
    }
}

/// Most addresses that the other tenants of a vSwitch want together until `horizon`.
pub(super) fn most_of_others(vswitch: &VSwitch, horizon: Span) -> u32 {
    if let [only] = &vswitch.tenants[..] {
        return peak(&only.addresses, horizon).round() as u32;
    }
    let changes =
        std::iter::successors(Some(Instant::ZERO), |&at| vswitch.next_change_of_others(at, Instant::ZERO + horizon));
    changes.map(|at| vswitch.wanted_by_others(at)).max().unwrap_or_default()
}

/// Most nodes that a pool of the model has, those on top during a replacement included.
pub(super) fn most_nodes(model: &Model, pool: &NodePool) -> u64 {
    let of_actions = || model.actions.iter().map(|action| &action.deed);
    let scaled = of_actions().filter_map(|deed| match deed {
        Deed::ScaleNodePool { pool: other, nodes } => (model.node_pools[*other].name == pool.name).then_some(*nodes),
        _ => None,
    });
    let first = match &pool.size {
        PoolSize::Scheduled(nodes) => peak(nodes, model.horizon).round() as u32,
        PoolSize::Autoscaled { max, .. } => *max,
    };
    let nodes = scaled.fold(first, u32::max);
    let surge = surges(model, pool).map(|surge| surge.up(nodes)).max().unwrap_or_default();
    u64::from(nodes) + u64::from(surge)
}

/// Nodes on top of the wanted number in each replacement of a pool of the model.
pub(super) fn surges(model: &Model, pool: &NodePool) -> impl Iterator<Item = Portion> {
    let own = pool.replacement.iter().map(|replacement| replacement.max_surge);
    own.chain(model.actions.iter().filter_map(|action| match action.deed {
        Deed::ReplaceNodes { pool: other, max_surge, .. } => {
            (model.node_pools[other].name == pool.name).then_some(max_surge)
        }
        _ => None,
    }))
}

/// Most nodes of a pool in one of its zones: a new node goes to the one with fewest.
pub(super) fn nodes_in_zone(model: &Model, pool: &NodePool) -> u64 {
    most_nodes(model, pool).div_ceil(pool.zones().len() as u64)
}

/// Nodes of a type among so many of its pool, by its weight.
pub(super) fn nodes_of_type(nodes: u64, pool: &NodePool, shape: &Shape) -> u64 {
    let sum: f64 = pool.shapes.iter().map(|shape| shape.weight).sum();
    (nodes as f64 * shape.weight / sum).round() as u64
}

/// The schedule that was written; `None` = it is wrong, which is reported.
pub(super) fn schedule(loader: &mut Loader, written: &At<written::Schedule>, about: About) -> Option<Schedule> {
    use written::Schedule as Written;
    let schedule = match &written.value {
        Written::Constant(count) => Schedule::Constant(count.value.0 as f64),
        Written::Linear(linear) => self::linear(loader, linear, about)?,
        Written::Exponential(exponential) => self::exponential(loader, exponential)?,
        Written::Logistic(logistic) => self::logistic(loader, logistic, about)?,
        Written::Steps(points) => Schedule::Steps(steps(loader, points, written.place)?),
        Written::Points(points) => Schedule::Points(self::points(loader, points, written.place)?),
        Written::Csv(csv) => Schedule::Points(self::csv(loader, csv)?),
    };
    let reached = peak(&schedule, about.horizon.unwrap_or(Span::ZERO));
    if reached > about.most as f64 {
        let title = format!("more than {} {} are not simulated", thousands(about.most), about.what);
        loader.problems.error(written.place, title).label(format!("this reaches {}", show::large(reached)));
        return None;
    }
    Some(schedule)
}

fn number(count: &Option<At<Count>>) -> Option<f64> {
    count.as_ref().map(|at| at.value.0 as f64)
}

fn linear(loader: &mut Loader, linear: &Linear, about: About) -> Option<Schedule> {
    let over = match &linear.over {
        Some(over) => positive(loader, over)?,
        None => about.horizon?,
    };
    Some(Schedule::Linear { from: number(&linear.from)?, to: number(&linear.to)?, over })
}

fn exponential(loader: &mut Loader, exponential: &Exponential) -> Option<Schedule> {
    let (from, growth) = (number(&exponential.from)?, exponential.growth.as_ref()?);
    if growth.value.rate <= -1.0 {
        let problem = loader.problems.error(growth.place, "a number cannot shrink by 100 % or more");
        problem.help("to end at nothing, use `{linear: {from: …, to: 0}}`");
        return None;
    }
    let per = match (&exponential.per, growth.value.per) {
        (Some(per), Some(_)) => {
            let problem = loader.problems.error(per.place, "the span of the growth is stated twice");
            problem.context(growth.place, "and here").help("remove one of them");
            return None;
        }
        (Some(per), None) => positive(loader, per)?,
        (None, Some(Span::ZERO)) => {
            loader.problems.error(growth.place, "growth needs some time");
            return None;
        }
        (None, per) => per.unwrap_or(MONTH),
    };
    let limit = number(&exponential.limit);
    if let (Some(at), Some(limit)) = (&exponential.limit, limit)
        && limit < from
    {
        loader.problems.error(at.place, "the limit is below the start").help(format!("write {from} or more"));
        return None;
    }
    Some(Schedule::Exponential { from, rate: growth.value.rate, per, limit: limit.unwrap_or(f64::INFINITY) })
}

fn logistic(loader: &mut Loader, logistic: &Logistic, about: About) -> Option<Schedule> {
    let midpoint = match &logistic.midpoint {
        Some(midpoint) => midpoint.value.0,
        None => Span(about.horizon?.0 / 2),
    };
    let scale = match &logistic.scale {
        Some(scale) => positive(loader, scale)?,
        None => Span(about.horizon?.0 / 10),
    };
    Some(Schedule::Logistic { from: number(&logistic.from)?, to: number(&logistic.to)?, midpoint, scale })
}

/// A span that is not zero.
fn positive(loader: &mut Loader, span: &At<Duration>) -> Option<Span> {
    if span.value.0 == Span::ZERO {
        loader.problems.error(span.place, "this must be longer than nothing");
        return None;
    }
    Some(span.value.0)
}

fn steps(loader: &mut Loader, written: &[Point], place: Place) -> Option<Vec<(Instant, f64)>> {
    let points = points(loader, written, place)?;
    if points[0].0 != Instant::ZERO {
        let at = written[0].at.as_ref()?.place;
        loader.problems.error(at, "the first step must be at `0s`").help("say what holds at the start");
        return None;
    }
    Some(points)
}

/// Points in order of time; at least one.
fn points(loader: &mut Loader, written: &[Point], place: Place) -> Option<Vec<(Instant, f64)>> {
    if written.is_empty() {
        loader.problems.error(place, "a schedule needs at least one point");
        return None;
    }
    let points: Option<Vec<_>> = written.iter().map(|p| Some((p.at.as_ref()?, number(&p.value)?))).collect();
    let points = points?;
    let mut in_order = true;
    for pair in points.windows(2) {
        let (before, after) = (pair[0].0, pair[1].0);
        in_order &= ordered(loader, (before.value.0, before.place), (after.value.0, after.place));
    }
    in_order.then(|| points.into_iter().map(|(at, value)| (Instant::ZERO + at.value.0, value)).collect())
}

/// Whether one time follows another; reports if not.
fn ordered(loader: &mut Loader, before: (Span, Place), after: (Span, Place)) -> bool {
    if before.0 < after.0 {
        return true;
    }
    let title = if before.0 == after.0 { "the same time stands here twice" } else { "times must increase" };
    loader.problems.error(after.1, title).context(before.1, "the time before");
    false
}

/// Points of a CSV file; at least one.
fn csv(loader: &mut Loader, written: &Csv) -> Option<Vec<(Instant, f64)>> {
    let file = written.file.as_ref()?;
    let number = written.column.as_ref();
    series(loader, Columns { file, time: None, unit: None, offset: Span::ZERO, number })
}

/// The distribution that was written; its typical value is at least `shortest`. `None` = it is
/// wrong, which is reported.
pub(super) fn distribution(loader: &mut Loader, written: &At<Distribution>, shortest: Span) -> Option<SpanDist> {
    let (meant, typical) = match &written.value {
        Distribution::Constant(span) => (SpanDist::Constant(span.value.0), span.value.0),
        Distribution::Uniform(uniform) => {
            let (from, to) = (uniform.from.as_ref()?, uniform.to.as_ref()?);
            if from.value.0 > to.value.0 {
                let problem = loader.problems.error(to.place, "the longest is shorter than the shortest");
                problem.context(from.place, "the shortest");
                return None;
            }
            (SpanDist::Uniform(from.value.0, to.value.0), to.value.0)
        }
        Distribution::Exponential(mean) => {
            let mean = mean.mean.as_ref()?.value.0;
            (SpanDist::Exponential(mean), mean)
        }
        Distribution::LogNormal(log_normal) => {
            let (median, p99) = (log_normal.median.as_ref()?, log_normal.p99.as_ref()?);
            positive(loader, median)?;
            if p99.value.0 < median.value.0 {
                let problem = loader.problems.error(p99.place, "the p99 is shorter than the median");
                problem.context(median.place, "the median");
                return None;
            }
            (SpanDist::log_normal(median.value.0, p99.value.0), median.value.0)
        }
        Distribution::Pareto(pareto) => {
            let (minimum, shape) = (pareto.minimum.as_ref()?, pareto.shape.as_ref()?);
            let minimum = positive(loader, minimum)?;
            if shape.value.0 <= 1.0 {
                let problem = loader.problems.error(shape.place, "a Pareto distribution of this shape has no mean");
                problem.help("its shape is more than 1");
                return None;
            }
            let shape = shape.value.0;
            (SpanDist::Pareto { minimum, shape }, minimum.mul_f64(2.0_f64.powf(1.0 / shape)))
        }
        Distribution::Weibull(weibull) => {
            let (scale, shape) = (weibull.scale.as_ref()?, weibull.shape.as_ref()?.value.0);
            let scale = positive(loader, scale)?;
            (SpanDist::Weibull { scale, shape }, scale)
        }
        Distribution::Empirical(empirical) => {
            let values = self::empirical(loader, empirical, written.place)?;
            let longest = values.iter().copied().max().unwrap_or_default();
            (SpanDist::Empirical(values), longest)
        }
    };
    if typical < shortest {
        let title = format!("this is shorter than {shortest}, the shortest that is simulated");
        loader.problems.error(written.place, title);
        return None;
    }
    Some(meant)
}

/// Measured values; at least one.
fn empirical(loader: &mut Loader, empirical: &Empirical, place: Place) -> Option<Vec<Span>> {
    let values = match empirical {
        Empirical::List(list) => list.iter().map(|at| at.value.0).collect(),
        Empirical::File(file) => duration_file(loader, file.file.as_ref()?)?,
    };
    if values.is_empty() {
        loader.problems.error(place, "an empirical distribution needs at least one value");
        return None;
    }
    Some(values)
}

/// A duration on every line; empty lines and comments are skipped.
fn duration_file(loader: &mut Loader, path: &At<String>) -> Option<Vec<Span>> {
    let file = loader.open(path)?;
    let text = loader.problems.sources[file].text.clone();
    let mut values = Some(Vec::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let (from, item) = (start, line.trim());
        start += line.len();
        if item.is_empty() || item.starts_with('#') {
            continue;
        }
        match item.parse() {
            Ok(span) => values.iter_mut().for_each(|values| values.push(span)),
            Err(_) => {
                let place = Place { file, start: from, end: from + line.trim_end().len() };
                let problem = loader.problems.error(place, format!("`{item}` is not a duration"));
                problem.help("write a number with a unit on every line, such as `1.5s` or `350ms`");
                values = None;
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::loader::Files;
    use crate::scenario::read::Read;
    use crate::scenario::yaml;

    fn read<T: Read>(yaml: &str) -> (Loader, Option<T>) {
        let mut loader = Loader::new(Files::Folder("tests/bad_input".into()));
        let file = loader.add_source("test.yaml".to_owned(), yaml.to_owned());
        let tree = yaml::parse(&mut loader.problems, file).expect("it is YAML");
        let value = T::read(&tree, &mut loader.problems);
        (loader, value)
    }

    fn meant(yaml: &str) -> Schedule {
        let (mut loader, written) = read::<At<written::Schedule>>(yaml);
        let about = About { horizon: Some(Span::days(100)), most: 1 << 24, what: "pods" };
        let schedule = written.and_then(|written| schedule(&mut loader, &written, about));
        schedule.unwrap_or_else(|| panic!("{yaml}: {:?}", loader.problems.finish()))
    }

    #[test]
    fn schedules_mean_what_they_say() {
        let days = Span::days;
        let at = |n| Instant::ZERO + days(n);
        let cases = [
            ("7", Schedule::Constant(7.0)),
            ("{linear: {from: 1, to: 9}}", Schedule::Linear { from: 1.0, to: 9.0, over: days(100) }),
            ("{linear: {from: 9, to: 1, over: 2d}}", Schedule::Linear { from: 9.0, to: 1.0, over: days(2) }),
            (
                "{exponential: {from: 5, growth: 12 %/week}}",
                Schedule::Exponential { from: 5.0, rate: 0.12, per: days(7), limit: f64::INFINITY },
            ),
            (
                "{exponential: {from: 5, growth: 12 %, per: 3d, limit: 50}}",
                Schedule::Exponential { from: 5.0, rate: 0.12, per: days(3), limit: 50.0 },
            ),
            (
                "{exponential: {from: 5, growth: -12 %}}",
                Schedule::Exponential { from: 5.0, rate: -0.12, per: days(30), limit: f64::INFINITY },
            ),
            (
                "{logistic: {from: 1, to: 9}}",
                Schedule::Logistic { from: 1.0, to: 9.0, midpoint: days(50), scale: days(10) },
            ),
            ("{steps: [{at: 0s, value: 3}, {at: 1d, value: 4}]}", Schedule::Steps(vec![(at(0), 3.0), (at(1), 4.0)])),
            ("{points: [{at: 1d, value: 3}, {at: 2d, value: 4}]}", Schedule::Points(vec![(at(1), 3.0), (at(2), 4.0)])),
            ("{csv: {file: good.csv}}", Schedule::Points(vec![(at(0), 3.0), (at(2), 4.5)])),
            ("{csv: {file: good.csv, column: nodes}}", Schedule::Points(vec![(at(0), 1.0), (at(2), 2.0)])),
        ];
        for (yaml, expected) in cases {
            assert_eq!(meant(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn distributions_mean_what_they_say() {
        let secs = Span::secs;
        let cases = [
            ("2s", SpanDist::Constant(secs(2))),
            ("{uniform: {from: 1s, to: 3s}}", SpanDist::Uniform(secs(1), secs(3))),
            ("{exponential: {mean: 4s}}", SpanDist::Exponential(secs(4))),
            ("{lognormal: {median: 1s, p99: 9s}}", SpanDist::log_normal(secs(1), secs(9))),
            ("{pareto: {minimum: 1s, shape: 1.5}}", SpanDist::Pareto { minimum: secs(1), shape: 1.5 }),
            ("{weibull: {scale: 5s, shape: 1}}", SpanDist::Weibull { scale: secs(5), shape: 1.0 }),
            ("{empirical: [1s, 2s]}", SpanDist::Empirical(vec![secs(1), secs(2)])),
            ("{empirical: {file: good-durations.txt}}", SpanDist::Empirical(vec![secs(1), Span::millis(350)])),
        ];
        for (yaml, expected) in cases {
            let (mut loader, written) = read::<At<Distribution>>(yaml);
            let meant = written.and_then(|written| distribution(&mut loader, &written, secs(1)));
            assert_eq!(meant, Some(expected), "{yaml}: {:?}", loader.problems);
        }
    }

    #[test]
    fn peaks_are_found_wherever_they_are() {
        let horizon = Span::days(10);
        let at = |n| Instant::ZERO + Span::days(n);
        assert_eq!(peak(&Schedule::Linear { from: 9.0, to: 1.0, over: horizon }, horizon), 9.0);
        assert_eq!(peak(&Schedule::Points(vec![(at(0), 1.0), (at(5), 7.0), (at(9), 2.0)]), horizon), 7.0);
        assert_eq!(peak(&Schedule::Points(vec![(at(0), 1.0), (at(20), 7.0)]), horizon), 4.0, "it ends on the way");
        assert_eq!(peak(&Schedule::Steps(vec![(at(0), 1.0), (at(20), 7.0)]), horizon), 1.0, "it is never reached");
    }

    #[test]
    fn what_is_wrong_in_two_rows_is_told_of_both() {
        let (mut loader, written) = read::<At<written::Schedule>>("{csv: {file: wrong.csv}}");
        let about = About { horizon: None, most: 10, what: "pods" };
        assert_eq!(written.and_then(|written| schedule(&mut loader, &written, about)), None);
        assert_eq!(loader.problems.count(), 2);
    }
}
