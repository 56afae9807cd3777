//! The alloc worker of a slot: creates the interface and extends it (`assign.rs`), one call after
//! the other (rules R52 to R63, R97 to R107).
//!
//! Like upstream's goroutine it is busy for as long as a call takes, and asleep otherwise until a
//! broadcast wakes it.

use super::NodeLocal;
use super::assign::{Ask, AssignStep};
use super::demand::Family;
use super::seldom::Rest;
use super::slot::{Slot, Status, TOKENS};
use super::wake::Sleeper;
use crate::id::VSwitchId;
use crate::ipam::backoff::{Backoff, ENI_CREATE, ENI_OPS, Next};
use crate::ipam::vswitch::{Selected, Selection};
use crate::ipam::{Addresses, Answer, BATCH, Eni, Request, Worker};
use crate::openapi::ErrorCode;
use crate::time::{Instant, Span};

/// Pause before acting, in which requests gather (R52).
pub(super) const COALESCE: Span = Span::millis(300);
/// Time that creating an interface may take up to the metadata polls (R101).
const CREATE_TIMEOUT: Span = Span::secs(60);
/// Shortest time from attach to the first status look (R100).
const SETTLE: Span = Span::secs(2);
/// Spacing of looks at instance metadata (R100).
const METADATA_POLL: Span = Span::secs(1);
/// Time after which polling instance metadata gives up (R100).
const METADATA_TIMEOUT: Span = Span::secs(10);

/// What the alloc worker is at.
#[derive(Debug, Clone)]
pub(super) enum Alloc {
    /// Waits for a broadcast.
    Asleep,
    /// Lets requests gather.
    Coalescing { until: Instant },
    /// Waits for a token to create an interface with `n` addresses and `v6` IPv6 addresses.
    CreateToken { until: Instant, n: u8, v6: u8 },
    /// Creates an interface.
    Create(Create, CreateStep),
    /// Waits for a token to assign addresses.
    AssignToken { until: Instant, ask: Ask },
    /// Assigns addresses, for the `attempt`-th time.
    Assign { ask: Ask, attempt: u8, step: AssignStep },
}

/// An interface in the making.
#[derive(Debug, Clone)]
pub(super) struct Create {
    pub n: u8,
    /// IPv6 addresses to ask for (R148).
    v6: u8,
    /// Attempt of the outer loop, over vSwitches (R97).
    round: u8,
    /// When the 60 s of R101 end.
    deadline: Instant,
    selection: Selection,
    pub vswitch: VSwitchId,
    /// IPv6 addresses are with the slot.
    made: Option<(Eni, Addresses)>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum CreateStep {
    /// Waits for the free count of a vSwitch, asked for by this slot or another (R87).
    Describing(VSwitchId),
    /// CreateNetworkInterface is under way, for the `attempt`-th time.
    Calling { attempt: u8 },
    /// Sleeps before the next attempt on the same vSwitch (R98).
    CallBackoff { until: Instant, attempt: u8 },
    /// Sleeps before the next vSwitch is tried (R97).
    RoundBackoff { until: Instant },
    /// AttachNetworkInterface is under way.
    Attaching,
    /// Polls instance metadata; `ready` says whether that ends well (R100).
    Settling { until: Instant, ready: bool },
    /// DescribeNetworkInterfaces is under way, for the `attempt`-th time (R100).
    Checking { attempt: u8 },
    /// Sleeps before the next look.
    CheckBackoff { until: Instant, attempt: u8 },
}

impl Rest for Alloc {
    const AT_REST: &'static Self = &Self::Asleep;

