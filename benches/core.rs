//! The allocation core alone: one daemon, pods that come and go, and a cloud that answers at once.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;

use brimline::chance::SmallStream;
use brimline::id::{EniId, PodId, VSwitchId};
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::node_local::{Config, EniSelection, NodeLocal, VSwitchSelection};
use brimline::ipam::{Addresses, Answer, CallId, Input, Output, Release, Request, V6Addresses};
use brimline::openapi::Api;
use brimline::time::{Instant, Span};

/// Pods on the node at any time.
const PODS: u32 = 30;
/// Pods that come and go.
const STEPS: u32 = 2_000_000;

/// A daemon with 3 ENIs of 15 addresses and ACK's watermarks.
fn daemon() -> NodeLocal {
    let config = Config {
        max_eni: 3,
        ips_per_eni: 15,
        dual: false,
        rdma: None,
        trunk: None,
        capacity: 45,
        min_idle: 0,
        max_idle: 5,
        sync_period: Some(Span::secs(120)),
        eni_selection: EniSelection::MostIps,
        vswitch_selection: VSwitchSelection::Most,
        vswitches: vec![VSwitchId(0)],
        reclaim: None,
        rate_limit: [None; Api::ALL.len()],
        gc_period: Some(Span::mins(5)),
        rpc_timeout: Span::secs(118),
        confirm_delete: true,
        kube_client: KubeClient::UNLIMITED,
    };
    NodeLocal::new(Instant::ZERO, Arc::new(config), SmallStream::new(1), true)
}

/// The daemon, its clock and its cloud.
struct Bench {
    daemon: NodeLocal,
    now: Instant,
    next_address: u32,
    next_eni: u32,
    answers: VecDeque<(CallId, Answer)>,
    running: VecDeque<Release>,
    failed: u64,
}

impl Bench {
    fn input(&mut self, input: Input) {
        self.daemon.handle(self.now, input);
        self.drain();
        while let Some((call, answer)) = self.answers.pop_front() {
            self.daemon.handle(self.now, Input::Reply(call, Ok(answer)));
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.daemon.poll() {
            match output {
                Output::Call { call, request, .. } => {
                    let answer = self.answer(&request);
                    self.answers.push_back((call, answer));
                }
                Output::Allocated { pod, eni, address, .. } => {
                    self.running.push_back(Release { pod, eni: eni.id, address, then: brimline::ipam::Fate::Idle });
                }
                Output::Failed(..) => self.failed += 1,
                Output::Released(..) | Output::Heard(..) | Output::Started | Output::NotStarted => {}
            }
        }
    }

    fn addresses(&mut self, n: u8) -> Addresses {
        let first = self.next_address;
        self.next_address += u32::from(n);
        Addresses::collect((first..self.next_address).map(Ipv4Addr::from))
    }

    fn answer(&mut self, request: &Request) -> Answer {
        match *request {
            Request::DescribeVSwitch(_) => Answer::VSwitch(60_000),
            Request::Create { addresses, .. } => {
                self.next_eni += 1;
                Answer::Created(EniId(self.next_eni), self.addresses(addresses), V6Addresses::EMPTY)
            }
            Request::Attach(_) => Answer::Attached(self.now),
            Request::Describe(_) => Answer::Described { exists: true, in_use: true },
            Request::Assign(_, n) => Answer::Assigned(self.addresses(n), self.now),
            Request::Unassign(..) | Request::UnassignV6(..) => Answer::Unassigned(self.now),
            Request::AssignV6(..) => unreachable!("the daemon is IPv4 only"),
            Request::Detach(_) => Answer::Detached,
            Request::Delete(_) => Answer::Deleted,
        }
    }

    /// Lets simulated time pass, timer by timer.
    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        while self.daemon.poll_timeout() <= end {
            self.now = self.daemon.poll_timeout().max(self.now);
            self.input(Input::Tick);
        }
        self.now = end;
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn main() {
    let mut bench = Bench {
        daemon: daemon(),
        now: Instant::ZERO,
        next_address: 0x0a00_0001,
        next_eni: 0,
        answers: VecDeque::new(),
        running: VecDeque::new(),
        failed: 0,
    };
    for pod in 0..PODS {
        bench.input(Input::Allocate(PodId(pod)));
    }
    bench.pass(Span::mins(10));
    let start = std::time::Instant::now();
    for _ in 0..STEPS {
        let release = bench.running.pop_front().expect("pods run");
        bench.input(Input::Release(release));
        bench.pass(Span::millis(500));
        bench.input(Input::Allocate(release.pod));
        bench.pass(Span::millis(500));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "core alone, {PODS} pods on a node, one replaced each second: {:.0} ns per release and allocation, {:.1} million/s",
        seconds * 1e9 / f64::from(STEPS),
        f64::from(STEPS) / seconds / 1e6
    );
    assert!(bench.running.len() as u32 + 20 > PODS && bench.failed == 0, "pods were served");
}
