//! The simulation: events, the world they happen in, and replications on threads.

mod engine;
pub mod event_list;
mod observe;
mod slab;
mod stranded;
mod world;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

pub use engine::{Answered, Engine, Happening, Observer, Pod, PodState, Record, Wants};

pub use world::View;

use crate::model::{Ensemble, Model};
use crate::record::{Detail, Recorder, Recording};
use crate::time::{Instant, Span};

/// How far a run is, summed over its replications; any thread may read it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Simulated nanoseconds.
    pub simulated_ns: AtomicU64,
    /// Events.
    pub events: AtomicU64,
}

impl Progress {
    /// Adds up what a run says of itself now and then: how far it is (time, events).
    fn follower(&self) -> impl FnMut(Instant, u64) {
        let mut last = (0, 0);
        move |now, events| {
            self.simulated_ns.fetch_add(now.0 - last.0, Ordering::Relaxed);
            self.events.fetch_add(events - last.1, Ordering::Relaxed);
            last = (now.0, events);
        }
    }
}

/// Runs some replications of `ensemble` on the threads of the current rayon pool; the recordings
/// are in the order of replications and do not depend on the number of threads.
#[must_use]
pub fn replicate(ensemble: &Ensemble, replications: Range<u32>, progress: &Progress) -> Vec<Recording> {
    use rayon::prelude::*;
    let run = |replication| run(ensemble.of(replication), replication, progress);
    replications.into_par_iter().map(run).collect()
}

/// Runs one replication of `model`.
#[must_use]
pub fn run(model: &Model, replication: u32, progress: &Progress) -> Recording {
    run_in_detail(model, replication, world::detail(model, replication), progress)
}

/// Runs one replication of `model` and keeps `detail` of it, whatever the model's outputs are.
#[must_use]
pub fn run_in_detail(model: &Model, replication: u32, detail: Detail, progress: &Progress) -> Recording {
    world::run(model, replication, detail, progress.follower(), |_, _| false)
}

/// Runs one replication of `model` until `is_enough` says so at a row of the timeline, or to its horizon; what is recorded then ends
/// with that row. Asking changes nothing.
#[must_use]
pub fn run_until(
    model: &Model,
    replication: u32,
    progress: &Progress,
    is_enough: impl Fn(Instant, &Recorder) -> bool,
) -> Recording {
    world::run(model, replication, Detail::default(), progress.follower(), is_enough)
}

/// Runs one replication of `model`, keeps `detail` of it, and shows `look` the world at each of
/// `moments`, which ascend, those after the horizon left out. Looking changes nothing.
#[must_use]
pub fn run_watched(
    model: &Model,
    replication: u32,
    detail: Detail,
    moments: impl Iterator<Item = Instant>,
    look: impl FnMut(View),
) -> Recording {
    world::run_watched(model, replication, detail, moments, look)
}

/// Runs one replication of `model` and checks every law of the world after everything that
/// happens to the cluster, and at least every simulated `every`. Slow: for tests.
///
/// # Panics
/// If a law is broken: the simulation is wrong.
#[must_use]
pub fn run_audited(model: &Model, replication: u32, every: Span) -> Recording {
    world::run_audited(model, replication, every)
}
