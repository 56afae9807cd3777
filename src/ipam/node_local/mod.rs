//! The node-local IPAM: one daemon's allocation logic (rules R32 to R158), upstream's
//! `pkg/eni/manager.go` and what it drives.

mod address_set;
mod alloc;
mod assign;
mod config;
mod demand;
mod dispose;
mod invariant;
mod order;
mod outputs;
pub(super) mod pool_sync;
mod quiet;
mod read;
mod rpc;
mod seldom;
mod slot;
mod slots;
mod timers;
mod trunk;
mod v6;
mod wake;
mod whereabouts;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;

pub use address_set::MAX_ADDRESSES;
pub use config::{Config, EniSelection, Rdma, Reclaim, Trunk, VSwitchSelection};
pub use slot::Status;

use crate::address::V6Addr;
use crate::chance::SmallStream;
use crate::id::{EniId, PodId, VSwitchId};
use crate::ipam::backoff::jittered;
use crate::ipam::throttle::{Limit, Tokens};
use crate::ipam::vswitch::SwitchPool;
use crate::ipam::{Answer, Attached, CallId, Failure, Input, Kind, Output, Request, Worker};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};
use order::Order;
use outputs::Outputs;
use pool_sync::{PREHEAT_TIMEOUT, PoolSync, Watermarks, to_add, to_delete};
use rpc::{Blocked, Retained};
use slot::{Admission, Asking, Lacks, Refusal, Slot, Waiter};
use slots::Slots;
use wake::Sleeper;

/// Base period of the metadata sync (R70).
const METADATA_SYNC: Span = Span::secs(60);
/// Time that the node condition stays false by itself (R84).
const CONDITION: Span = Span::mins(10);

/// The streams of chance of one daemon; each kind has its own, so that replaying one later does
/// not shift another.
#[derive(Debug)]
struct Chance {
    /// Go's map iteration (R150).
    map_order: SmallStream,
    /// Order of vSwitches (R155).
    shuffle: SmallStream,
    /// Jitter of back-offs (R154); `None` = they take their base value.
    backoff: Option<SmallStream>,
    /// Jitter of the pool sync (R154).
    sync: SmallStream,
    /// Jitter of reclaim (R154).
    reclaim: SmallStream,
    /// Whether periods are jittered at all.
    periods_jitter: bool,
}

/// A daemon. Drain [`poll`](Self::poll) before the next [`handle`](Self::handle).
#[derive(Debug)]
pub struct NodeLocal {
    config: Arc<Config>,
    chance: Chance,
    slots: Slots,
    /// Who was readied by a broadcast and has not run yet; empty between inputs.
    ready: VecDeque<Sleeper>,
    /// The slots in the order that the last sort left (R72).
    order: Order,
    switches: SwitchPool,
    /// Client-side limits, of actions that have one and were called (R110).
    limiter: Vec<(Api, Tokens)>,
    sync: PoolSync,
    /// Last allocation attempt or release (R81).
    last_modified: Instant,
    next_reclaim: Option<Instant>,
    next_gc: Instant,
    /// A collection waits until no AllocIP is pending (R125).
    gc_waits: bool,
    /// AllocIP calls that wait for an address.
    rpcs: u32,
    /// Those of pods with an interface of their own (R125).
    own_calls: u32,
    /// Calls behind a waiting collection (R125).
    blocked: VecDeque<Blocked>,
    /// Records of addresses that are retained for pods that are gone (R129).
    retained: Vec<Retained>,
    /// Addresses that stay bound to a pod whose record says another one (R115, R127).
    strays: Vec<(PodId, EniId, Ipv4Addr)>,
    /// Until when the node condition SufficientIP is false (R84).
    insufficient_until: Instant,
    next_waiter: u32,
    epoch: u16,
    /// It died and has not been restarted, or makes its trunk first.
    stopped: bool,
    /// The slot of the trunk that it makes before it does anything else (R36).
    starting: Option<u8>,
    outputs: Outputs,
    now: Instant,
    /// What [`Self::wake`] says between two inputs.
    next_wake: Instant,
    /// What it says of the slots.
    slots_wake: Instant,
    /// What [`Self::is_quiet`] says between two inputs.
    quiet: bool,
    /// What [`Self::usage`] says between two inputs.
    idle_and_used: (u32, u32),
}

