//! A swarm of random small worlds.
//!
//! Safety: every law of the world holds at any time, whatever happens. Liveness: once nothing
//! new happens, every pod that can get an address has one.

use brimline::chance::{SmallStream, SpanDist};
use brimline::id::VSwitchId;
use brimline::ipam::BATCH;
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::node_local::{Config, EniSelection, Reclaim, VSwitchSelection};
use brimline::model::{
    Cloud, Fault, Model, NodePool, Outputs, PodTemplate, PoolZone, Quotas, Schedule, Shape, Tenant, VSwitch, Vpc,
    Workload, WorkloadKind,
};
use brimline::openapi::ErrorCode;
use brimline::record::{Recording, StrandedReason};
use brimline::sim::{Progress, replicate, run_audited};
use brimline::time::{Instant, Span};
use rayon::prelude::*;

/// Draws a random world.
struct Dice(SmallStream);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(SmallStream::new(seed))
    }

    /// A whole number from `low` to `high`.
    fn range(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.below(high - low + 1)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.0.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.below(of.len() as u32) as usize]
    }

    fn millis(&mut self, low: u32, high: u32) -> Span {
        Span::millis(u64::from(self.range(low, high)))
    }

    /// A number of things that jumps a few times within `within`.
    fn steps(&mut self, most: u32, within: Span) -> Schedule {
        let jumps = self.range(0, 4);
        let mut at: Vec<_> = (0..jumps).map(|_| within.mul_f64(self.0.unit())).collect();
        at.sort_unstable();
        at.dedup();
        let first = (Instant::ZERO, f64::from(self.range(0, most)));
        let rest = at.into_iter().map(|at| (Instant::ZERO + at, f64::from(self.range(0, most))));
        Schedule::Steps(std::iter::once(first).chain(rest.filter(|&(at, _)| at > Instant::ZERO)).collect())
    }

    /// A world in which everything may go wrong; with `quiet` its changes end after a third of
    /// the horizon, and the cloud refuses nothing that it has.
    fn model(&mut self, quiet: bool) -> Model {
        let horizon = Span::hours(if quiet { 12 } else { u64::from(self.range(2, 12)) });
        let within = if quiet { horizon.mul_f64(0.3) } else { horizon };
        let zones = self.range(1, 2) as usize;
        let vpc = self.vpc(zones, within, quiet);
        let pools = (0..self.range(1, 2)).map(|i| self.pool(i, &vpc, zones, within)).collect::<Vec<_>>();
        let workloads = (0..self.range(1, 3)).map(|i| self.workload(i, pools.len(), within, quiet)).collect();
        Model {
            seed: u64::from(self.range(0, u32::MAX - 1)),
            replications: 2,
            node_pools: pools,
            workloads,
            cloud: self.cloud(quiet),
            outputs: Outputs { samples: 20, pods: true, events: true },
            ..Model::plain("swarm", horizon, vpc)
        }
    }

    fn vpc(&mut self, zones: usize, within: Span, quiet: bool) -> Vpc {
        let count = zones as u32 * self.range(1, 2);
        let vswitches = (0..count).map(|i| {
            let prefix = self.range(23, 28);
            let addresses =
                if quiet { Schedule::Constant(f64::from(self.range(0, 9))) } else { self.steps(60, within) };
            VSwitch {
                tenants: vec![Tenant { name: "others".to_owned(), addresses }],
                ..VSwitch::plain(
                    &format!("vsw-{i}"),
                    &format!("zone-{}", i as usize % zones),
                    &format!("10.0.{}.0/{prefix}", 4 * i),
                )
            }
        });
        Vpc { vswitches: vswitches.collect(), cidr: "10.0.0.0/16".parse().expect("a block") }
    }

    fn pool(&mut self, i: u32, vpc: &Vpc, zones: usize, within: Span) -> NodePool {
        let limits = InstanceLimits {
            adapters: self.range(2, 5),
            ipv4_per_adapter: self.range(1, 14),
            ..InstanceLimits::default()
        };
        let of_zone = |zone: usize| (zone..vpc.vswitches.len()).step_by(zones).map(VSwitchId::new).collect::<Vec<_>>();
        let zones = (0..zones).map(|zone| PoolZone {
            zone: format!("zone-{zone}"),
            node_vswitch: self.pick(&of_zone(zone)),
            daemon: self.daemon(limits, of_zone(zone)),
        });
        let shape = Shape::plain("random", limits, zones.collect());
        NodePool::plain(&format!("pool-{i}"), shape, self.steps(8, within))
    }

    fn daemon(&mut self, limits: InstanceLimits, vswitches: Vec<VSwitchId>) -> Config {
        let capacity = (limits.adapters - 1) * limits.ipv4_per_adapter;
        let max_idle = self.range(0, 20).min(capacity);
        let idle = (self.range(0, 12), max_idle);
        Config {
            sync_period: self.pick(&[None, Some(Span::secs(120)), Some(Span::secs(20))]),
            eni_selection: self.pick(&[EniSelection::MostIps, EniSelection::LeastIps]),
            vswitch_selection: self.pick(&[VSwitchSelection::Most, VSwitchSelection::Random]),
            reclaim: self.chance(40).then(|| Reclaim {
                after: Span::mins(u64::from(self.range(1, 40))),
                interval: Span::mins(u64::from(self.range(1, 20))),
                batch: self.range(1, 6),
                factor: 0.1,
            }),
            gc_period: self.pick(&[None, Some(Span::mins(5))]),
            confirm_delete: self.chance(80),
            ..Config::plain((limits.adapters - 1, limits.ipv4_per_adapter), idle, vswitches)
        }
    }

    fn workload(&mut self, i: u32, pools: usize, within: Span, quiet: bool) -> Workload {
        let kind = match self.range(0, 5) {
            0 => WorkloadKind::DaemonSet { rollout: None },
            1 => WorkloadKind::StatefulSet { replicas: self.steps(20, within), parallel: true, updates: None },
            _ => WorkloadKind::deployment(self.steps(120, within)),
        };
        let lives = SpanDist::log_normal(Span::mins(u64::from(self.range(1, 90))), Span::hours(4));
        let pod = PodTemplate {
            lifetime: (!quiet && self.chance(70)).then_some(lives),
            host_network: self.chance(5),
            ..PodTemplate::default()
        };
        let all = self.chance(70);
        let node_pools = if all { (0..pools).collect() } else { vec![self.range(0, pools as u32 - 1) as usize] };
        Workload { pod, ..Workload::plain(&format!("work-{i}"), kind, node_pools) }
    }

    fn cloud(&mut self, quiet: bool) -> Cloud {
        let mut quota = |low, high| (!quiet && self.chance(10)).then(|| u64::from(self.range(low, high)));
        let quotas = Quotas {
            security_group_addresses: quota(20, 200),
            vpc_addresses: quota(20, 200),
            enis_per_region: quota(3, 20),
        };
        Cloud {
            latency: std::array::from_fn(|_| {
                let median = self.millis(20, 2000);
                SpanDist::log_normal(median, median.mul_f64(1.0 + 6.0 * self.0.unit()))
            }),
            throttle: std::array::from_fn(|_| (!quiet && self.chance(10)).then(|| self.range(1, 40))),
            metadata_lag: if quiet { Span::ZERO } else { self.pick(&[Span::ZERO, Span::millis(1500), Span::secs(12)]) },
            quotas,
            faults: if quiet { Vec::new() } else { (0..self.range(0, 3)).map(|_| self.fault()).collect() },
        }
    }

    /// A time of trouble within the first hours.
    fn fault(&mut self) -> Fault {
        let from = Instant::ZERO + Span::mins(u64::from(self.range(0, 300)));
        Fault {
            apis: std::array::from_fn(|_| self.chance(40)),
            from,
            to: from + Span::mins(u64::from(self.range(1, 120))),
            fail: self.pick(&[0.0, 0.2, 1.0]),
            code: self.pick(&[ErrorCode::Internal, ErrorCode::Throttling]),
            slow: self.pick(&[1.0, 5.0, 100.0]),
        }
    }
}

