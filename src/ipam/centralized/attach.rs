//! Attach tasks: their records, and the workers that carry them out (C86 to C92).

use std::collections::BTreeMap;

use super::call::{Answer, Interface, Refusal, Request, State};
use super::client::Caller;
use super::resource::{NicState, Status};
use super::{Controller, Timer};
use crate::id::{EniId, NodeId};
use crate::ipam::backoff::{Next, WAIT_ENI_STATUS, WAIT_ENI_STATUS_DELAY};
use crate::time::{Instant, Span};

/// Time that an attach may take in all (C87).
const DEADLINE: Span = Span::mins(2);
/// An ended task that nobody consumes for longer is dropped (C92).
const STALE: Span = Span::mins(30);

/// The record of a task. It lives in memory; who carries it out does not hold it, and completes
/// whatever record the interface has by then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Task {
    pub state: TaskState,
    pub asked: Asked,
}

/// What an interface was created to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// IPv4 addresses, and IPv6 ones.
    pub addresses: [u32; 2],
    /// IPv4 prefixes.
    pub prefixes: u32,
}

/// What became of a task (C86).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TaskState {
    /// It is under way.
    Running,
    /// The interface is attached.
    Completed(Instant, Interface),
    /// The attach failed, or took too long.
    Failed(Instant),
}

/// The tasks of one node.
#[derive(Debug, Default)]
pub(super) struct Tasks(BTreeMap<EniId, Task>);

impl Tasks {
    /// The record of an interface.
    pub fn get(&self, eni: EniId) -> Option<&Task> {
        self.0.get(&eni)
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is being attached (C68).
    pub fn is_attaching(&self) -> bool {
        self.0.values().any(|task| task.state == TaskState::Running)
    }

    /// Tasks that ended and were not consumed yet.
    pub fn ended(&self) -> Vec<(EniId, Option<Interface>)> {
        let result = |task: &Task| match &task.state {
            TaskState::Running => None,
            TaskState::Completed(_, found) => Some(Some(found.clone())),
            TaskState::Failed(_) => Some(None),
        };
        self.0.iter().filter_map(|(&eni, task)| Some((eni, result(task)?))).collect()
    }

    /// Drops tasks whose interface the CR does not know, and such as nobody consumed (C92).
    pub fn clean_up(&mut self, now: Instant, status: &Status) {
        self.0.retain(|eni, task| {
            let stale = match task.state {
                TaskState::Running => false,
                TaskState::Completed(ended, _) | TaskState::Failed(ended) => now.since(ended) > STALE,
            };
            status.nics.contains_key(eni) && !stale
        });
    }

    /// A consumed task.
    pub fn remove(&mut self, eni: EniId) {
        self.0.remove(&eni);
    }

    fn end(&mut self, eni: EniId, state: TaskState) {
        if let Some(task) = self.0.get_mut(&eni) {
            task.state = state;
        }
    }
}

/// Who carries out a task.
#[derive(Debug)]
pub(super) struct Attacher {
    node: NodeId,
    eni: EniId,
    deadline: Instant,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The attach call is under way.
    Calling,
    /// It sleeps; then it looks for the n-th time.
    Sleeping(u8),
    /// It looks for the n-th time whether the interface is attached.
    Looking(u8),
}

impl Controller {
    /// Starts an attach task, unless one is under way (C86).
    pub(super) fn submit(&mut self, now: Instant, node: NodeId, eni: EniId, asked: Asked) {
        let tasks = &mut self.nodes[node.index()].memory.tasks.0;
        if tasks.get(&eni).is_some_and(|task| task.state == TaskState::Running) {
            return;
        }
        tasks.insert(eni, Task { state: TaskState::Running, asked });
        let id = self.next_attacher;
        self.next_attacher += 1;
        let attacher = Attacher { node, eni, deadline: now + DEADLINE, stage: Stage::Calling };
        if self.request(now, Caller::Attacher(id), Request::Attach(eni, node), attacher.deadline) {
            self.attachers.insert(id, attacher);
        } else {
            self.attach_ended(&attacher, TaskState::Failed(now));
        }
    }

    /// Starts a task for every interface that is being attached without one: the controller was
    /// restarted, or a write was lost (C92).
    pub(super) fn recover_tasks(&mut self, now: Instant, node: NodeId, status: &Status) {
        let tasks = &mut self.nodes[node.index()].memory.tasks;
        if !tasks.is_empty() {
            tasks.clean_up(now, status);
        }
        let attaching = status.nics.iter().filter(|(_, nic)| nic.state == NicState::Attaching);
        for (&eni, _) in attaching {
            if self.nodes[node.index()].memory.tasks.get(eni).is_none() {
                // What was asked for is forgotten.
                self.submit(now, node, eni, Asked { addresses: [1, 1], prefixes: 0 });
            }
        }
    }

    /// An answer for an attach worker.
    pub(super) fn attach_answered(&mut self, now: Instant, id: u64, reply: Result<Answer, Refusal>) {
        let Some(attacher) = self.attachers.remove(&id) else { return };
        match attacher.stage {
            Stage::Calling if reply.is_err() => self.attach_ended(&attacher, TaskState::Failed(now)),
            Stage::Calling => self.attach_sleeps(now, id, attacher, WAIT_ENI_STATUS_DELAY, 1),
            Stage::Looking(attempt) => match reply {
                Ok(Answer::Interfaces(found)) if found.first().is_some_and(|eni| eni.state == State::InUse) => {
                    let found = found.into_iter().next().expect("it was looked at");
                    self.attach_ended(&attacher, TaskState::Completed(now, found));
                }
                _ => self.attach_looks_later(now, id, attacher, attempt),
            },
            Stage::Sleeping(_) => unreachable!("nothing is asked while it sleeps"),
        }
    }

