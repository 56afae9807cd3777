//! A swarm of random small worlds.
//!
//! Safety: every law of the world holds at any time, whatever happens. Liveness: once nothing
//! new happens, every pod that can get an address has one.

#[path = "swarm/runbook.rs"]
mod runbook;

use std::sync::Arc;

use brimline::chance::{SmallStream, SpanDist};
use brimline::id::VSwitchId;
use brimline::ipam::centralized::{Flavor, NodeConfig, Selection, Settings, WriteLimit};
use brimline::ipam::classic::{self, Defect, Sizes, Version, Wanted};
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::node_local::{self, EniSelection, Reclaim, VSwitchSelection};
use brimline::ipam::pod_eni::{self, Policy, Retention};
use brimline::ipam::{BATCH, Config, Devices};
use brimline::model::{
    AfterCrash, Behaviour, Concurrency, ControlPlane, CountDist, Crashes, Ensemble, Fault, Hpa, Interruptions, Ipam,
    Job, Kubelet, Load, Model, NodePool, Outputs, PodNetworking, PodTemplate, PoolSize, PoolZone, Portion, Quotas,
    Replacement, Replicas, Resources, Rollout, Schedule, Scoring, Shape, Strictness, Tenant, Times, Trace, TracePod,
    VSwitch, Vpc, Workload, WorkloadKind, ZoneOutage, ZoneSpread,
};
use brimline::openapi::ErrorCode;
use brimline::record::{Recording, StrandedReason};
use brimline::sim::{Progress, replicate, run, run_audited};
use brimline::time::{Instant, Span};
use rayon::prelude::*;

/// Draws a random world.
struct Dice(SmallStream, Kind);

/// Who allocates in a world.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    NodeLocal,
    /// The same, on nodes with a trunk, whose members pods of PodNetworkings have.
    LocalTrunk,
    /// Daemons of before v1.7.
    Classic,
    Centralized,
    /// Every pod has an interface of its own.
    Exclusive,
    /// The control plane, but for the addresses of prefixes.
    Prefixes,
    /// The control plane, on nodes with a trunk, whose members pods of PodNetworkings have.
    Trunk,
}