/// Tries a property on many worlds, and names the seeds of those in which it fails.
fn on_worlds(count: u64, quiet: bool, property: impl Fn(&Model) + Sync) {
    let failed: Vec<_> = (0..count)
        .into_par_iter()
        .filter_map(|seed| {
            let model = Dice::new(seed).model(quiet);
            let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| property(&model)));
            tried.err().map(|panic| {
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                (seed, text.or_else(|| panic.downcast_ref::<String>().cloned()))
            })
        })
        .collect();
    assert!(failed.is_empty(), "seed and reason: {failed:#?}");
}

/// An address has one owner, the books of cloud, daemons and recorder agree, and nothing exceeds
/// its limits, at any time.
#[test]
fn safety_every_law_holds_at_any_time() {
    on_worlds(300, false, |model| {
        let recording = run_audited(model, 0, Span::secs(20));
        let pods = &recording.pods;
        assert_eq!(pods.requested, pods.served + pods.gave_up + u64::from(pods.waiting_at_end), "pods are conserved");
        assert_eq!(pods.served, pods.wait_ms.len(), "every wait is counted");
        let quotas = &model.cloud.quotas;
        let on_enis: u32 = recording.vswitches.iter().map(|v| v.end.pods + v.end.idle).sum();
        assert!(quotas.security_group_addresses.is_none_or(|most| u64::from(on_enis) <= most));
        let enis: u32 = recording.groups.iter().map(|group| group.end.enis).sum();
        assert!(quotas.enis_per_region.is_none_or(|most| u64::from(enis) <= most));
    });
}

/// Once nothing new happens a pod waits only for good reasons: no vSwitch that its node can
/// reach has as many addresses as a batch asks for.
#[test]
fn liveness_every_pod_that_can_get_an_address_gets_one() {
    on_worlds(300, true, |model| {
        let recording = run_audited(model, 0, Span::mins(10));
        let reachable = recording.stranded.iter().filter(|stranded| {
            stranded.addresses as usize >= BATCH
                && !matches!(stranded.reason, StrandedReason::NoFreeEniSlot | StrandedReason::NotConfigured)
        });
        assert_eq!(reachable.count(), 0, "{:?}, {:?}", recording.stranded, recording.pods);
    });
}

/// The same model and seed give the same recordings, whatever the number of threads, and looking
/// at a world does not change it.
#[test]
fn determinism_threads_and_audits_change_nothing() {
    let text = |recordings: &[Recording]| format!("{recordings:#?}");
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("a pool of threads");
    for seed in 1000..1020 {
        let model = Dice::new(seed).model(false);
        let run = |n| threads(n).install(|| replicate(&model, &Progress::default()));
        let one = run(1);
        assert_same(&text(&one), &text(&run(2)), seed);
        assert_same(&text(&one[..1]), &text(&[run_audited(&model, 0, Span::secs(7))]), seed);
    }
}

/// Compares line by line: the texts are long.
fn assert_same(a: &str, b: &str, seed: u64) {
    for (n, (a, b)) in a.lines().zip(b.lines()).enumerate() {
        assert_eq!(a, b, "seed {seed}, line {n}");
    }
    assert_eq!(a.len(), b.len(), "seed {seed}");
}