    /// The sleep of an attach worker is over.
    pub(super) fn attach_woken(&mut self, now: Instant, id: u64) {
        let Some(mut attacher) = self.attachers.remove(&id) else { return };
        let Stage::Sleeping(attempt) = attacher.stage else { unreachable!("only sleepers are woken") };
        if now >= attacher.deadline {
            return self.attach_ended(&attacher, TaskState::Failed(now));
        }
        attacher.stage = Stage::Looking(attempt);
        if self.request(now, Caller::Attacher(id), Request::Describe(attacher.eni), attacher.deadline) {
            self.attachers.insert(id, attacher);
        } else {
            self.attach_looks_later(now, id, attacher, attempt);
        }
    }

    /// Not attached yet.
    fn attach_looks_later(&mut self, now: Instant, id: u64, attacher: Attacher, attempt: u8) {
        match WAIT_ENI_STATUS.after(attempt, self.jitter()) {
            Next::Retry(pause) => self.attach_sleeps(now, id, attacher, pause, attempt + 1),
            Next::GiveUpAfter(_) | Next::GiveUp => self.attach_ended(&attacher, TaskState::Failed(now)),
        }
    }

    fn attach_sleeps(&mut self, now: Instant, id: u64, mut attacher: Attacher, pause: Span, attempt: u8) {
        self.set_timer((now + pause).min(attacher.deadline), Timer::Attacher(id));
        attacher.stage = Stage::Sleeping(attempt);
        self.attachers.insert(id, attacher);
    }

    /// Whatever record the interface has by now is completed (C92), and the node is queued (C17).
    fn attach_ended(&mut self, attacher: &Attacher, state: TaskState) {
        self.nodes[attacher.node.index()].memory.tasks.end(attacher.eni, state);
        self.queue.add(attacher.node);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Nic, Settings};
    use super::*;
    use crate::chance::SmallStream;
    use crate::id::VSwitchId;

    const NODE: NodeId = NodeId(0);
    const FIVE: Asked = Asked { addresses: [5, 0], prefixes: 0 };

    fn at(mins: u64) -> Instant {
        Instant::ZERO + Span::mins(mins)
    }

    fn tasks<const N: usize>(states: [TaskState; N]) -> Tasks {
        let task = |state| Task { state, asked: FIVE };
        Tasks((0..).map(EniId).zip(states.map(task)).collect())
    }

    fn knowing(enis: impl IntoIterator<Item = u32>) -> Status {
        let nic = |eni| (EniId(eni), Nic::created(VSwitchId(0), Kind::Secondary));
        Status { nics: enis.into_iter().map(nic).collect(), ..Status::default() }
    }

    fn controller() -> Controller {
        let mut controller = Controller::new(Settings { jitter: false, ..Settings::default() }, SmallStream::new(1));
        controller.touched(NODE);
        controller
    }

    /// Attach calls that were made since the last look.
    fn attaches(controller: &mut Controller) -> usize {
        std::iter::from_fn(|| controller.poll()).count()
    }

    /// Cases 45 and 48 [eni_task_queue_test.go:311, 82]: only tasks under way count; a look at the
    /// ended ones leaves them.
    #[test]
    fn case_45_only_tasks_under_way_count() {
        assert!(tasks([TaskState::Failed(at(1)), TaskState::Running]).is_attaching());
        let ended = tasks([TaskState::Failed(at(1))]);
        assert!(!ended.is_attaching());
        assert_eq!((ended.ended().len(), ended.ended().len()), (1, 1));
    }

    /// Cases 44 and 46 [3842-3980, eni_task_queue_test.go:451]: an interface has one task at a time,
    /// which a restart makes anew.
    #[test]
    fn case_46_one_task_at_a_time() {
        let mut controller = controller();
        let status = knowing([7, 8]);
        controller.recover_tasks(at(0), NODE, &status);
        assert_eq!(attaches(&mut controller), 2);
        controller.recover_tasks(at(0), NODE, &status);
        controller.submit(at(0), NODE, EniId(7), FIVE);
        assert_eq!(attaches(&mut controller), 0, "they are under way");
        controller.nodes[0].memory.tasks.end(EniId(7), TaskState::Failed(at(1)));
        controller.submit(at(1), NODE, EniId(7), FIVE);
        assert_eq!(attaches(&mut controller), 1);
        assert_eq!(controller.nodes[0].memory.tasks.get(EniId(7)).map(|task| task.asked), Some(FIVE));
    }

    /// Case 47 [eni_task_queue_test.go:150-310]: orphans go, ended ones after half an hour.
    #[test]
    fn case_47_orphans_and_stale_tasks_are_dropped() {
        let mut tasks =
            tasks([TaskState::Running, TaskState::Running, TaskState::Failed(at(0)), TaskState::Failed(at(5))]);
        tasks.clean_up(at(31), &knowing([0, 2, 3]));
        assert_eq!(tasks.0.keys().copied().collect::<Vec<_>>(), [EniId(0), EniId(3)]);
    }
}
