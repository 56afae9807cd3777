//! The centralized controller alone, with a cloud that answers after a fixed time: nodes that rest,
//! and pods that come and go within their pools.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;

use brimline::chance::SmallStream;
use brimline::id::{EniId, NodeId, Uid, VSwitchId};
use brimline::ipam::centralized::{
    Answer, CallId, Controller, Flavor, Input, Interface, Kind, NodeConfig, Output, PodKey, Request, Settings, State,
};
use brimline::openapi::Api;
use brimline::time::{Instant, Span};

/// Pods on each node at any time.
const PODS: u32 = 20;
/// Effective runs that are measured, about.
const RUNS: u64 = 3_000_000;
/// Pods that are replaced, about.
const REPLACED: u64 = 300_000;
/// Every call and every write takes this long.
const LATENCY: Span = Span::millis(200);
/// Time between the end of a pod and the report of its CNI DEL.
const REPORT: Span = Span::secs(2);

/// An ecs.g7.2xlarge with ACK's watermarks.
fn config() -> NodeConfig {
    NodeConfig::plain(Flavor::of(4, false, false), 15, (0, 5), vec![VSwitchId(0)])
}

/// What happens to the controller later.
enum Happening {
    Answer(CallId, Request),
    Written(CallId),
    Report(NodeId, Uid),
}

/// The controller, its clock, its cloud and its pods.
struct Bench {
    controller: Controller,
    nodes: u32,
    now: Instant,
    agenda: BTreeMap<(Instant, u64), Happening>,
    added: u64,
    interfaces: Vec<(NodeId, Interface)>,
    next_address: u32,
    pods: Vec<VecDeque<(PodKey, Uid)>>,
    next_pod: u32,
    bound: u64,
}

impl Bench {
    /// Nodes whose pods have their addresses, and which have come to rest.
    fn new(nodes: u32) -> Self {
        let settings = Settings { write_limit: None, rate_limit: [None; Api::ALL.len()], ..Settings::default() };
        let mut bench = Self {
            controller: Controller::new(settings, SmallStream::new(1)),
            nodes,
            now: Instant::ZERO,
            agenda: BTreeMap::new(),
            added: 0,
            interfaces: Vec::new(),
            next_address: 0x0a00_0001,
            pods: vec![VecDeque::new(); nodes as usize],
            next_pod: 0,
            bound: 0,
        };
        let config = Arc::new(config());
        for node in (0..nodes).map(NodeId) {
            bench.pass(Span(Span::mins(2).0 / u64::from(nodes)));
            bench.input(Input::Join(node, Arc::clone(&config)));
            for _ in 0..PODS {
                bench.add(node);
            }
        }
        bench.pass(Span::hours(1));
        assert_eq!(bench.bound, u64::from(nodes * PODS), "every pod has its address");
        bench
    }