impl Dice {
    fn new(seed: u64) -> Self {
        let mut chance = SmallStream::new(seed);
        let kind = match chance.below(100) {
            0..37 => Kind::NodeLocal,
            37..45 => Kind::LocalTrunk,
            45..50 => Kind::Classic,
            50..75 => Kind::Centralized,
            75..82 => Kind::Exclusive,
            82..91 => Kind::Trunk,
            _ => Kind::Prefixes,
        };
        Self(chance, kind)
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
        let pools = (0..self.range(1, 2)).map(|i| self.pool(i, &vpc, zones, within, quiet)).collect::<Vec<_>>();
        let pod_networkings = self.pod_networkings(&vpc);
        let workloads = (0..self.range(1, 3)).map(|i| self.workload(i, pools.len(), &pod_networkings, within, quiet));
        let workloads = workloads.collect();
        let plain = Model::plain("swarm", horizon, vpc);
        let mut model = Model {
            seed: u64::from(self.range(0, u32::MAX - 1)),
            replications: 2,
            ipam: self.ipam(),
            pod_networkings,
            node_pools: pools,
            workloads,
            cloud: self.cloud(quiet, within),
            zone_outages: self.outages(zones, within),
            control_plane: ControlPlane {
                scoring: self.pick(&[Scoring::LeastAllocated, Scoring::MostAllocated]),
                ..ControlPlane::default()
            },
            kubelet: Kubelet { teardown: self.span(Span::secs(20)), ..plain.kubelet },
            outputs: Outputs { samples: 20, pods: true, events: true, parquet: false },
            ..plain
        };
        if self.chance(60) {
            self.actions(&mut model, zones, within, quiet);
        }
        model
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

    fn pool(&mut self, i: u32, vpc: &Vpc, zones: usize, within: Span, quiet: bool) -> NodePool {
        let limits = InstanceLimits {
            adapters: self.range(2, 5),
            ipv4_per_adapter: self.range(1, 14),
            ..InstanceLimits::default()
        };
        let of_zone = |zone: usize| (zone..vpc.vswitches.len()).step_by(zones).map(VSwitchId::new).collect::<Vec<_>>();
        let zones: Vec<_> = (0..zones)
            .map(|zone| PoolZone {
                zone: format!("zone-{zone}"),
                node_vswitch: self.pick(&of_zone(zone)),
                daemon: self.daemon(limits, of_zone(zone), quiet),
            })
            .collect();
        let max_pods = if self.1 == Kind::Exclusive { limits.exclusive_eni_pods() } else { limits.multi_ip_pods() };
        let shape = Shape {
            max_pods,
            allocatable: self.pick(&[Resources::UNBOUNDED, Resources { cpu_milli: 4000, memory_mib: 8000 }]),
            ..Shape::plain("random", limits, zones)
        };
        let mut other = shape.clone();
        other.allocatable.cpu_milli /= 2;
        let size = match self.range(0, 2) {
            0 => PoolSize::Autoscaled { initial: self.range(0, 4), min: self.range(0, 2), max: self.range(4, 9) },
            _ => PoolSize::Scheduled(self.steps(8, within)),
        };
        NodePool {
            name: format!("pool-{i}"),
            shapes: if self.chance(30) { vec![shape, other] } else { vec![shape] },
            size,
            provisioning: SpanDist::Uniform(Span::ZERO, Span::mins(u64::from(self.range(0, 6)))),
            replacement: self.chance(30).then(|| Replacement {
                at: self.times(within),
                max_surge: self.portion(),
                max_unavailable: self.portion(),
            }),
            interruptions: (!quiet && self.chance(20)).then(|| Interruptions {
                every: Span::mins(u64::from(self.range(60, 600))),
                notice: Span::mins(u64::from(self.range(0, 5))),
            }),
            crashes: (!quiet && self.chance(30)).then(|| Crashes {
                every: Span::mins(u64::from(self.range(60, 600))),
                then: {
                    let after = SpanDist::log_normal(Span::mins(u64::from(self.range(1, 20))), Span::mins(40));
                    if self.chance(60) { AfterCrash::Reboot(after) } else { AfterCrash::Release(after) }
                },
            }),
        }
    }

    /// Some moments within `within`.
    fn times(&mut self, within: Span) -> Times {
        let mut at: Vec<_> = (0..self.range(0, 3)).map(|_| Instant::ZERO + within.mul_f64(self.0.unit())).collect();
        at.sort_unstable();
        at.dedup();
        Times::At(at)
    }

    fn portion(&mut self) -> Portion {
        if self.chance(50) { Portion::Count(self.range(0, 3)) } else { Portion::Share(self.0.unit()) }
    }

    fn rollout(&mut self, within: Span) -> Option<Rollout> {
        self.chance(40).then(|| Rollout {
            at: self.times(within),
            max_surge: self.portion(),
            max_unavailable: self.portion(),
        })
    }

    /// Usually short, sometimes long.
    fn span(&mut self, most: Span) -> SpanDist {
        let median = most.mul_f64(0.01 + 0.2 * self.0.unit());
        if self.chance(30) { SpanDist::Constant(Span::ZERO) } else { SpanDist::log_normal(median, most) }
    }

    fn outages(&mut self, zones: usize, within: Span) -> Vec<ZoneOutage> {
        if !self.chance(25) {
            return Vec::new();
        }
        let zone = format!("zone-{}", self.range(0, zones as u32 - 1));
        let at = Instant::ZERO + within.mul_f64(0.7 * self.0.unit());
        vec![ZoneOutage { zone, at, lasts: within.mul_f64(0.01 + 0.25 * self.0.unit()) }]
    }

    fn faults(&mut self, within: Span) -> Vec<Fault> {
        let mut faults: Vec<_> = (0..self.range(0, 2))
            .map(|_| {
                let from = Instant::ZERO + within.mul_f64(0.8 * self.0.unit());
                Fault {
                    apis: std::array::from_fn(|_| self.chance(50)),
                    from,
                    to: from + within.mul_f64(0.2 * self.0.unit()),
                    fail: self.pick(&[0.0, 0.3, 1.0]),
                    code: self.pick(&[ErrorCode::Internal, ErrorCode::Throttling]),
                    slow: self.pick(&[1.0, 5.0, 60.0]),
                }
            })
            .collect();
        faults.sort_by_key(|fault| fault.from);
        faults
    }

    /// The control plane: quick to look again, so that a small world sees much of it.
    fn ipam(&mut self) -> Ipam {
        if self.1 == Kind::Classic {
            return Ipam::Classic(Version::default());
        }
        if !matches!(self.1, Kind::Centralized | Kind::Prefixes | Kind::Trunk) {
            return Ipam::NodeLocal;
        }
        Ipam::Centralized(Box::new(Settings {
            workers: self.pick(&[1, 3, 500]),
            vswitch_ttl: self.pick(&[Span::mins(1), Span::mins(20)]),
            full_sync_period: self.pick(&[Span::mins(10), Span::hours(12)]),
            write_limit: Some(WriteLimit { per_second: self.pick(&[0.5, 20.0]), burst: self.range(1, 30) }),
            ..Settings::default()
        }))
    }

    fn daemon(&mut self, limits: InstanceLimits, vswitches: Vec<VSwitchId>, quiet: bool) -> Config {
        match self.1 {
            Kind::NodeLocal | Kind::LocalTrunk => self.node_local(limits, vswitches).into(),
            Kind::Classic => self.classic(limits, vswitches).into(),
            Kind::Centralized | Kind::Prefixes | Kind::Trunk => self.centralized(limits, vswitches, quiet).into(),
            Kind::Exclusive => {
                let (slots, polls) = (limits.exclusive_eni_pods(), self.chance(50));
                pod_eni::NodeConfig { slots, vswitches, polls, kube_client: self.kube_client() }.into()
            }
        }
    }

    fn kube_client(&mut self) -> KubeClient {
        match self.chance(30) {
            true => KubeClient::UNLIMITED,
            false => KubeClient { period: self.millis(50, 1500), burst: self.range(1, 12), patches: self.chance(80) },
        }
    }

    fn reclaim(&mut self) -> Option<Reclaim> {
        self.chance(40).then(|| Reclaim {
            after: Span::mins(u64::from(self.range(1, 40))),
            interval: Span::mins(u64::from(self.range(1, 20))),
            batch: self.range(1, 6),
            factor: 0.1,
        })
    }

    /// A minimum above the maximum orders and gives back for ever (C103): no `quiet` world has one.
    fn centralized(&mut self, limits: InstanceLimits, vswitches: Vec<VSwitchId>, quiet: bool) -> NodeConfig {
        let trunk = self.1 == Kind::Trunk || self.chance(20);
        let flavor = Flavor::of(limits.adapters, trunk, self.chance(10));
        let takes_prefixes;
        let mut config = NodeConfig {
            flavor,
            devices: Devices {
                members: if self.1 == Kind::Trunk { self.range(0, 8) } else { 0 },
                enis: 0,
                rdma: if flavor.has_erdma() { limits.ipv4_per_adapter } else { 0 },
            },
            ips_per_eni: limits.ipv4_per_adapter,
            min_idle: self.range(0, 12),
            max_idle: self.range(0, 20),
            warm_up: self.pick(&[0, 0, 7, 30]),
            sync_period: self.pick(&[None, Some(Span::secs(20))]),
            reclaim: self.reclaim(),
            prefix_mode: {
                takes_prefixes = self.1 == Kind::Prefixes || self.1 == Kind::Trunk && self.chance(20);
                takes_prefixes
            },
            prefix_count: if takes_prefixes { self.range(0, 9) } else { 0 },
            both_or_none: false,
            vswitches,
            selection: self.pick(&[Selection::Most, Selection::Random]),
            dual: self.chance(25),
            kube_client: self.kube_client(),
        };
        config.both_or_none = config.dual;
        if quiet {
            config.min_idle = config.min_idle.min(config.max_idle);
        }
        config
    }

    /// With every defect that is not for good: a deadlock ends with a restart only.
    fn classic(&mut self, limits: InstanceLimits, vswitches: Vec<VSwitchId>) -> classic::Config {
        let mut profile = self.pick(&Version::ALL).profile();
        profile.defects = profile.defects.with(Defect::RollbackDeadlock, false);
        let wanted = Wanted {
            min_pool_size: self.range(0, 12),
            max_pool_size: self.range(0, 20),
            min_eni: 0,
            max_eni: self.range(0, 3),
        };
        classic::Config {
            sizes: Sizes::clamped(&profile, limits.adapters - 1, limits.ipv4_per_adapter, wanted),
            vswitches,
            selection: self.pick(&[classic::Selection::Ordered, classic::Selection::Random]),
            cni_timeout: Span::secs(120),
            gc_period: Some(Span::mins(5)),
            limited: self.chance(80),
            profile,
        }
    }

    fn node_local(&mut self, limits: InstanceLimits, vswitches: Vec<VSwitchId>) -> node_local::Config {
        let capacity = (limits.adapters - 1) * limits.ipv4_per_adapter;
        let max_idle = self.range(0, 20).min(capacity);
        let idle = (self.range(0, 12), max_idle);
        node_local::Config {
            trunk: (self.1 == Kind::LocalTrunk).then(|| node_local::Trunk { members: self.range(0, 8) }),
            sync_period: self.pick(&[None, Some(Span::secs(120)), Some(Span::secs(20))]),
            eni_selection: self.pick(&[EniSelection::MostIps, EniSelection::LeastIps]),
            vswitch_selection: self.pick(&[VSwitchSelection::Most, VSwitchSelection::Random]),
            reclaim: self.reclaim(),
            gc_period: self.pick(&[None, Some(Span::mins(5))]),
            confirm_delete: self.chance(80),
            dual: self.chance(25),
            kube_client: self.kube_client(),
            ..node_local::Config::plain((limits.adapters - 1, limits.ipv4_per_adapter), idle, vswitches)
        }
    }

    /// Some, if there are trunks; the first of them may hold addresses, for a while that a run sees the end
    /// of or for ever.
    fn pod_networkings(&mut self, vpc: &Vpc) -> Vec<PodNetworking> {
        let kind = match self.1 {
            Kind::Trunk | Kind::LocalTrunk => pod_eni::Kind::Member,
            Kind::Exclusive => pod_eni::Kind::Exclusive,
            _ => return Vec::new(),
        };
        let networking = |i: u32| {
            let mut vswitches: Vec<_> = (0..vpc.vswitches.len()).map(VSwitchId::new).collect();
            vswitches.rotate_left(self.range(0, 3) as usize % vpc.vswitches.len());
            vswitches.truncate(self.range(1, 4) as usize);
            let after = Retention::After(Span::mins(u64::from(self.range(0, 90))));
            PodNetworking {
                name: format!("networking-{i}"),
                kind,
                vswitches,
                policy: self.pick(&[Policy::Ordered, Policy::Random, Policy::Most]),
                fixed: (i == 0 && self.chance(80)).then(|| self.pick(&[after, after, Retention::Forever])),
            }
        };
        (0..2).map(networking).collect()
    }

    /// The PodNetworkings of a workload, if it may have some; more often fixed ones where that can be. Pods of others on
    /// the same exclusive nodes may leave none for the second interfaces of pods.
    fn pod_networkings_of(&mut self, kind: &WorkloadKind, all: &[PodNetworking], quiet: bool) -> Vec<usize> {
        let fixed = matches!(kind, WorkloadKind::StatefulSet { .. });
        let may = !all.is_empty() && !matches!(kind, WorkloadKind::DaemonSet { .. }) && self.chance(60);
        if !may {
            return Vec::new();
        }
        let one = if all[0].fixed.is_none() || fixed && self.chance(75) { 0 } else { 1 };
        let several = self.chance(30) && !(quiet && self.1 == Kind::Exclusive);
        vec![one; if several { self.range(2, 4) as usize } else { 1 }]
    }

    fn workload(&mut self, i: u32, pools: usize, networkings: &[PodNetworking], within: Span, quiet: bool) -> Workload {
        let kind = match self.range(0, 9) {
            0 => WorkloadKind::DaemonSet { rollout: self.rollout(within) },
            1 | 2 => WorkloadKind::StatefulSet {
                replicas: self.steps(20, within),
                parallel: self.chance(50),
                updates: self.chance(50).then(|| self.times(within)),
            },
            3 => WorkloadKind::Job { at: self.times(within), job: self.job(), concurrency: self.concurrency() },
            4 => WorkloadKind::Arrivals {
                per_hour: self.steps(if quiet { 0 } else { 200 }, within),
                group: self.pick(&[CountDist::Constant(2), CountDist::Geometric { mean: 3.0 }]),
            },
            5 => WorkloadKind::Trace(self.trace(within)),
            6 => WorkloadKind::Deployment { replicas: Replicas::Autoscaled(self.hpa(within)), rollout: None },
            _ => WorkloadKind::Deployment {
                replicas: Replicas::Scheduled(self.steps(120, within)),
                rollout: self.rollout(within),
            },
        };
        let of_work = matches!(kind, WorkloadKind::Arrivals { .. } | WorkloadKind::Job { .. });
        let lives = SpanDist::log_normal(Span::mins(u64::from(self.range(1, 90))), Span::hours(4));
        let pod_networkings = self.pod_networkings_of(&kind, networkings, quiet);
        let pod = PodTemplate {
            host_network: pod_networkings.is_empty() && self.chance(5),
            pod_networkings,
            lifetime: (of_work || (!quiet && self.chance(70))).then_some(lives),
            erdma: self.1 == Kind::Centralized && self.chance(10),
            safe_to_evict: self.chance(90),
            requests: if self.chance(50) {
                Resources::default()
            } else {
                Resources { cpu_milli: self.range(0, 900), memory_mib: self.range(0, 900) }
            },
            zone_spread: self.chance(20).then(|| ZoneSpread {
                max_skew: self.range(1, 3),
                strictness: self.pick(&[Strictness::Required, Strictness::Preferred]),
            }),
            anti_affinity: self.chance(15).then(|| self.pick(&[Strictness::Required, Strictness::Preferred])),
            readiness: self.span(Span::mins(5)),
            termination: self.span(Span::mins(2)),
        };
        let all = self.chance(70);
        let node_pools = if all { (0..pools).collect() } else { vec![self.range(0, pools as u32 - 1) as usize] };
        Workload { pod, ..Workload::plain(&format!("work-{i}"), kind, node_pools) }
    }

    fn job(&mut self) -> Job {
        Job {
            parallelism: self.range(1, 30),
            completions: self.range(1, 60),
            duration: SpanDist::log_normal(Span::mins(u64::from(self.range(1, 30))), Span::hours(1)),
            backoff_limit: self.range(0, 60),
        }
    }

    fn concurrency(&mut self) -> Concurrency {
        self.pick(&[Concurrency::Allow, Concurrency::Forbid, Concurrency::Replace])
    }

    fn trace(&mut self, within: Span) -> Trace {
        if self.chance(40) {
            let points = (0..10).map(|i| (Instant::ZERO + within.mul_f64(f64::from(i) / 10.0), self.range(0, 60)));
            let points = Arc::new(points.collect());
            return Trace::Counts { points, lifetime: SpanDist::Exponential(Span::mins(60)) };
        }
        let mut pods: Vec<_> = (0..self.range(1, 60))
            .map(|_| {
                let arrive = Instant::ZERO + within.mul_f64(self.0.unit());
                let requests = Resources { cpu_milli: self.range(0, 2000), memory_mib: 0 };
                TracePod { arrive, depart: arrive + within.mul_f64(self.0.unit()), requests }
            })
            .collect();
        pods.sort_by_key(|pod| pod.arrive);
        Trace::Pods(Arc::new(pods))
    }

    fn hpa(&mut self, within: Span) -> Hpa {
        Hpa {
            min: self.range(0, 3),
            max: self.range(3, 60),
            target: 0.2 + 0.7 * self.0.unit(),
            load: Load {
                base: self.steps(20, within),
                daily: 0.0,
                peak: Span::hours(12),
                weekend: 1.0,
                noise: self.pick(&[0.0, 0.1]),
            },
            sync_period: Span::secs(15),
            tolerance: 0.1,
            stabilization_down: Span::mins(5),
        }
    }

    fn cloud(&mut self, quiet: bool, within: Span) -> Behaviour {
        let mut quota = |low, high| (!quiet && self.chance(10)).then(|| u64::from(self.range(low, high)));
        let quotas = Quotas {
            security_group_addresses: quota(20, 200),
            vpc_addresses: quota(20, 200),
            enis_per_region: quota(3, 20),
        };
        Behaviour {
            latency: std::array::from_fn(|_| {
                let median = self.millis(20, 2000);
                SpanDist::log_normal(median, median.mul_f64(1.0 + 6.0 * self.0.unit()))
            }),
            throttle: std::array::from_fn(|_| (!quiet && self.chance(10)).then(|| self.range(1, 40))),
            metadata_lag: self.metadata_lag(quiet),
            quotas,
            faults: if quiet { Vec::new() } else { self.faults(within) },
        }
    }

    /// The classic daemon takes an address for one that it has still if instance metadata shows it 12 s
    /// after it was given back, and hands it to the next pod (rule P87): no law holds there.
    fn metadata_lag(&mut self, quiet: bool) -> Span {
        let lag = if quiet { Span::ZERO } else { self.pick(&[Span::ZERO, Span::millis(1500), Span::secs(12)]) };
        if self.1 == Kind::Classic { lag.min(Span::secs(5)) } else { lag }
    }
}

/// How many worlds are tried: `default`, or what `BRIMLINE_SWARM` says (many, once, by hand).
#[allow(clippy::disallowed_methods, reason = "how long to test is no part of a run")]
fn worlds(default: u64) -> u64 {
    std::env::var("BRIMLINE_SWARM").map_or(default, |text| text.parse().expect("BRIMLINE_SWARM is a number of worlds"))
}

/// Tries a property on many worlds, or on the one that `BRIMLINE_WORLD` names, and names the seeds of those
/// in which it fails.
#[allow(clippy::disallowed_methods, reason = "what to test is no part of a run")]
fn on_worlds(count: u64, quiet: bool, property: impl Fn(&Model) + Sync) {
    let one =
        std::env::var("BRIMLINE_WORLD").map(|text| text.parse().expect("BRIMLINE_WORLD is the number of a world"));
    let seeds = one.map_or(0..count, |seed: u64| seed..seed + 1);
    let failed: Vec<_> = seeds
        .into_par_iter()
        .filter_map(|seed| {
            let model = Dice::new(seed).model(quiet);
            let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| property(&model)));
            tried.err().map(|panic| {
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                (seed, Dice::new(seed).1, text.or_else(|| panic.downcast_ref::<String>().cloned()))
            })
        })
        .collect();
    assert!(failed.is_empty(), "seed and reason: {failed:#?}");
}

