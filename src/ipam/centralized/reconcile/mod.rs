//! One run of the reconciler for one node: a state machine, since everything in it blocks on the
//! cloud (C29, C30). The steps stand in files of their own, in the order of a run: [`sync`],
//! [`serve`], [`create`], [`top_up`], [`clean`]; each ends by calling the next.

mod sync;
mod serve;
mod create;
mod top_up;
mod clean;

use std::sync::Arc;

use super::binding::{ListedPod, bindings_beyond};
use super::client::Caller;
use super::draft::Draft;
use super::rest::again_after;
use super::{Answer, Binding, Controller, Ended, GATE, NodeConfig, Output, Refusal, Request, Status, Timer};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::backoff::jittered;
use crate::time::{Instant, Span};

/// A run under way.
#[derive(Debug)]
pub(super) struct Run {
    node: NodeId,
    config: Arc<NodeConfig>,
    status: Draft,
    /// The pods that were there when it began, by name.
    pods: Arc<Vec<ListedPod>>,
    /// A pod lacks an address.
    is_to_bind: bool,
    /// An error was collected (C31).
    failed: bool,
    /// Tasks whose result is in `status` (C90).
    processed: Vec<EniId>,
    stage: Stage,
}

/// Where a run waits.
#[derive(Debug)]
enum Stage {
    /// It has not waited yet.
    Begun,
    /// For a step of the full sync.
    Syncing(sync::Stage),
    /// For the free counts of its interfaces' vSwitches.
    Checking(serve::Checking),
    /// For the creation of an interface, or for addresses.
    Acting(create::Action, create::Step),
    /// For prefixes.
    ToppingUp(top_up::TopUp),
    /// For a deletion.
    Cleaning(clean::Cleaning, clean::Step),
    /// For its write; then again after this long.
    Writing(Span),
    /// It is over.
    Over,
    /// It is over, and found nothing to do.
    Quiet,
}

/// What a run waited for.
#[derive(Debug)]
pub(super) enum Wake {
    /// The answer to its call.
    Reply(Result<Answer, Refusal>),
    /// The end of its sleep.
    Timer,
    /// A free count; `None` = the look-up failed.
    Count(Option<u32>),
    /// Whether its write was accepted.
    Written(bool),
}

impl Controller {
    /// A worker takes a node (C20, C30).
    pub(super) fn begin(&mut self, now: Instant, id: NodeId) {
        self.wake_up(now, id);
        if self.nodes[id.index()].config.is_none() {
            return self.queue.done(now, id, Ended::Quiet);
        }
        if self.holds_back(now, id) {
            return self.queue.done(now, id, Ended::Again(GATE));
        }
        self.nodes[id.index()].is_touched = false;
        if !self.is_thorough
            && let Some(changes) = self.changes(now, id)
        {
            return self.change(now, id, changes);
        }
        self.go_through(now, id);
    }

    /// Whether the gate holds a run back (C20).
    pub(super) fn holds_back(&self, now: Instant, id: NodeId) -> bool {
        self.nodes[id.index()].pulse.last_run.is_some_and(|last| last + GATE > now)
    }

    fn go_through(&mut self, now: Instant, id: NodeId) {
        let finds_nothing = self.finds_nothing(now, id);
        let node = &self.nodes[id.index()];
        let config = Arc::clone(node.config.as_ref().expect("it has joined"));
        let mut run = Run {
            node: id,
            pods: node.listed(config.flavor.has_erdma()),
            config,
            status: Draft::of(&node.stored),
            is_to_bind: true,
            failed: false,
            processed: Vec::new(),
            stage: Stage::Begun,
        };
        let chance = self.chance;
        self.sync(now, &mut run);
        if matches!(run.stage, Stage::Quiet) {
            // It did not wait for anything either: all is as it was when it began, chance too, as it
            // has decided nothing.
            self.chance = chance;
            let node = &mut self.nodes[id.index()];
            if node.affairs.is_any() {
                node.look();
            }
            self.rest(now, id);
        }
        assert!(!finds_nothing || matches!(run.stage, Stage::Quiet), "node {id:?} found something to do at {now:?}");
        self.keep(run);
    }

    /// What a run waited for is there.
    pub(super) fn resume(&mut self, now: Instant, id: NodeId, wake: Wake) {
        let node = &mut self.nodes[id.index()];
        if let Wake::Written(accepted) = wake
            && let Some(changes) = node.changes.take()
        {
            return self.changed(now, id, changes, accepted);
        }
        // Without a run the node has left meanwhile.
        let Some(mut run) = node.run.take() else { return };
        match (std::mem::replace(&mut run.stage, Stage::Over), wake) {
            (Stage::Syncing(stage), wake) => self.sync_goes_on(now, &mut run, stage, wake),
            (Stage::Checking(checking), Wake::Count(free)) => self.checked(now, &mut run, checking, free),
            (Stage::Acting(action, step), wake) => self.act_goes_on(now, &mut run, action, step, wake),
            (Stage::ToppingUp(top_up), wake) => self.top_up_goes_on(now, &mut run, top_up, wake),
            (Stage::Cleaning(cleaning, step), wake) => self.clean_goes_on(now, &mut run, cleaning, step, wake),
            (Stage::Writing(after), Wake::Written(accepted)) => self.written(now, &mut run, after, accepted),
            (stage, wake) => unreachable!("{stage:?} does not wait for {wake:?}"),
        }
        self.keep(*run);
    }

