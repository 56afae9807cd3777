//! A progress bar with simulated time, speed and time left, on a terminal only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::model::Model;
use crate::sim::Progress;
use crate::study::sweep::Sweep;
use crate::time::Span;
use crate::units::thousands;

const REFRESH: Duration = Duration::from_millis(100);
const NANOS_PER_HOUR: u64 = 3_600_000_000_000;

/// Does `work`, and shows meanwhile how far it is, if somebody can see it.
pub(super) fn show<T: Send>(model: &Model, quiet: bool, progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    let at_most = if model.precision.is_some() { "at most " } else { "" };
    let runs = Runs { at_most, count: model.replications.into(), horizon: model.horizon };
    show_runs(runs, quiet, progress, work)
}

/// Runs of one or several models.
pub(super) struct Runs {
    /// `at most `, or nothing.
    pub(super) at_most: &'static str,
    pub(super) count: u64,
    pub(super) horizon: Span,
}

/// The same for runs of several models.
pub(super) fn show_runs<T: Send>(runs: Runs, quiet: bool, progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    beside(quiet, |done| watch(&runs, progress, done), work)
}

/// Does `work`, and `watch` beside it until it is done, if somebody can see that.
fn beside<T: Send>(quiet: bool, watch: impl FnOnce(&AtomicBool) + Send, work: impl FnOnce() -> T + Send) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&done));
        let result = work();
        done.store(true, Ordering::Release);
        watcher.thread().unpark();
        result
    })
}

/// How far a sweep is.
pub(super) struct Points {
    all: usize,
    done: AtomicUsize,
    runs: f64,
    nanos: f64,
}

impl Points {
    /// Of a sweep of which some points are done.
    pub(super) fn of(sweep: &Sweep, is_done: impl Fn(usize) -> bool) -> Self {
        let left = || sweep.points.iter().enumerate().filter(|&(point, _)| !is_done(point)).map(|(_, point)| point);
        let done = AtomicUsize::new(sweep.points.len() - left().count());
        let runs = left().map(|point| f64::from(point.replications)).sum();
        let nanos = left().map(|point| f64::from(point.replications) * point.horizon.0 as f64).sum();
        Self { all: sweep.points.len(), done, runs, nanos }
    }

    /// Counts a point that was finished.
    pub(super) fn one_more(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Does `work`, and shows meanwhile how far a sweep is, if somebody can see it.
pub(super) fn show_points<T: Send>(
    points: &Points,
    quiet: bool,
    progress: &Progress,
    work: impl FnOnce() -> T + Send,
) -> T {
    beside(quiet, |done| watch_points(points, progress, done), work)
}

fn watch_points(points: &Points, progress: &Progress, done: &AtomicBool) {
    const PARTS: u64 = 10_000;
    let style =
        ProgressStyle::with_template("{bar:24} {percent:>3} %: {msg}, {eta} left").expect("the template is valid");
    let bar = ProgressBar::new(PARTS).with_style(style);
    while !done.load(Ordering::Acquire) {
        let part = (progress.simulated_ns.load(Ordering::Relaxed) as f64 / points.nanos.max(1.0)).min(1.0);
        let speed = points.runs * part / bar.elapsed().as_secs_f64().max(1e-3);
        let at = points.done.load(Ordering::Relaxed);
        bar.set_message(format!("{at} of {} points, {speed:.1} runs/s", points.all));
        bar.set_position((part * PARTS as f64) as u64);
        std::thread::park_timeout(REFRESH);
    }
    bar.finish_and_clear();
}

fn watch(runs: &Runs, progress: &Progress, done: &AtomicBool) {
    let hours = |ns: u64| ns / NANOS_PER_HOUR;
    let Runs { at_most, count, horizon } = *runs;
    let total = count * hours(horizon.0).max(1);
    let style =
        ProgressStyle::with_template("{bar:24} {percent:>3} % of {msg}, {eta} left").expect("the template is valid");
    let bar = ProgressBar::new(total).with_style(style);
    while !done.load(Ordering::Acquire) {
        let speed = progress.events.load(Ordering::Relaxed) as f64 / bar.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!("{at_most}{count} × {horizon} simulated, {} events/s", thousands(speed as u64)));
        bar.set_position(hours(progress.simulated_ns.load(Ordering::Relaxed)).min(total));
        std::thread::park_timeout(REFRESH);
    }
    bar.finish_and_clear();
}

/// Does `work`, and shows meanwhile what `told` says, if somebody can see it: for work whose
/// amount nobody knows beforehand.
pub(super) fn spin<T: Send>(quiet: bool, told: impl Fn() -> String + Sync, work: impl FnOnce() -> T + Send) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let style = ProgressStyle::with_template("{spinner} {elapsed}: {msg}").expect("the template is valid");
            let bar = ProgressBar::new_spinner().with_style(style);
            while !done.load(Ordering::Acquire) {
                bar.set_message(told());
                bar.tick();
                std::thread::park_timeout(REFRESH);
            }
            bar.finish_and_clear();
        });
        let result = work();
        done.store(true, Ordering::Release);
        watcher.thread().unpark();
        result
    })
}