impl NodeLocal {
    /// A daemon that starts at `now` on an instance without secondary interfaces. All its chance
    /// comes from `seed`; without `jitter` every jittered wait takes its base value.
    #[must_use]
    pub fn new(now: Instant, config: Arc<Config>, seed: SmallStream, jitter: bool) -> Self {
        Self::with_attached(now, config, &[], seed, jitter)
    }

    /// The same, on an instance with these.
    #[must_use]
    pub fn with_attached(
        now: Instant,
        config: Arc<Config>,
        attached: &[Attached],
        seed: SmallStream,
        jitter: bool,
    ) -> Self {
        let mut seed = seed;
        let mut split = || SmallStream::new(seed.next_u64());
        let chance = Chance {
            map_order: split(),
            shuffle: split(),
            backoff: Some(split()).filter(|_| jitter),
            sync: split(),
            reclaim: split(),
            periods_jitter: jitter,
        };
        let mut daemon = Self {
            switches: SwitchPool::new(&config.vswitches),
            config: Arc::clone(&config),
            chance,
            slots: Slots::default(),
            ready: VecDeque::new(),
            order: Order::default(),
            limiter: Vec::new(),
            sync: PoolSync::Sleeping { next: Instant::NEVER },
            last_modified: now,
            next_reclaim: None,
            next_gc: Instant::NEVER,
            gc_waits: false,
            rpcs: 0,
            own_calls: 0,
            blocked: VecDeque::new(),
            retained: Vec::new(),
            strays: Vec::new(),
            insufficient_until: Instant::ZERO,
            next_waiter: 0,
            epoch: 0,
            stopped: false,
            starting: None,
            outputs: Outputs::default(),
            now,
            next_wake: Instant::NEVER,
            slots_wake: Instant::NEVER,
            quiet: false,
            idle_and_used: (0, 0),
        };
        daemon.start(config, attached);
        daemon.look_ahead();
        daemon
    }

    /// Something happens to the daemon at `now`, which is not earlier than the last time. A
    /// stopped daemon takes nothing but [`Input::Restart`]; one that [is
    /// starting](Self::is_starting) does, and answers to its calls.
    pub fn handle(&mut self, now: Instant, input: Input) {
        debug_assert!(self.outputs.is_empty(), "poll is drained before the next input");
        if !self.handle_quietly(now, &input) {
            self.handle_in_full(now, input);
        }
    }

    /// Not inlined: few inputs come here.
    #[inline(never)]
    fn handle_in_full(&mut self, now: Instant, input: Input) {
        let looked_ahead = self.advance(now);
        match input {
            Input::Tick if looked_ahead => return,
            Input::Allocate(pod) => self.call_for(pod, false),
            Input::AllocateRdma(pod) => self.call_for(pod, true),
            Input::Cancel(pod) => self.cancel(pod),
            Input::Release(release) => self.rpc(Blocked::Release(release)),
            Input::Own(call) => self.rpc(Blocked::Own(call, now)),
            Input::OwnIsOver(pod) => self.own_is_over(pod),
            Input::Reply(call, reply) => self.reply(call, reply),
            Input::Stop => self.stop(),
            Input::Kill => self.kill(),
            Input::Restart { config, attached } => self.restart(config, &attached),
            Input::Tick => {}
        }
        self.let_gc_run();
        self.look_ahead();
    }

    /// Whether the daemon waits for the answer to `call`: it was made since its last start.
    #[must_use]
    pub fn awaits(&self, call: CallId) -> bool {
        call.epoch == self.epoch
    }

    /// What the daemon does, in order.
    #[inline]
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// When [`Input::Tick`] is due, unless another input comes first; never =
    /// [`Instant::NEVER`].
    #[must_use]
    #[inline]
    pub fn poll_timeout(&self) -> Instant {
        self.next_wake
    }

    /// Idle and used addresses as the pool sync counts them (R77).
    #[must_use]
    pub fn usage(&self) -> (u32, u32) {
        self.slots.iter().map(Slot::usage).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    }

    /// Whether the node condition SufficientIP is true (R84).
    #[must_use]
    pub fn has_sufficient_ip(&self, now: Instant) -> bool {
        now >= self.insufficient_until
    }