    fn rests(&self) -> bool {
        matches!(self, Self::Asleep)
    }
}

impl Alloc {
    /// When the worker goes on by itself.
    pub fn until(&self) -> Instant {
        match *self {
            Self::Coalescing { until } | Self::CreateToken { until, .. } | Self::AssignToken { until, .. } => until,
            Self::Create(_, step) => match step {
                CreateStep::CallBackoff { until, .. }
                | CreateStep::RoundBackoff { until }
                | CreateStep::Settling { until, .. }
                | CreateStep::CheckBackoff { until, .. } => until,
                _ => Instant::NEVER,
            },
            Self::Assign { step: AssignStep::Backoff { until } | AssignStep::Settling { until, .. }, .. } => until,
            Self::Asleep | Self::Assign { .. } => Instant::NEVER,
        }
    }

    /// The interface that exists already and is in the making.
    pub fn made(&self) -> Option<Eni> {
        match self {
            Self::Create(Create { made, .. }, _) => made.map(|(eni, _)| eni),
            _ => None,
        }
    }

    /// The vSwitch whose count the worker waits for.
    fn describing(&self) -> Option<VSwitchId> {
        match self {
            Self::Create(_, CreateStep::Describing(vswitch)) => Some(*vswitch),
            _ => None,
        }
    }
}

/// When polling instance metadata from `from` on ends, and whether it has seen what it looks for,
/// which is there from `visible` on; the context ends at `deadline` (R100, R104, R108).
pub(super) fn poll_metadata(from: Instant, visible: Instant, deadline: Instant) -> (Instant, bool) {
    let give_up = deadline.min(from + METADATA_TIMEOUT).max(from);
    let looks = visible.since(from).0.div_ceil(METADATA_POLL.0).max(1);
    let seen = from + Span(looks * METADATA_POLL.0);
    if seen < give_up { (seen, true) } else { (give_up, false) }
}

impl Slot {
    /// The worker looks whether there is something to do, and sleeps if not (R52).
    pub(super) fn alloc_look(&mut self, now: Instant) {
        self.alloc.set(Alloc::Asleep);
        // Upstream counts, which forgets preheats that ended.
        if self.queued_v4() == 0 {
            self.queued_v6();
        }
        if self.alloc_would_start(now) {
            self.alloc.set(Alloc::Coalescing { until: now + COALESCE });
        } else {
            self.sleepers.push_back(Sleeper::AllocWorker);
        }
    }

    /// The gathering of a slot without interface is over. Returns how many addresses to ask for,
    /// and how many IPv6 ones, if there is a token at once.
    fn ask_to_create(&mut self, now: Instant) -> Option<(u8, u8)> {
        // At least one address is asked for, even if every requester has gone (R53); of IPv6 there
        // may be none (R148).
        let (n, v6) = (self.queued_v4().clamp(1, BATCH) as u8, self.queued_v6().min(BATCH) as u8);
        self.status = Status::Creating;
        let until = self.eni_bucket.take(TOKENS, now);
        self.alloc.set(Alloc::CreateToken { until, n, v6 });
        (until == now).then_some((n, v6))
    }

    /// What comes of the worker's timers through `until`, for as long as every candidate vSwitch is
    /// known to be empty: what [`NodeLocal::alloc_fire`] comes to then, in short. Says whether
    /// anything was due.
    pub(super) fn try_in_vain(&mut self, until: Instant) -> bool {
        let due = self.alloc.until() <= until;
        loop {
            let token = match *self.alloc {
                Alloc::Coalescing { until: now } if now <= until => {
                    self.skip_rounds(now, until);
                    self.ask_to_create(self.alloc.until()).is_some()
                }
                Alloc::CreateToken { until: now, .. } if now <= until => true,
                _ => return due,
            };
            if token {
                // The selection ends without a vSwitch, which is no OpenAPI error (R92, R102).
                let now = self.alloc.until();
                self.status = Status::Init;
                self.alloc_look(now);
            }
        }
    }