    fn keep(&mut self, run: Run) {
        if !matches!(run.stage, Stage::Over | Stage::Quiet) {
            let node = run.node.index();
            self.nodes[node].run = Some(Box::new(run));
        }
    }

    /// The status is written once, at the end, if it differs in what the API server keeps; then
    /// collected errors are forgotten (C22).
    fn write(&mut self, now: Instant, run: &mut Run) {
        let after = self.requeue_after(now, run);
        let stored = &self.nodes[run.node.index()].stored;
        let found_nothing = run.status.is(stored);
        if !found_nothing {
            run.status.cut_times();
        }
        if found_nothing || run.status.is(stored) {
            let quiet = found_nothing && !run.failed;
            self.end(now, run.node, if run.failed { Ended::Failed } else { Ended::Again(after) });
            run.stage = if quiet { Stage::Quiet } else { Stage::Over };
            return;
        }
        self.send_write(now, run.node);
        run.stage = Stage::Writing(after);
    }

    pub(super) fn send_write(&mut self, now: Instant, node: NodeId) {
        let (call, at) = self.client.write(now, node);
        self.outputs.push_back(Output::Write { call, at });
    }

    fn written(&mut self, now: Instant, run: &mut Run, after: Span, accepted: bool) {
        if !accepted {
            return self.rejected(now, run.node);
        }
        let node = &mut self.nodes[run.node.index()];
        let before = node.store(std::mem::take(&mut run.status).into_status());
        for &eni in &run.processed {
            node.memory.tasks.remove(eni);
        }
        self.tell(run.node, &before);
        self.accepted(now, run.node, after);
    }

    /// Somebody else had changed the CR; what was changed in the cloud is unknown to it now (C34).
    pub(super) fn rejected(&mut self, now: Instant, id: NodeId) {
        let memory = &mut self.nodes[id.index()].memory;
        memory.needs_sync |= std::mem::take(&mut memory.changed);
        self.end(now, id, Ended::Failed);
    }

    /// The CR has what was written, and everybody has been told: the change of the CR queues its node.
    pub(super) fn accepted(&mut self, now: Instant, id: NodeId, after: Span) {
        self.queue.add(id);
        self.nodes[id.index()].pulse.end(now);
        let rests = !self.is_thorough && self.rest_after_write(now, id);
        self.queue.done(now, id, if rests { Ended::Quiet } else { Ended::Again(after) });
    }

    /// Says that a CR was written that was `before`, and what this means to pods.
    fn tell(&mut self, node: NodeId, before: &Status) {
        let stored = &self.nodes[node.index()].stored;
        let freed = |(eni, address, binding): (_, _, Binding)| Output::Freed { node, uid: binding.uid, eni, address };
        let bound = |(eni, address, Binding { pod, uid })| Output::Bound { node, pod, uid, eni, address };
        self.outputs.push_back(Output::Stored(node));
        self.outputs.extend(bindings_beyond(before, stored).map(freed));
        self.outputs.extend(bindings_beyond(stored, before).map(bound));
    }

    fn end(&mut self, now: Instant, id: NodeId, ended: Ended) {
        self.nodes[id.index()].pulse.end(now);
        self.queue.done(now, id, ended);
    }

    /// When the node is looked at again without a trigger.
    fn requeue_after(&self, now: Instant, run: &Run) -> Span {
        again_after(now, self.period(&run.config), run.status.next_sync)
    }

    /// Period of a node's pool.
    pub(super) fn period(&self, config: &NodeConfig) -> Span {
        config.sync_period.unwrap_or(self.settings.gc_period)
    }

    /// Makes a call of a run. Without a deadline every limit lets it leave some time.
    fn ask(&mut self, now: Instant, run: &Run, request: Request) {
        let leaves = self.request(now, Caller::Run(run.node), request, Instant::NEVER);
        debug_assert!(leaves, "nothing is later than never");
    }

    fn sleep(&mut self, until: Instant, run: &Run) {
        self.set_timer(until, Timer::Run(run.node));
    }

    /// `span` × (1 + U × `factor`), or `span` without jitter.
    fn jittered(&mut self, span: Span, factor: f64) -> Span {
        jittered(span, factor, self.jitter())
    }
}

impl Run {
    /// Addresses of a vSwitch that its call asks for.
    pub(super) fn asked(&self, vswitch: VSwitchId, stored: &Status) -> u32 {
        let Stage::Acting(_, create::Step::Trying(attempt)) = &self.stage else { return 0 };
        match &attempt.request {
            Request::Create { vswitch: at, addresses, .. } if *at == vswitch => *addresses,
            Request::Assign(eni, n) if stored.nics.get(eni).is_some_and(|nic| nic.vswitch == vswitch) => *n,
            _ => 0,
        }
    }
}