    /// Slots without an interface.
    #[must_use]
    pub fn empty_slots(&self) -> usize {
        self.slots.iter().filter(|slot| slot.eni.is_none()).count()
    }

    /// Those for RDMA, or those for the rest.
    #[must_use]
    pub fn empty_slots_for(&self, rdma: bool) -> usize {
        self.slots.iter().filter(|slot| slot.eni.is_none() && slot.is_for_rdma() == rdma).count()
    }

    /// Whether some slot is inhibited, or some candidate vSwitch blocked.
    #[must_use]
    pub fn is_held_back(&self, now: Instant) -> bool {
        self.slots.iter().any(|slot| slot.is_inhibited(now))
            || self.config.vswitches.iter().any(|&id| self.switches.is_blocked(now, id))
    }

    /// The vSwitches of interfaces, for RDMA or for the rest, that could take another address, as far as the node goes.
    pub fn extendable(&self, rdma: bool) -> impl Iterator<Item = VSwitchId> + '_ {
        let of_kind = self.slots.iter().filter(move |slot| slot.is_for_rdma() == rdma);
        let open = of_kind.filter(|slot| slot.status == Status::InUse && slot.set.len() < self.config.ips_per_eni);
        open.filter_map(|slot| slot.eni.map(|eni| eni.vswitch))
    }

    /// Addresses that pods have, or that are retained for them.
    pub fn bound(&self) -> impl Iterator<Item = (PodId, EniId, Ipv4Addr)> + '_ {
        let enis = self.slots.iter().filter_map(|slot| slot.eni.map(|eni| (slot, eni.id)));
        enis.flat_map(|(slot, eni)| slot.set.bound().map(move |(pod, address)| (pod, eni, address)))
    }

    /// IPv6 addresses that pods have, or that are retained for them.
    pub fn bound_v6(&self) -> impl Iterator<Item = (PodId, EniId, V6Addr)> + '_ {
        let sides = self.slots.iter().filter_map(|slot| Some((slot.eni?.id, slot.v6.as_ref()?)));
        sides.flat_map(|(eni, v6)| v6.set.bound().map(move |(pod, address)| (pod, eni, address)))
    }

    /// Idle IPv6 addresses, which the pool sync does not count (R144).
    #[must_use]
    pub fn idle_v6(&self) -> u32 {
        self.slots.iter().filter_map(|slot| slot.v6.as_ref()).map(|v6| v6.set.idle()).sum()
    }

    /// The configuration that the daemon runs with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Begins a life of the daemon (R135 to R141).
    fn start(&mut self, config: Arc<Config>, attached: &[Attached]) {
        let kinds = kinds_of_slots(&config, attached, self.trunk());
        let (now, first) = (self.now, self.chance.sync.next_u64());
        let slot = |(i, kind)| Slot::new(now, kind, SmallStream::new(first ^ i as u64), config.dual);
        self.order = Order::new(kinds.len());
        self.slots = kinds.into_iter().enumerate().map(slot).collect();
        for (i, Attached { eni, addresses, v6, .. }) in attached.iter().enumerate() {
            let slot = &mut self.slots[i];
            (slot.eni, slot.status) = (Some(*eni), Status::InUse);
            for &address in addresses {
                slot.set.add_valid(address, address == eni.primary, &mut self.chance.map_order);
            }
            if let Some(side) = &mut slot.v6 {
                for &address in v6 {
                    side.set.add_valid(address, false, &mut self.chance.map_order);
                }
            }
        }
        self.switches = SwitchPool::new(&config.vswitches);
        self.limiter.clear();
        self.sync = PoolSync::Sleeping { next: if config.sync_period.is_some() { now } else { Instant::NEVER } };
        (self.last_modified, self.next_reclaim) = (now, None);
        (self.next_gc, self.gc_waits) = (if config.gc_period.is_some() { now } else { Instant::NEVER }, false);
        self.insufficient_until = Instant::ZERO;
        self.config = config;
        self.make_missing_trunk();
    }

    /// Gives `pod` an address of slot `i`, where one is, and of each family if it is dual stack; says whether it
    /// had it already.
    fn bind(&mut self, i: usize, pod: PodId) -> bool {
        let slot = &mut self.slots[i];
        let (address, retained) = slot.set.bind(pod, &mut self.chance.map_order).expect("the caller saw an address");
        let v6 = slot
            .v6
            .as_mut()
            .map(|side| side.set.bind(pod, &mut self.chance.map_order).expect("the caller saw an IPv6 address").0);
        let eni = slot.eni.expect("addresses belong to an interface");
        self.record(pod, eni.id, address);
        self.outputs.push(Output::Allocated { pod, eni, address, v6, retained });
        retained
    }

    /// Offers a request to the slots in order; the first that takes it wins (R73). `Err` = nobody
    /// takes it.
    fn offer(&mut self, asking: Asking, deadline: Instant) -> Result<Admission, Failure> {
        self.last_modified = self.now;
        self.sort_for_allocation();
        let taker = self.taker(self.now, asking);
        match taker {
            Ok((i, Admission::Queue(lacks))) => {
                self.enqueue(i, asking.pod.unwrap_or(PodId::NONE), lacks, deadline);
            }
            Ok((i, _)) => {
                self.bind(i, asking.pod.expect("only a pod is served from what is there"));
            }
            Err(Failure::Inhibited) if self.has_sufficient_ip(self.now) => {
                self.insufficient_until = self.now + CONDITION;
            }
            Err(_) => {}
        }
        taker.map(|(_, admission)| admission)
    }

    /// The first slot in order that takes a request, and what it does with it (R73, R74).
    fn taker(&mut self, now: Instant, asking: Asking) -> Result<(usize, Admission), Failure> {
        let mut failure = Failure::NodeFull;
        for i in self.order.iter() {
            match self.slots[i].admit(now, asking, self.config.ips_per_eni) {
                Admission::Refused(Refusal::Inhibited) => failure = Failure::Inhibited,
                Admission::Refused(Refusal::Other) => {}
                admission => return Ok((i, admission)),
            }
        }
        Err(failure)
    }

    fn enqueue(&mut self, i: usize, pod: PodId, lacks: Lacks, deadline: Instant) {
        self.disturb(i);
        let id = self.next_waiter;
        self.next_waiter = id.wrapping_add(1);
        self.slots[i].ask(id, lacks);
        self.broadcast_for(i, Waiter { id, pod, deadline, done: false });
    }

    fn marks(&self) -> Watermarks {
        let Config { min_idle, max_idle, capacity, .. } = *self.config;
        Watermarks { min_idle, max_idle, capacity }
    }

    /// One run of the pool sync (R77).
    fn pool_sync(&mut self) {
        self.sort_for_sync();
        let (idle, in_use) = self.usage();
        let (marks, reclaim) = (self.marks(), self.config.reclaim);
        let jitter = self.chance.periods_jitter.then_some(&mut self.chance.reclaim);
        let mut left = to_delete(
            self.now,
            marks,
            idle,
            reclaim.as_ref(),
            Some(self.last_modified),
            &mut self.next_reclaim,
            jitter,
        )
        .total();
        let mut trimmed = None;
        for k in 0..self.slots.len() {
            if left <= 0 {
                break;
            }
            let i = self.order.at(k);
            self.disturb(i);
            let in_use = self.slots[i].status == Status::InUse;
            left -= i64::from(self.slots[i].trim(left as u32, &mut self.chance.map_order));
            if in_use && let Some(before) = trimmed.replace(i) {
                self.broadcast_in_order(before);
            }
        }
        if let Some(last) = trimmed {
            self.broadcast(last);
        }
        let deadline = self.now + PREHEAT_TIMEOUT;
        self.sync = PoolSync::Preheating { pending: 0, deadline };
        for _ in 0..to_add(marks, idle, in_use) {
            // Where one is refused, the next would be refused too.
            if self.offer(Asking { pod: None, rdma: false, pinned: None }, deadline).is_err() {
                break;
            }
            if let PoolSync::Preheating { pending, .. } = &mut self.sync {
                *pending += 1;
            }
        }
        self.preheats_ended(0);
    }

    /// Preheats are done; when the last is, the run returns and the next is set (R76).
    fn preheats_ended(&mut self, n: u32) {
        if let PoolSync::Preheating { pending, .. } = &mut self.sync {
            *pending -= n;
            if *pending == 0 {
                self.sync = PoolSync::Sleeping { next: self.after_period(self.now) };
            }
        }
    }

    /// The preheats of a run have had their two minutes (R77, R83).
    fn end_preheats(&mut self) {
        for i in 0..self.slots.len() {
            if self.slots[i].waiters().any(Waiter::is_preheat) {
                self.broadcast(i);
            }
        }
    }

    /// One period of the pool sync after `at` (R76).
    fn after_period(&mut self, at: Instant) -> Instant {
        let jitter = self.chance.periods_jitter.then_some(&mut self.chance.sync);
        match self.config.sync_period {
            Some(period) => at + jittered(period, 1.0, jitter),
            None => Instant::NEVER,
        }
    }

    /// Makes a call, as soon as the client-side limit lets it go (R110).
    fn call(&mut self, i: usize, worker: Worker, request: Request) {
        let at = self.let_go(request.api());
        let call = CallId { slot: i as u8, worker, epoch: self.epoch };
        self.outputs.push(Output::Call { call, at, request });
    }

    /// When the client-side limit lets a call go.
    fn let_go(&mut self, api: Api) -> Instant {
        let Some(calls) = self.config.rate_limit[api.index()] else { return self.now };
        let limit = Limit::per_minute(calls);
        let known = self.limiter.iter().position(|(of, _)| *of == api).unwrap_or_else(|| {
            // A daemon makes the same few calls all its life.
            self.limiter.reserve_exact(1);
            self.limiter.push((api, Tokens::full(limit)));
            self.limiter.len() - 1
        });
        self.limiter[known].1.take(limit, self.now)
    }

    /// A call was answered.
    fn reply(&mut self, call: CallId, reply: Result<Answer, ErrorCode>) {
        if !self.awaits(call) {
            return;
        }
        match call.worker {
            Worker::Alloc => self.alloc_reply(usize::from(call.slot), reply),
            Worker::Dispose => self.dispose_reply(usize::from(call.slot), reply),
        }
    }

    fn slot_of(&self, eni: EniId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.eni.is_some_and(|e| e.id == eni))
    }

    fn fail(&mut self, pod: PodId, failure: Failure) {
        self.outputs.push(Output::Failed(pod, failure));
    }
}

