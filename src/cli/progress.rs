//! A progress bar with simulated time, speed and time left, on a terminal only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::model::Model;
use crate::sim::Progress;
use crate::units::thousands;

const REFRESH: Duration = Duration::from_millis(100);
const NANOS_PER_HOUR: u64 = 3_600_000_000_000;

/// Does `work`, and shows meanwhile how far it is, if somebody can see it.
pub(super) fn show<T: Send>(model: &Model, quiet: bool, progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(model, progress, &done));
        let result = work();
        done.store(true, Ordering::Release);
        watcher.thread().unpark();
        result
    })
}

fn watch(model: &Model, progress: &Progress, done: &AtomicBool) {
    let hours = |ns: u64| ns / NANOS_PER_HOUR;
    let total = u64::from(model.replications) * hours(model.horizon.0).max(1);
    let style =
        ProgressStyle::with_template("{bar:24} {percent:>3} % of {msg}, {eta} left").expect("the template is valid");
    let bar = ProgressBar::new(total).with_style(style);
    while !done.load(Ordering::Acquire) {
        bar.set_position(hours(progress.simulated_ns.load(Ordering::Relaxed)).min(total));
        let speed = progress.events.load(Ordering::Relaxed) as f64 / bar.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!(
            "{} × {} simulated, {} events/s",
            model.replications,
            model.horizon,
            thousands(speed as u64)
        ));
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
