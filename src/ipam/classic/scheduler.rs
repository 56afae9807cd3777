//! Goroutines: upstream's daemon is a handful of loops and calls that wait for each other, and so is
//! ours. A goroutine is a future; nothing outside the daemon ever wakes one, so there are no wakers:
//! whoever lets another go on puts it into the queue of those that are ready, with the reason.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;

use super::factory::Outcome;
use crate::ipam::Answer;
use crate::openapi::ErrorCode;
use crate::time::Instant;

/// Names a goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(u32);

impl TaskId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A goroutine.
pub(super) struct Goroutine(pub Pin<Box<dyn Future<Output = ()>>>);

impl fmt::Debug for Goroutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Goroutine")
    }
}

/// Why a goroutine goes on.
#[derive(Debug)]
pub(super) enum Wake {
    /// What it waited for is its own now, or has happened.
    Turn,
    /// Its time has come, or nobody waits for it any more.
    Time,
    /// Its call was answered.
    Reply(Result<Answer, ErrorCode>),
    /// An interface has an address for it, or has none.
    Outcome(Outcome),
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// A goroutine sleeps.
    Sleep(TaskId),
    /// A caller gives up.
    Caller(crate::id::PodId),
}

/// Names a timer; earlier ones are due earlier, those of the same time in the order of setting.
pub(super) type TimerId = (Instant, u64);

/// Who is ready, and who is when.
#[derive(Debug)]
pub(super) struct Scheduler {
    running: TaskId,
    ready: VecDeque<TaskId>,
    /// Why each goroutine goes on; `None` = it does not.
    woken: Vec<Option<Wake>>,
    free: Vec<TaskId>,
    born: Vec<(TaskId, Goroutine)>,
    timers: BTreeMap<TimerId, Timer>,
    set: u64,
}

impl Scheduler {
    pub fn new() -> Self {
        Self {
            running: TaskId(0),
            ready: VecDeque::new(),
            woken: Vec::new(),
            free: Vec::new(),
            born: Vec::new(),
            timers: BTreeMap::new(),
            set: 0,
        }
    }

    /// Starts a goroutine; it runs when all that are ready now have run.
    pub fn spawn(&mut self, goroutine: Goroutine) -> TaskId {
        let task = self.free.pop().unwrap_or_else(|| {
            self.woken.push(None);
            TaskId(self.woken.len() as u32 - 1)
        });
        self.born.push((task, goroutine));
        self.ready.push_back(task);
        task
    }

    /// The goroutines that were started and have not run yet.
    pub fn take_born(&mut self) -> Vec<(TaskId, Goroutine)> {
        std::mem::take(&mut self.born)
    }

    /// A goroutine has ended.
    pub fn retire(&mut self, task: TaskId) {
        self.free.push(task);
    }

    /// Goroutines that there are.
    pub fn alive(&self) -> usize {
        self.woken.len() - self.free.len()
    }

    /// Whether nobody is ready.
    pub fn is_idle(&self) -> bool {
        self.ready.is_empty()
    }

    /// Who runs.
    pub fn running(&self) -> TaskId {
        self.running
    }

    /// The next to run.
    pub fn next_ready(&mut self) -> Option<TaskId> {
        let task = self.ready.pop_front()?;
        self.running = task;
        Some(task)
    }

    /// Lets a goroutine that waits go on.
    pub fn wake(&mut self, task: TaskId, why: Wake) {
        debug_assert!(self.woken[task.index()].is_none(), "a goroutine waits for one thing");
        self.woken[task.index()] = Some(why);
        self.ready.push_back(task);
    }

    /// Why a goroutine goes on, if it does.
    pub fn woken(&mut self, task: TaskId) -> Option<Wake> {
        self.woken[task.index()].take()
    }

    pub fn set_timer(&mut self, at: Instant, timer: Timer) -> TimerId {
        let id = (at, self.set);
        self.set += 1;
        self.timers.insert(id, timer);
        id
    }

    pub fn clear_timer(&mut self, id: TimerId) {
        self.timers.remove(&id);
    }

    /// When the first timer is due; never = there is none.
    pub fn next_timer(&self) -> Instant {
        self.timers.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at)
    }

    /// Takes the first timer, which is due.
    pub fn take_timer(&mut self) -> Option<Timer> {
        self.timers.pop_first().map(|(_, timer)| timer)
    }
}