    fn input(&mut self, input: Input) {
        self.controller.handle(self.now, input);
        while let Some(output) = self.controller.poll() {
            match output {
                Output::Call { call, at, request } => self.schedule(at + LATENCY, Happening::Answer(call, request)),
                Output::Write { call, at } => self.schedule(at + LATENCY, Happening::Written(call)),
                Output::Bound { .. } => self.bound += 1,
                Output::Stored(_) | Output::Freed { .. } => {}
            }
        }
    }

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.agenda.insert((at, self.added), happening);
        self.added += 1;
    }

    /// Lets simulated time pass.
    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            let next = self.agenda.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
            let tick = self.controller.poll_timeout();
            if next.min(tick) > end {
                self.now = end;
                return;
            }
            self.now = next.min(tick);
            if tick < next {
                self.input(Input::Tick);
                continue;
            }
            let (_, happening) = self.agenda.pop_first().expect("it was looked at");
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Answer(call, request) => {
                let answer = self.answer(request);
                self.input(Input::Reply(call, Ok(answer)));
            }
            Happening::Written(call) => self.input(Input::Written(call, true)),
            Happening::Report(node, uid) => {
                self.input(Input::Reported { node, uid });
                self.input(Input::Notify(node));
            }
        }
    }

    fn answer(&mut self, request: Request) -> Answer {
        let found = |found: Option<&(NodeId, Interface)>| {
            Answer::Interfaces(found.map(|(_, eni)| eni.clone()).into_iter().collect())
        };
        match request {
            Request::DescribeVSwitch(_) => Answer::VSwitch(60_000),
            Request::Create { node, vswitch, addresses, .. } => {
                let id = EniId::new(self.interfaces.len());
                let addresses = self.addresses(addresses);
                let (kind, state) = (Kind::Secondary, State::Available);
                let (prefixes, ipv6, ipv6_prefixes) = (Vec::new(), Vec::new(), Vec::new());
                let eni = Interface { id, vswitch, kind, state, addresses, prefixes, ipv6, ipv6_prefixes };
                self.interfaces.push((node, eni));
                Answer::Created(id)
            }
            Request::Attach(eni, _) => {
                self.interfaces[eni.index()].1.state = State::InUse;
                Answer::Done
            }
            Request::Assign(eni, n) => {
                let new = self.addresses(n);
                self.interfaces[eni.index()].1.addresses.extend(&new);
                Answer::Assigned(new)
            }
            Request::Unassign(eni, gone) => {
                self.interfaces[eni.index()].1.addresses.retain(|address| !gone.contains(address));
                Answer::Done
            }
            Request::Describe(eni) => found(self.interfaces.get(eni.index())),
            Request::DescribeInstance(node) => {
                let of_node = self.interfaces.iter().filter(|(of, eni)| *of == node && eni.state == State::InUse);
                Answer::Interfaces(of_node.map(|(_, eni)| eni.clone()).collect())
            }
            request => unreachable!("{request:?} is not for a pool that is never emptied"),
        }
    }

    fn addresses(&mut self, n: u32) -> Vec<Ipv4Addr> {
        let first = self.next_address;
        self.next_address += n;
        (first..self.next_address).map(Ipv4Addr::from).collect()
    }

    fn add(&mut self, node: NodeId) {
        let (pod, uid) = (PodKey(self.next_pod), Uid(self.next_pod));
        self.next_pod += 1;
        self.pods[node.index()].push_back((pod, uid));
        self.input(Input::Scheduled { node, pod, uid, erdma: false });
        self.input(Input::Notify(node));
    }

    /// The oldest pod of a node goes, another one comes.
    fn replace(&mut self, node: NodeId) {
        let (pod, uid) = self.pods[node.index()].pop_front().expect("the node has pods");
        self.input(Input::Gone { node, pod });
        self.schedule(self.now + REPORT, Happening::Report(node, uid));
        self.add(node);
    }

    fn runs(&self) -> u64 {
        (0..self.nodes).map(|node| self.controller.effective_runs(self.now, NodeId(node))).sum()
    }

    /// Nothing happens but the controller's own rounds.
    fn idle(&mut self) {
        let (before, span) = (self.runs(), Span(Span::mins(2).0 * RUNS / u64::from(self.nodes)));
        let seconds = seconds(|| self.pass(span));
        let runs = self.runs() - before;
        println!(
            "{} nodes at rest for {:.0} h: {:.0} ns per run, {:.0} ns per node and hour",
            self.nodes,
            span.as_secs_f64() / 3600.0,
            seconds * 1e9 / runs as f64,
            seconds * 1e9 / f64::from(self.nodes) / (span.as_secs_f64() / 3600.0),
        );
    }

    /// On each node, a pod is replaced every `period`.
    fn churn(&mut self, period: Span, replaced: u64) {
        let (before, bound) = (self.runs(), self.bound);
        let pause = Span(period.0 / u64::from(self.nodes));
        let seconds = seconds(|| {
            for i in 0..replaced {
                self.replace(NodeId((i % u64::from(self.nodes)) as u32));
                self.pass(pause);
            }
        });
        let events = (2 * replaced) as f64;
        println!(
            "{} nodes, a pod replaced every {:.0} s on each: {:.0} ns and {:.1} runs per pod that comes or goes",
            self.nodes,
            period.as_secs_f64(),
            seconds * 1e9 / events,
            (self.runs() - before) as f64 / events,
        );
        self.pass(Span::mins(10));
        assert_eq!(self.bound - bound, replaced, "every pod has its address");
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn seconds(what: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    what();
    start.elapsed().as_secs_f64()
}

fn main() {
    for nodes in [100, 5_000] {
        let mut bench = Bench::new(nodes);
        bench.idle();
        bench.churn(Span::secs(20), REPLACED);
        bench.churn(Span::mins(40), REPLACED / 10);
    }
}