/// The slots of a daemon that starts, by the kind of their interfaces: the attached ones, a trunk that
/// has to be made, empty ones for RDMA, empty ones (R36, R38, R39). An RDMA interface counts as an
/// ordinary one while RDMA is off, a trunk while trunks are, and any but the first: `known` (the node's
/// annotation has it) goes before others.
fn kinds_of_slots(config: &Config, attached: &[Attached], known: Option<EniId>) -> Vec<Kind> {
    let is_known = |attached: &Attached| Some(attached.eni.id) == known;
    let is_trunk = |attached: &&Attached| attached.kind == Kind::Trunk && config.trunk.is_some();
    let trunk =
        attached.iter().filter(is_trunk).min_by_key(|attached| !is_known(attached)).map(|attached| attached.eni.id);
    let makes_trunk = config.trunk.is_some() && trunk.is_none() && attached.len() < config.max_eni as usize;
    let of_rdma = attached.iter().filter(|attached| attached.kind == Kind::HighPerformance).count();
    let is_on = |rdma: &Rdma| rdma.interfaces(attached.len() + usize::from(makes_trunk), of_rdma) > 0;
    let wanted = config.rdma.filter(is_on).map_or(0, |rdma| rdma.slots as usize);
    let kept = |attached: &Attached| match attached.kind {
        Kind::HighPerformance if wanted > 0 => Kind::HighPerformance,
        _ if Some(attached.eni.id) == trunk => Kind::Trunk,
        _ => Kind::Secondary,
    };
    let mut kinds: Vec<_> = attached.iter().map(kept).collect();
    kinds.extend(makes_trunk.then_some(Kind::Trunk));
    let served = kinds.iter().filter(|&&kind| kind == Kind::HighPerformance).count();
    let ordinary = kinds.len() - served;
    kinds.extend(vec![Kind::HighPerformance; wanted.saturating_sub(served)]);
    kinds.extend(vec![Kind::Secondary; (config.max_eni as usize).saturating_sub(wanted + ordinary)]);
    kinds
}