    /// Skips whole rounds of gathering and waiting for a token; soon they are all equal.
    fn skip_rounds(&mut self, now: Instant, until: Instant) {
        let goes_on = self.has_demand() && !self.is_inhibited(now);
        if goes_on && let Some(round) = self.eni_bucket.steady_round(now, COALESCE) {
            let skipped = Span(until.since(now).0 / round.0 * round.0);
            self.eni_bucket.skip(skipped);
            self.alloc.set(Alloc::Coalescing { until: now + skipped });
        }
    }
}

impl NodeLocal {
    /// The time that the worker waited for has come.
    pub(super) fn alloc_fire(&mut self, i: usize) {
        match Alloc::clone(&self.slots[i].alloc) {
            Alloc::Coalescing { .. } => self.alloc_act(i),
            Alloc::CreateToken { n, v6, .. } => self.create_begin(i, n, v6),
            Alloc::Create(create, step) => match step {
                CreateStep::CallBackoff { attempt, .. } => self.create_call(i, create, attempt),
                CreateStep::RoundBackoff { .. } => self.create_select(i, create, true),
                CreateStep::Settling { ready: true, .. } => self.create_check(i, create, 1),
                CreateStep::Settling { ready: false, .. } => self.create_failed(i, create.made, None),
                CreateStep::CheckBackoff { attempt, .. } => self.create_check(i, create, attempt),
                CreateStep::Describing(_)
                | CreateStep::Calling { .. }
                | CreateStep::Attaching
                | CreateStep::Checking { .. } => {
                    unreachable!("a call is under way, which has no timer")
                }
            },
            Alloc::AssignToken { ask, .. } => self.assign_call(i, ask, 1),
            Alloc::Assign { ask, attempt, step } => match step {
                AssignStep::Backoff { .. } => self.assign_call(i, ask, attempt + 1),
                AssignStep::Settling { ready: true, lot, .. } => self.assign_done(i, ask, &lot),
                AssignStep::Settling { ready: false, lot, .. } => self.assign_unseen(i, &lot),
                AssignStep::Calling => unreachable!("a call is under way, which has no timer"),
            },
            Alloc::Asleep => unreachable!("a sleeping worker has no timer"),
        }
    }

    /// The gathering is over: create or extend. Upstream does not test again whether it should.
    fn alloc_act(&mut self, i: usize) {
        let slot = &mut self.slots[i];
        if slot.eni.is_none() {
            if let Some((n, v6)) = slot.ask_to_create(self.now) {
                self.create_begin(i, n, v6);
            }
            return;
        }
        match Ask::of(slot) {
            Some(ask) => self.assign_begin(i, ask),
            None => self.alloc_broadcast(i),
        }
    }

    pub(super) fn create_begin(&mut self, i: usize, n: u8, v6: u8) {
        let create = Create {
            n,
            v6,
            round: 1,
            deadline: self.now + CREATE_TIMEOUT,
            selection: Selection::First(0),
            vswitch: VSwitchId::NONE,
            made: None,
        };
        self.create_select(i, create, true);
    }

    /// Selects a vSwitch, looking up what is not cached (R90, R97).
    fn create_select(&mut self, i: usize, mut create: Create, begin: bool) {
        if begin {
            let policy = self.config.vswitch_selection;
            // A futile selection shuffles nothing, so that it may be replayed later (timers.rs).
            let futile = self.switches.futile_through(self.now).is_some();
            create.selection =
                if futile { Selection::First(0) } else { self.switches.begin(policy, &mut self.chance.shuffle) };
        }
        match self.switches.proceed(self.now, &mut create.selection) {
            Selected::Describe(vswitch) => {
                let asked = self.slots.iter().any(|slot| slot.alloc.describing() == Some(vswitch));
                self.slots[i].alloc.set(Alloc::Create(create, CreateStep::Describing(vswitch)));
                if !asked {
                    self.call(i, Worker::Alloc, Request::DescribeVSwitch(vswitch));
                }
            }
            Selected::Chosen(vswitch) => {
                create.vswitch = vswitch;
                self.create_call(i, create, 1);
            }
            // Not an OpenAPI error, so no inhibit (R92, R102).
            Selected::None => self.create_failed(i, None, None),
        }
    }

