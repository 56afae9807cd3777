//! Locks, semaphores and channels, with Go's order among those that wait: first come, first served.

use std::collections::VecDeque;

use super::factory::Outcome;
use super::scheduler::{Scheduler, TaskId, Wake};

/// The locks of a daemon, from the outermost to the innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// The daemon's own: calls read, the collection writes (rule P99).
    Service,
    /// The pool's.
    Pool,
    /// That of the list of interfaces.
    Factory,
    /// That of the cached counts of vSwitches.
    VSwitches,
    /// That of the API: assigning and giving back write, looking at metadata reads (rule P86).
    Addresses,
}

impl Lock {
    pub const COUNT: usize = 5;
}

/// How a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

/// `sync.RWMutex`: a waiting writer keeps new readers out; after a writer all readers that wait come
/// first.
#[derive(Debug, Default)]
pub(super) struct RwLock {
    readers: u32,
    written: bool,
    waiting: VecDeque<(TaskId, Mode)>,
}

impl RwLock {
    /// Whether the lock could be taken at once.
    pub fn admits(&self, mode: Mode) -> bool {
        match mode {
            Mode::Read => !self.written && self.waiting.is_empty(),
            Mode::Write => !self.written && self.readers == 0,
        }
    }

    /// Takes the lock; `false` = `task` is woken when it has it.
    pub fn take(&mut self, task: TaskId, mode: Mode) -> bool {
        let free = self.admits(mode);
        if free {
            self.grant(mode);
        } else {
            self.waiting.push_back((task, mode));
        }
        free
    }

    /// Gives the lock back, and hands it on.
    pub fn give(&mut self, mode: Mode, scheduler: &mut Scheduler) {
        match mode {
            Mode::Read => self.readers -= 1,
            Mode::Write => self.written = false,
        }
        if mode == Mode::Write {
            let readers = &mut self.readers;
            self.waiting.retain(|&(task, mode)| {
                if mode == Mode::Read {
                    *readers += 1;
                    scheduler.wake(task, Wake::Turn);
                }
                mode == Mode::Write
            });
        }
        if self.readers == 0
            && let Some((task, mode)) = self.waiting.pop_front()
        {
            self.grant(mode);
            scheduler.wake(task, Wake::Turn);
        }
    }

    fn grant(&mut self, mode: Mode) {
        match mode {
            Mode::Read => self.readers += 1,
            Mode::Write => self.written = true,
        }
    }
}

/// A channel of empty messages with room for `depth` of them.
#[derive(Debug)]
pub(super) struct Tokens {
    there: u32,
    depth: u32,
    takers: VecDeque<TaskId>,
    givers: VecDeque<TaskId>,
}

impl Tokens {
    pub fn new(there: u32, depth: u32) -> Self {
        Self { there, depth, takers: VecDeque::new(), givers: VecDeque::new() }
    }

    pub fn there(&self) -> u32 {
        self.there
    }

    /// Whether one can be taken and put back with nobody waiting for either.
    pub fn is_calm(&self) -> bool {
        self.there > 0 && self.givers.is_empty()
    }

    /// Takes a token if there is one.
    pub fn try_take(&mut self, scheduler: &mut Scheduler) -> bool {
        if self.there == 0 {
            return false;
        }
        match self.givers.pop_front() {
            Some(giver) => scheduler.wake(giver, Wake::Turn),
            None => self.there -= 1,
        }
        true
    }

    /// Takes a token; `false` = `task` is woken when it has one.
    pub fn take(&mut self, task: TaskId, scheduler: &mut Scheduler) -> bool {
        let taken = self.try_take(scheduler);
        if !taken {
            self.takers.push_back(task);
        }
        taken
    }

    /// Puts a token in if there is room.
    pub fn try_give(&mut self, scheduler: &mut Scheduler) -> bool {
        if let Some(taker) = self.takers.pop_front() {
            scheduler.wake(taker, Wake::Turn);
            return true;
        }
        let room = self.there < self.depth;
        self.there += u32::from(room);
        room
    }

    /// Puts a token in; `false` = `task` is woken when it is in.
    pub fn give(&mut self, task: TaskId, scheduler: &mut Scheduler) -> bool {
        let given = self.try_give(scheduler);
        if !given {
            self.givers.push_back(task);
        }
        given
    }

    /// `task` does not wait for a token any more; `false` = it did not.
    pub fn forget(&mut self, task: TaskId) -> bool {
        let before = self.takers.len();
        self.takers.retain(|&taker| taker != task);
        self.takers.len() < before
    }
}

/// The queue of results that all interfaces and all callers share (rules P46, P58).
#[derive(Debug, Default)]
pub(super) struct Results {
    queue: VecDeque<Outcome>,
    takers: VecDeque<TaskId>,
    givers: VecDeque<(TaskId, Outcome)>,
}

/// Results that the queue holds (`daemon/eni-multi-ip.go:861`).
const DEPTH: usize = 10;

impl Results {
    /// Whether `task` waits for room.
    pub fn blocks(&self, task: TaskId) -> bool {
        self.givers.iter().any(|&(giver, _)| giver == task)
    }

    /// Takes a result; `None` = `task` is woken with one.
    pub fn take(&mut self, task: TaskId, scheduler: &mut Scheduler) -> Option<Outcome> {
        let Some(first) = self.queue.pop_front() else {
            self.takers.push_back(task);
            return None;
        };
        if let Some((giver, outcome)) = self.givers.pop_front() {
            self.queue.push_back(outcome);
            scheduler.wake(giver, Wake::Turn);
        }
        Some(first)
    }

    /// Puts a result in; `false` = `task` is woken when it is in.
    pub fn give(&mut self, task: TaskId, outcome: Outcome, scheduler: &mut Scheduler) -> bool {
        if let Some(taker) = self.takers.pop_front() {
            scheduler.wake(taker, Wake::Outcome(outcome));
            return true;
        }
        let room = self.queue.len() < DEPTH;
        if room {
            self.queue.push_back(outcome);
        } else {
            self.givers.push_back((task, outcome));
        }
        room
    }
}