/// An address has one owner, the books of cloud, daemons and recorder agree, and nothing exceeds
/// its limits, at any time; and looking at a world, as an audit does, does not change it.
#[test]
fn safety_every_law_holds_at_any_time() {
    on_worlds(worlds(1000), false, |model| {
        let recording = run_audited(model, 0, Span::secs(20));
        assert_same(&recording, &run(model, 0, &Progress::default()));
        let pods = &recording.pods;
        assert_eq!(pods.requested, pods.served + pods.gave_up + u64::from(pods.waiting_at_end), "pods are conserved");
        assert_eq!(pods.served, pods.wait_ms.len(), "every wait is counted");
        let never = pods.gave_up + u64::from(pods.waiting_at_end);
        assert_eq!(never, pods.unserved_ms.len(), "and every one that did not end well");
        recording.actions.iter().for_each(runbook::check);
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
    on_worlds(worlds(1000), true, |model| {
        let recording = run_audited(model, 0, Span::mins(10));
        // A pod asks for as many at a time as it has networks.
        let networks = model.workloads.iter().map(|workload| workload.pod.pod_networkings.len()).max();
        let many = BATCH * networks.unwrap_or(0).max(1);
        let reachable = recording.stranded.iter().filter(|stranded| {
            stranded.addresses as usize >= many
                && !matches!(
                    stranded.reason,
                    StrandedReason::NoFreeEniSlot
                        | StrandedReason::NotConfigured
                        | StrandedReason::TooFewBlocks
                        | StrandedReason::NoBlock
                )
        });
        assert_eq!(reachable.count(), 0, "{:?}, {:?}", recording.stranded, recording.pods);
    });
}

/// The same model and seed give the same recordings, whatever the number of threads.
#[test]
fn determinism_threads_change_nothing() {
    on_worlds(20, false, |model| {
        let ensemble = Ensemble::certain(model.clone());
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            pool.install(|| replicate(&ensemble, 0..model.replications, &Progress::default()))
        };
        run(1).iter().zip(&run(2)).for_each(|(one, two)| assert_same(one, two));
    });
}

/// Names the first line in which recordings differ: their texts are long.
fn assert_same(a: &Recording, b: &Recording) {
    if a == b {
        return;
    }
    let (a, b) = (format!("{a:#?}"), format!("{b:#?}"));
    let (a, b): (Vec<_>, Vec<_>) = (a.lines().collect(), b.lines().collect());
    let n = a.iter().zip(&b).position(|(a, b)| a != b).expect("what differs shows");
    panic!("line {n}: {} or {}, in\n{}", a[n], b[n], a[n.saturating_sub(25)..n].join("\n"));
}