    fn create_call(&mut self, i: usize, create: Create, attempt: u8) {
        let Create { vswitch, n: addresses, v6: ipv6, .. } = create;
        self.slots[i].alloc.set(Alloc::Create(create, CreateStep::Calling { attempt }));
        self.call(i, Worker::Alloc, Request::Create { vswitch, kind: self.slots[i].kind, addresses, ipv6 });
    }

    fn create_check(&mut self, i: usize, create: Create, attempt: u8) {
        let (eni, _) = create.made.expect("only an interface that was made is checked");
        self.slots[i].alloc.set(Alloc::Create(create, CreateStep::Checking { attempt }));
        self.call(i, Worker::Alloc, Request::Describe(eni.id));
    }

    /// A call of the worker was answered.
    pub(super) fn alloc_reply(&mut self, i: usize, reply: Result<Answer, ErrorCode>) {
        match Alloc::clone(&self.slots[i].alloc) {
            Alloc::Create(create, step) => self.create_reply(i, create, step, reply),
            Alloc::Assign { ask, attempt, step: AssignStep::Calling } => self.assign_reply(i, ask, attempt, reply),
            _ => unreachable!("no call is under way"),
        }
    }

    fn create_reply(&mut self, i: usize, mut create: Create, step: CreateStep, reply: Result<Answer, ErrorCode>) {
        match (step, reply) {
            (CreateStep::Describing(vswitch), reply) => self.described(vswitch, reply),
            (CreateStep::Calling { .. }, Ok(Answer::Created(id, addresses, v6))) => {
                let eni = Eni { id, vswitch: create.vswitch, primary: addresses[0] };
                create.made = Some((eni, addresses));
                if let Some(side) = &mut self.slots[i].v6 {
                    side.made = v6;
                }
                // Attaching begins with the client-side limit, which an ended context fails (R101).
                if self.now >= create.deadline {
                    return self.create_failed(i, create.made, None);
                }
                self.slots[i].alloc.set(Alloc::Create(create, CreateStep::Attaching));
                self.call(i, Worker::Alloc, Request::Attach(id));
            }
            (CreateStep::Calling { attempt }, Err(code)) => self.create_refused(i, create, attempt, code),
            (CreateStep::Attaching, Ok(Answer::Attached(visible))) => {
                let (mut seen, mut ready) = poll_metadata(self.now, visible, create.deadline);
                // IPv6 addresses are looked for when the others are there (aliyun.go:191-209).
                if ready && create.v6 > 0 {
                    (seen, ready) = poll_metadata(seen, visible, create.deadline);
                }
                let until = if ready { seen.max(self.now + SETTLE) } else { seen };
                self.slots[i].alloc.set(Alloc::Create(create, CreateStep::Settling { until, ready }));
                if until == self.now {
                    self.alloc_fire(i);
                }
            }
            (CreateStep::Attaching, Err(code)) => self.create_failed(i, create.made, Some(code)),
            (CreateStep::Checking { .. }, Ok(Answer::Described { in_use: true, .. })) => self.create_done(i, &create),
            (CreateStep::Checking { attempt }, reply) => match self.retry(ENI_OPS, attempt) {
                Some(until) => self.slots[i]
                    .alloc
                    .set(Alloc::Create(create, CreateStep::CheckBackoff { until, attempt: attempt + 1 })),
                None => self.create_failed(i, create.made, reply.err()),
            },
            (step, reply) => unreachable!("{reply:?} is no answer to {step:?}"),
        }
    }

