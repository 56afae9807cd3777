//! Runs the points of a sweep, all threads busy to the end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Row, Sweep, edits, read_all};
use crate::model::{Claim, Ensemble, Measured, Model};
use crate::outcome::value;
use crate::record::Recording;
use crate::sim::{Progress, run};
use crate::study::judge::{holds, is_hit};

impl Sweep {
    /// Runs the points that are not done, on the threads of the current rayon pool, and hands each
    /// to `finished` as soon as it is, with a row per replication; in which order depends on the
    /// threads. What is handed over is all that is kept of a run.
    ///
    /// # Errors
    /// The first that `finished` returns; it ends the sweep.
    pub fn run<E: Send>(
        &self,
        is_done: impl Fn(usize) -> bool,
        progress: &Progress,
        finished: impl FnMut(usize, Vec<Row>) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let runs = |point: usize| (0..self.points[point].replications).map(move |replication| (point, replication));
        let work: Vec<_> = (0..self.points.len()).filter(|&point| !is_done(point)).flat_map(runs).collect();
        let slots: Vec<_> = self.points.iter().map(|point| Mutex::new(Slot::new(point.replications))).collect();
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let sink = Mutex::new((finished, Ok(())));
        // A queue of single runs, so that no thread waits for a point to be finished.
        rayon::broadcast(|_| {
            while let Some(&(point, replication)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let open = lock(&slots[point]).open(|| self.open(point));
                let row = open.row(replication, progress);
                drop(open);
                let Some(rows) = lock(&slots[point]).put(replication, row) else { continue };
                let (finished, result) = &mut *lock(&sink);
                if let (true, Err(error)) = (result.is_ok(), finished(point, rows)) {
                    *result = Err(error);
                    stopped.store(true, Ordering::Relaxed);
                }
            }
        });
        sink.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Reads the scenario at a point again: keeping all of them would take memory without bound.
    fn open(&self, point: usize) -> Open {
        let point = &self.points[point];
        let loaded = self.blueprint.with(edits(&self.axes, self.option, &point.values)).load();
        let loaded = loaded.expect("the point was read before, from the same files");
        let names: Vec<_> = self.measures.iter().map(|(name, _)| name.clone()).collect();
        let measured = read_all(&loaded.model, &names).expect("they were read before");
        let own = |text: &str| loaded.model.policy.iter().find(|claim| claim.text == text);
        let claims = self.claims.iter().map(|claim| own(&claim.text).cloned()).collect();
        // The scenario's own claims are observed already.
        let mut ensemble = loaded.ensemble();
        measured.iter().for_each(|measured| ensemble.observe(measured.reading()));
        Open { ensemble, measured, claims }
    }
}

/// What is held of a point while it runs.
struct Slot {
    open: Option<Arc<Open>>,
    rows: Vec<Option<Row>>,
    left: usize,
}

/// A point that was read to be run.
struct Open {
    ensemble: Ensemble,
    measured: Vec<Measured>,
    claims: Vec<Option<Claim>>,
}

impl Slot {
    fn new(replications: u32) -> Self {
        Self { open: None, rows: Vec::new(), left: replications as usize }
    }

    fn open(&mut self, read: impl FnOnce() -> Open) -> Arc<Open> {
        self.open.get_or_insert_with(|| Arc::new(read())).clone()
    }

    /// Takes the row of a replication; all of them, once there are no more.
    fn put(&mut self, replication: u32, row: Row) -> Option<Vec<Row>> {
        let at = replication as usize;
        self.rows.resize(self.rows.len().max(at + 1), None);
        self.rows[at] = Some(row);
        self.left -= 1;
        if self.left > 0 {
            return None;
        }
        self.open = None;
        std::mem::take(&mut self.rows).into_iter().collect()
    }
}

impl Open {
    fn row(&self, replication: u32, progress: &Progress) -> Row {
        let model = self.ensemble.of(replication);
        let run = run(model, replication, progress);
        let measures = self.measured.iter().map(|measured| of_run(measured, model, &run));
        let claims = self.claims.iter().map(|claim| {
            let claim = claim.as_ref()?;
            Some(truth(is_hit(claim, value(&claim.statement.reading, model, &run))))
        });
        measures.chain(claims).collect()
    }
}

fn of_run(measured: &Measured, model: &Model, run: &Recording) -> Option<f64> {
    match measured {
        Measured::Reading(reading) => value(reading, model, run),
        Measured::Probability(statement) => Some(truth(holds(statement, value(&statement.reading, model, run)?))),
    }
}

/// 1 for true, 0 for false.
fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// A thread that panics ends the program with its own message.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