    /// A count was looked up: everybody who waits for it goes on (single flight, R87).
    fn described(&mut self, vswitch: VSwitchId, reply: Result<Answer, ErrorCode>) {
        if let Ok(Answer::VSwitch(free)) = reply {
            self.switches.store(self.now, vswitch, free);
        }
        for i in 0..self.slots.len() {
            if self.slots[i].alloc.describing() == Some(vswitch)
                && let Alloc::Create(mut create, _) = Alloc::clone(&self.slots[i].alloc)
            {
                if reply.is_err() {
                    self.switches.lookup_failed(&mut create.selection);
                }
                self.create_select(i, create, false);
            }
        }
    }

    /// CreateNetworkInterface was refused (R97, R98).
    fn create_refused(&mut self, i: usize, mut create: Create, attempt: u8, code: ErrorCode) {
        match code {
            ErrorCode::IpNotEnough | ErrorCode::QuotaPrivateIp => {
                self.switches.block(self.now, create.vswitch);
                match self.retry(ENI_CREATE, create.round) {
                    Some(until) => {
                        create.round += 1;
                        self.slots[i].alloc.set(Alloc::Create(create, CreateStep::RoundBackoff { until }));
                    }
                    // `timed out waiting for the condition` carries no code (R102).
                    None => self.create_failed(i, None, None),
                }
            }
            ErrorCode::Throttling | ErrorCode::Internal => match self.retry(ENI_CREATE, attempt) {
                Some(until) => self.slots[i]
                    .alloc
                    .set(Alloc::Create(create, CreateStep::CallBackoff { until, attempt: attempt + 1 })),
                None => self.create_failed(i, None, None),
            },
            _ => self.create_failed(i, None, Some(code)),
        }
    }

    /// Creating failed. An interface that exists is to be deleted (R62), else the slot is as
    /// before, its queue untouched (R61).
    fn create_failed(&mut self, i: usize, made: Option<(Eni, Addresses)>, code: Option<ErrorCode>) {
        if self.is_starting() {
            return self.trunk_failed(i, made.map(|(eni, _)| eni));
        }
        self.inhibit(i, code);
        let slot = &mut self.slots[i];
        slot.eni = made.map(|(eni, _)| eni);
        if slot.eni.is_some() {
            slot.status = Status::Deleting;
            self.alloc_broadcast(i);
        } else {
            slot.status = Status::Init;
            self.alloc_look(i);
        }
    }

    /// The interface serves (R54).
    fn create_done(&mut self, i: usize, create: &Create) {
        let (eni, addresses) = create.made.expect("the interface was made");
        let slot = &mut self.slots[i];
        slot.eni = Some(eni);
        slot.made(Family::V4, usize::from(create.n));
        slot.made(Family::V6, usize::from(create.v6));
        for &address in addresses.iter() {
            slot.set.add_valid(address, address == eni.primary, &mut self.chance.map_order);
        }
        if let Some(v6) = &mut slot.v6 {
            for &address in v6.made.iter() {
                v6.set.add_valid(address, false, &mut self.chance.map_order);
            }
        }
        slot.status = Status::InUse;
        let starts = self.starting.take().is_some();
        self.alloc_broadcast(i);
        if starts {
            self.started();
        }
    }

    /// No request that needs a new address is taken for a while (R60).
    pub(super) fn inhibit(&mut self, i: usize, code: Option<ErrorCode>) {
        let window = match code {
            Some(ErrorCode::EniPerInstance) => Span::mins(1),
            Some(ErrorCode::IpNotEnough | ErrorCode::QuotaPrivateIp) => Span::mins(10),
            _ => return,
        };
        let slot: &mut Slot = &mut self.slots[i];
        slot.inhibit_until = slot.inhibit_until.max(self.now + window);
    }

    /// When the attempt after number `attempt` comes; `None` = there is none.
    pub(super) fn retry(&mut self, backoff: Backoff, attempt: u8) -> Option<Instant> {
        match backoff.after(attempt, self.chance.backoff.as_mut()) {
            Next::Retry(sleep) => Some(self.now + sleep),
            Next::GiveUp | Next::GiveUpAfter(_) => None,
        }
    }
}
