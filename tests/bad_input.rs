//! What users see when a scenario is wrong: small edits of a good one, and every error with its
//! file, line, column, text and hint. The messages stand in `bad_input.txt`.

use std::fmt::Write;
use std::path::Path;

use brimline::chance::SmallStream;
use brimline::scenario::{describe, load, load_text};

/// A good scenario.
const GOOD: &str = "\
name: base
horizon: 30d
vpc:
  cidr: 10.0.0.0/8
  vswitches:
    - {id: vsw-nodes, zone: cn-hangzhou-j, cidr: 10.0.0.0/20}
    - {id: vsw-pods, zone: cn-hangzhou-j, cidr: 10.1.0.0/19, used: 12}
terway:
  eni_config:
    max_pool_size: 5
    min_pool_size: 0
    vswitches: {cn-hangzhou-j: [vsw-pods]}
node_pools:
  - name: default
    instance_type: ecs.g7.2xlarge
    zones: [cn-hangzhou-j]
    node_vswitch: vsw-nodes
    nodes: 10
workloads:
  - name: web
    deployment: {replicas: 100}
    lifetime: 2d
";

/// What is changed, and into what.
type Edit = (&'static str, &'static str);

/// A PodNetworking on the vSwitch of the pods; centralized IPAM; a trunk on every node.
const NETWORKING: Edit = ("eni_config:", "pod_networkings: [{name: own, vSwitchOptions: [vsw-pods]}]\n  eni_config:");
const CENTRALIZED: Edit = ("terway:", "terway:\n  ipam: centralized");
const TRUNK: Edit = ("min_pool_size: 0", "min_pool_size: 0\n    enable_eni_trunking: true");

/// A Terway of before v1.7.
const VERSION: Edit = ("terway:", "terway:\n  version: v1.4.4");

/// Every bad input: what it shows, and its edits of the good scenario.
const BAD: &[(&str, &[Edit])] = &[
    ("percentages without sign", &[("{replicas: 100}", "{replicas: 100, rollout: {every: 7d, max_surge: 0.25}}")]),
    (
        "percentages without sign, whole",
        &[("{replicas: 100}", "{replicas: {hpa: {max: 9, target: 60, load: {base: 5, daily: 40 %}}}}")],
    ),
    ("no YAML", &[("vpc:\n", "vpc: [\n")]),
    ("an empty file", &[(GOOD, "")]),
    ("a list", &[(GOOD, "- a\n- b\n")]),
    ("two documents", &[("workloads:", "---\nworkloads:")]),
    ("an unknown key", &[("horizon:", "horizont:")]),
    ("an unknown key that is near to nothing", &[("name: base", "name: base\nxyz: 1")]),
    ("a key twice", &[("name: base", "name: base\nname: other")]),
    ("a key without value", &[("horizon: 30d", "horizon:")]),
    ("a missing key", &[("cidr: 10.1.0.0/19, ", "")]),
    ("a section that is no mapping", &[("{replicas: 100}", "100")]),
    ("a list that is none", &[("zones: [cn-hangzhou-j]", "zones: cn-hangzhou-j")]),
    ("a number where text belongs", &[("name: web", "name: 7")]),
    ("a name that is no folder", &[("name: base", "name: ../base")]),
    ("a duration without unit", &[("30d", "30")]),
    (
        "exclusive interfaces in a zone without a list",
        &[
            ("vswitches: {cn-hangzhou-j: [vsw-pods]}", "vswitches: {}"),
            ("    nodes: 10", "    nodes: 10\n    exclusive_eni: true"),
        ],
    ),
    ("a duration that varies", &[("30d", "1mo")]),
    ("a horizon of nothing", &[("30d", "0d")]),
    ("a horizon too long", &[("30d", "600w")]),
    ("a warm-up as long as the horizon", &[("30d", "30d\nwarm_up: 30d")]),
    ("a date that is none", &[("30d", "30d\nstart: 2026-02-30")]),
    ("no replications", &[("30d", "30d\nreplications: 0")]),
    ("too many replications", &[("30d", "30d\nreplications: 10001")]),
    ("replications that are no number", &[("30d", "30d\nreplications: many")]),
    ("replications until nothing is said", &[("30d", "30d\nreplications: {at_most: 50}")]),
    (
        "a precision of a measure that is not there",
        &[("30d", "30d\nreplications: {until: {measure: vsw-pods.time_to_ful, half_width: 1d}, at_most: 9}")],
    ),
    ("a precision in another unit", &[("30d", "30d\nreplications: {until: {measure: pods.served, half_width: 1d}}")]),
    (
        "a precision of a time without unit",
        &[("30d", "30d\nreplications: {until: {measure: vsw-pods.time_to_full, half_width: 3}}")],
    ),
    ("a precision of nothing", &[("30d", "30d\nreplications: {until: {measure: pods.served, half_width: 0 %}}")]),
    (
        "a precision that is uncertain",
        &[("30d", "30d\nreplications: {until: {measure: pods.served, half_width: [1, 2]}}")],
    ),
    ("a negative seed", &[("30d", "30d\nseed: -1")]),
    ("no samples", &[("30d", "30d\noutputs: {samples: 0, pods: yes}")]),
    ("a block that is none", &[("10.1.0.0/19", "10.1.0.0")]),
    ("a block that begins elsewhere", &[("10.1.0.0/19", "10.1.0.5/19")]),
    ("a prefix too long", &[("10.1.0.0/19", "10.1.0.0/30")]),
    ("a prefix too short", &[("10.1.0.0/19", "10.4.0.0/14")]),
    ("a block and a size", &[("cidr: 10.1.0.0/19", "cidr: 10.1.0.0/19, prefix: 19")]),
    ("a size that cannot be", &[("cidr: 10.1.0.0/19", "prefix: 30")]),
    ("a size that does not fit", &[("cidr: 10.0.0.0/8", "cidr: 10.0.0.0/19"), ("cidr: 10.1.0.0/19", "prefix: 19")]),
    ("no copy", &[("used: 12", "used: 12, copies: 0")]),
    ("copies that do not fit", &[("cidr: 10.0.0.0/8", "cidr: 10.0.0.0/15"), ("used: 12", "copies: 16")]),
    ("more copies than can be simulated", &[("used: 12", "copies: 65")]),
    (
        "a copy with the name of another",
        &[("used: 12", "copies: 2"), ("vsw-nodes,", "vsw-pods-2,"), ("vsw-nodes\n", "vsw-pods-2\n")],
    ),
    (
        "copies of a vSwitch that an action adds",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, prefix: 24, copies: 2, snat: true}}\n  - {at: 2d, edit_eni_config: {vswitches: {cn-hangzhou-j: [vsw-pods, vsw-new]}}}",
        )],
    ),
    ("copies that are uncertain", &[("used: 12", "copies: [1, 3]")]),
    ("a vSwitch outside the VPC", &[("10.1.0.0/19", "11.1.0.0/19")]),
    ("vSwitches that overlap", &[("10.1.0.0/19", "10.0.8.0/21")]),
    ("a vSwitch twice", &[("id: vsw-nodes", "id: vsw-pods")]),
    (
        "no vSwitch",
        &[
            ("vswitches:\n", "vswitches: []\n"),
            (
                "    - {id: vsw-nodes, zone: cn-hangzhou-j, cidr: 10.0.0.0/20}\n    - {id: vsw-pods, zone: cn-hangzhou-j, cidr: 10.1.0.0/19, used: 12}\n",
                "",
            ),
        ],
    ),
    ("more used than there is", &[("used: 12", "used: 8189")]),
    ("more used than there is, in the end", &[("used: 12", "used: {linear: {from: 0, to: 9000}}")]),
    (
        "tenants that use more than there is",
        &[("used: 12", "used: [{name: lb, load_balancers: 2000}, {name: rds, addresses: 2189}]")],
    ),
    (
        "a tenant that uses more than there is",
        &[("used: 12", "used: [{name: lb, load_balancers: 3000}, {name: rds, addresses: 1}]")],
    ),
    ("more load balancers than can be", &[("used: 12", "used: [{name: lb, load_balancers: 30000}]")]),
    ("a tenant of two kinds", &[("used: 12", "used: [{name: lb, load_balancers: 2, addresses: 3}]")]),
    ("a tenant that takes nothing", &[("used: 12", "used: [{name: lb}]")]),
    ("a tenant twice", &[("used: 12", "used: [{name: lb, addresses: 1}, {name: lb, addresses: 2}]")]),
    ("a tenant without a name", &[("used: 12", "used: [{load_balancer: 1}]")]),
    (
        "reservations for prefixes that cannot be",
        &[(
            "cidr: 10.1.0.0/19, used: 12",
            "cidr: 10.1.0.0/19, used: 8000, prefix_reservations: [10.1.0.0/28, 10.1.31.0/24, 10.2.0.0/24, 10.1.1.0/29, \
             10.1.8.0/21, 10.1.9.0/24]",
        )],
    ),
    (
        "too many reservations, and of copies",
        &[(
            "cidr: 10.1.0.0/19, used: 12",
            "cidr: 10.1.0.0/19, copies: 2, prefix_reservations: [10.1.1.0/28, 10.1.2.0/28, 10.1.3.0/28, 10.1.4.0/28, \
             10.1.5.0/28, 10.1.6.0/28, 10.1.7.0/28, 10.1.8.0/28, 10.1.9.0/28, 10.1.10.0/28, 10.1.11.0/28]",
        )],
    ),
    (
        "others on what is reserved",
        &[("used: 12", "used: 4093, prefix_reservations: [10.1.4.0/22, 10.1.8.0/21, 10.1.16.0/22]")],
    ),
    ("a vSwitch that is not there", &[("node_vswitch: vsw-nodes", "node_vswitch: vsw-node")]),
    ("a vSwitch in another zone", &[("vsw-nodes, zone: cn-hangzhou-j", "vsw-nodes, zone: cn-hangzhou-k")]),
    ("a zone that is not there", &[("zones: [cn-hangzhou-j]", "zones: [cn-hangzhou-y]")]),
    ("a zone without vSwitch", &[("node_vswitch: vsw-nodes", "node_vswitch: {cn-hangzhou-k: vsw-nodes}")]),
    ("a zone twice", &[("zones: [cn-hangzhou-j]", "zones: [cn-hangzhou-j, cn-hangzhou-j]")]),
    ("no zone", &[("zones: [cn-hangzhou-j]", "zones: []")]),
    ("candidates in another zone only", &[("vsw-pods, zone: cn-hangzhou-j", "vsw-pods, zone: cn-hangzhou-k")]),
    ("an instance type that is not known", &[("ecs.g7.2xlarge", "ecs.g7.2xlrage")]),
    ("limits that cannot be", &[("ecs.g7.2xlarge", "my.type\n    limits: {adapters: 1, ipv4_per_adapter: 99}")]),
    ("a type of which nodes do not join", &[("ecs.g7.2xlarge", "ecs.g6.large")]),
    ("a type with hardly an address", &[("ecs.g7.2xlarge", "my.type\n    limits: {adapters: 2, ipv4_per_adapter: 1}")]),
    ("no type", &[("    instance_type: ecs.g7.2xlarge\n", "")]),
    ("a type and several", &[("ecs.g7.2xlarge", "ecs.g7.2xlarge\n    instance_types: [ecs.g6.2xlarge]")]),
    ("an empty mix of types", &[("instance_type: ecs.g7.2xlarge", "instance_types: []")]),
    ("a mix that is a number", &[("instance_type: ecs.g7.2xlarge", "instance_types: 3")]),
    ("a type twice", &[("instance_type: ecs.g7.2xlarge", "instance_types: [ecs.g7.2xlarge, ecs.g7.2xlarge]")]),
    (
        "a type of no weight",
        &[("instance_type: ecs.g7.2xlarge", "instance_types: {ecs.g7.2xlarge: 0, ecs.g6.2xlarge: 1.5}")],
    ),
    (
        "limits of several types",
        &[(
            "instance_type: ecs.g7.2xlarge",
            "instance_types: [ecs.g7.2xlarge, ecs.g6.2xlarge]\n    limits: {adapters: 4}",
        )],
    ),
    ("resources that are none", &[("nodes: 10", "nodes: 10\n    allocatable: {cpu: 8 cores, memory: 32}")]),
    ("resources in thousandths of a byte", &[("nodes: 10", "nodes: 10\n    allocatable: {memory: 512m, gpu: 1}")]),
    ("an autoscaled pool of no upper bound", &[("nodes: 10", "nodes: {autoscale: {min: 3}}")]),
    ("an autoscaled pool that is too large", &[("nodes: 10", "nodes: {autoscale: {min: 3, max: 20000000}}")]),
    ("bounds the wrong way round", &[("nodes: 10", "nodes: {autoscale: {min: 30, max: 3}}")]),
    ("an autoscaled pool of nothing", &[("nodes: 10", "nodes: {autoscale: {min: 0, max: 0}}")]),
    ("a start outside of the bounds", &[("nodes: 10", "nodes: {autoscale: {min: 3, max: 30, initial: 1}}")]),
    ("autoscaling and a schedule", &[("nodes: 10", "nodes: {autoscale: {min: 3, max: 30}, linear: {from: 1, to: 2}}")]),
    ("a replacement at no time", &[("nodes: 10", "nodes: 10\n    replace: {max_surge: 1}")]),
    ("a replacement of nothing", &[("nodes: 10", "nodes: 10\n    replace: {every: 30d, max_unavailable: 0}")]),
    (
        "a replacement of more than all",
        &[("nodes: 10", "nodes: 10\n    replace: {at: 3d, max_unavailable: 110 %, max_surge: 20000000}")],
    ),
    (
        "a replacement of a share that is none",
        &[("nodes: 10", "nodes: 10\n    replace: {at: [3d, 2d], max_surge: 0.1}")],
    ),
    ("interruptions all the time", &[("nodes: 10", "nodes: 10\n    interruptions: {every: 5s, notice: 300}")]),
    ("a crash without an end", &[("nodes: 10", "nodes: 10\n    crashes: {every: 180d}")]),
    ("a crash with two ends", &[("nodes: 10", "nodes: 10\n    crashes: {every: 180d, reboot: 5m, release: 5m}")]),
    ("a scoring that is not there", &[("30d", "30d\nscheduler: {scoring: LeastAllocated}")]),
    ("an expander that is not there", &[("30d", "30d\nautoscaler: {expander: priority, scan_interval: 0s}")]),
    ("a threshold above all", &[("30d", "30d\nautoscaler: {scale_down: {utilization_threshold: 150 %}}")]),
    ("scale-down that is neither off nor on", &[("30d", "30d\nautoscaler: {scale_down: no}")]),
    (
        "an outage of a zone that is not there",
        &[("30d", "30d\nzone_outages: [{zone: cn-hangzhou-y, at: 1d, lasts: 1h}]")],
    ),
    ("an outage of no time", &[("30d", "30d\nzone_outages: [{zone: cn-hangzhou-j, at: 1d, lasts: 0s}]")]),
    (
        "outages one in the other",
        &[(
            "30d",
            "30d\nzone_outages: [{zone: cn-hangzhou-j, at: 2d, lasts: 1h}, {zone: cn-hangzhou-j, at: 1d, lasts: 2d}]",
        )],
    ),
    ("a grace without unit", &[("30d", "30d\ncontrol_plane: {node_monitor_grace: 50, eviction: 5m}")]),
    ("half of the limits of an unknown type", &[("ecs.g7.2xlarge", "my.type\n    limits: {adapters: 4}")]),
    ("a file of types that is wrong", &[("30d", "30d\ninstance_types: {file: types.json}")]),
    ("a negative count", &[("nodes: 10", "nodes: -10")]),
    ("a fraction", &[("nodes: 10", "nodes: 10.5")]),
    ("a count in quotes", &[("nodes: 10", "nodes: \"10\"")]),
    ("a schedule of no known kind", &[("nodes: 10", "nodes: {liner: {from: 1, to: 2}}")]),
    ("a schedule of two kinds", &[("nodes: 10", "nodes: {linear: {from: 1, to: 2}, points: []}")]),
    ("a line that takes no time", &[("nodes: 10", "nodes: {linear: {from: 1, to: 2, over: 0s}}")]),
    ("growth that is no percentage", &[("replicas: 100", "replicas: {exponential: {from: 1, growth: 0.12}}")]),
    ("growth with two spans", &[("replicas: 100", "replicas: {exponential: {from: 1, growth: 12 %/month, per: 7d}}")]),
    ("growth to nothing", &[("replicas: 100", "replicas: {exponential: {from: 1, growth: -100 %}}")]),
    ("growth with a limit below", &[("replicas: 100", "replicas: {exponential: {from: 9, growth: 1 %, limit: 5}}")]),
    ("growth beyond all bounds", &[("replicas: 100", "replicas: {exponential: {from: 9, growth: 900 %/day}}")]),
    ("times that decrease", &[("nodes: 10", "nodes: {points: [{at: 2d, value: 1}, {at: 1d, value: 2}]}")]),
    ("a time twice", &[("nodes: 10", "nodes: {points: [{at: 1d, value: 1}, {at: 24h, value: 2}]}")]),
    ("steps that begin late", &[("nodes: 10", "nodes: {steps: [{at: 1d, value: 1}]}")]),
    ("no points", &[("nodes: 10", "nodes: {points: []}")]),
    ("a CSV file that is not there", &[("nodes: 10", "nodes: {csv: {file: gone.csv}}")]),
    ("a CSV file with bad numbers", &[("replicas: 100", "replicas: {csv: {file: wrong.csv}}")]),
    ("an empty CSV file", &[("replicas: 100", "replicas: {csv: {file: empty.csv}}")]),
    ("a CSV file without times", &[("replicas: 100", "replicas: {csv: {file: no-time.csv}}")]),
    ("a CSV file without the column", &[("replicas: 100", "replicas: {csv: {file: wrong.csv, column: pod}}")]),
    ("more pods than can be", &[("replicas: 100", "replicas: 20000000")]),
    ("a workload of no kind", &[("    deployment: {replicas: 100}\n", "")]),
    ("a workload of two kinds", &[("lifetime: 2d", "daemon_set: {}")]),
    (
        "a vSwitch that is called as all are",
        &[("id: vsw-nodes", "id: vswitch"), ("node_vswitch: vsw-nodes", "node_vswitch: vswitch")],
    ),
    ("a full-width colon", &[("horizon: 30d", "horizon：30d")]),
    ("a full-width comma", &[("zone: cn-hangzhou-j, cidr: 10.0.0.0/20", "zone: cn-hangzhou-j，cidr: 10.0.0.0/20")]),
    ("full-width digits", &[("horizon: 30d", "horizon: ３０d")]),
    ("a no-break space", &[("horizon: 30d", "horizon:\u{a0}30d")]),
    ("quantiles that fall", &[("{replicas: 100}", "{replicas: {p5: 300, p50: 200, p95: 100}}")]),
    ("replicas of no kind", &[("{replicas: 100}", "{replicas: {hpaa: {max: 9}}}")]),
    (
        "an autoscaler that cannot be",
        &[(
            "{replicas: 100}",
            "{replicas: {hpa: {min: 9, max: 5, load: {base: 9}}}}\n  - {name: b, deployment: {replicas: {hpa: {max: 5, target: 0 %, load: {base: 9}}}}}\n  - {name: c, deployment: {replicas: {hpa: {max: 5, sync_period: 0s, load: {base: 9}}}}}\n  - {name: d, deployment: {replicas: {hpa: {max: 5}}}}\n  - name: e\n    deployment: {replicas: {hpa: {max: 5, load: {base: 9, daily: 101 %, peak: 24h}}}}",
        )],
    ),
    ("an autoscaler of a set", &[("deployment: {replicas: 100}", "stateful_set: {replicas: {hpa: {max: 9}}}")]),
    ("a rollout without times", &[("replicas: 100", "replicas: 100, rollout: {max_surge: 1}")]),
    (
        "a rollout that cannot go on",
        &[("replicas: 100", "replicas: 100, rollout: {at: 1d, max_surge: 0, max_unavailable: 0 %}")],
    ),
    ("a rollout of more than all", &[("replicas: 100", "replicas: 100, rollout: {at: 1d, max_unavailable: 110 %}")]),
    (
        "a daemon set with a surge and missing pods",
        &[("deployment: {replicas: 100}", "daemon_set: {rollout: {at: 1d, max_surge: 1}}")],
    ),
    (
        "resources, spread and words that are wrong",
        &[(
            "lifetime: 2d",
            "requests: {cpu: 1k, memory: 512}\n    zone_spread: {max_skew: 0, when_unsatisfiable: required}\n    anti_affinity: yes",
        )],
    ),
    ("a job with a lifetime and without times", &[("deployment: {replicas: 100}", "job: {duration: 5m}")]),
    (
        "a job of nothing",
        &[("deployment: {replicas: 100}\n    lifetime: 2d", "job: {at: 1d, parallelism: 0, duration: 0s}")],
    ),
    (
        "a schedule of a cron job that is none",
        &[(
            "deployment: {replicas: 100}\n    lifetime: 2d",
            "cron_job: {schedule: 0 25 * * *, concurrency: skip, duration: 5m}",
        )],
    ),
    ("arrivals without lifetime", &[("deployment: {replicas: 100}\n    lifetime: 2d", "arrivals: {per_hour: 60}")]),
    (
        "arrivals that cannot be",
        &[("deployment: {replicas: 100}", "arrivals: {per_hour: 60, group: {geometric: {mean: 0.5}}}")],
    ),
    ("more arrivals than can be", &[("deployment: {replicas: 100}", "arrivals: {per_hour: 9000000}")]),
    ("a tail of nothing", &[("lifetime: 2d", "lifetime: {pareto: {minimum: 10s, shape: 0}}")]),
    (
        "a trace of nothing, and one of two",
        &[(
            "deployment: {replicas: 100}\n    lifetime: 2d",
            "trace: {}\n  - {name: b, trace: {pods: {file: good.csv}, counts: {file: good.csv}}}",
        )],
    ),
    (
        "a trace with a lifetime outside",
        &[("deployment: {replicas: 100}", "trace: {counts: {file: good.csv}, lifetime: 1d}")],
    ),
    (
        "a trace of pods with a lifetime",
        &[("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {pods: {file: pods.csv}, lifetime: 2d}")],
    ),
    (
        "counts without a lifetime",
        &[("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {counts: {file: good.csv}}")],
    ),
    (
        "counts without their columns",
        &[(
            "deployment: {replicas: 100}\n    lifetime: 2d",
            "trace: {counts: {file: good.csv, time: pods}, lifetime: 1d}\n  - {name: b, trace: {counts: {file: good.csv, time: when}, lifetime: 1d}}",
        )],
    ),
    (
        "a trace with wrong rows",
        &[("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {pods: {file: pods.csv}}")],
    ),
    (
        "a trace with semicolons",
        &[("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {pods: {file: semicolons.csv}}")],
    ),
    ("a trace that is none", &[("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {pods: {file: good.csv}}")]),
    ("a workload twice", &[("workloads:", "workloads:\n  - {name: web, daemon_set: {}}")]),
    ("a pool that is not there", &[("lifetime: 2d", "node_pools: [defualt]")]),
    ("a life of nothing", &[("lifetime: 2d", "lifetime: 0s")]),
    ("a p99 below the median", &[("lifetime: 2d", "lifetime: {lognormal: {median: 2d, p99: 1d}}")]),
    ("a longest below the shortest", &[("lifetime: 2d", "lifetime: {uniform: {from: 2d, to: 1d}}")]),
    ("measured values that are wrong", &[("lifetime: 2d", "lifetime: {empirical: {file: wrong-durations.txt}}")]),
    ("no measured values", &[("lifetime: 2d", "lifetime: {empirical: []}")]),
    ("an action that is not there", &[("30d", "30d\ncloud: {latency: {CreateNetworkInterfaces: 1s}}")]),
    ("a limit of 0", &[("30d", "30d\ncloud: {throttle: {DescribeVSwitches: 0}, quotas: {vpc_addresses: no}}")]),
    (
        "a fault of an unknown action",
        &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, apis: [AttachNetworkInterfaces], slow: 9}]}")],
    ),
    ("a fault of no action", &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, apis: [], slow: 9}]}")]),
    ("a fault that lasts no time", &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 0s, fail: 5 %}]}")]),
    (
        "a fault in which nothing happens",
        &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, fail: 0 %, slow: 1}]}")],
    ),
    (
        "a fault with an unknown code",
        &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, fail: 5 %, code: InternalErr}]}")],
    ),
    (
        "a fault with a code of another kind",
        &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, fail: 5 %, code: EniLimitExceeded}]}")],
    ),
    (
        "a fault with a code for nothing",
        &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, slow: 5, code: Throttling}]}")],
    ),
    (
        "faults of impossible size",
        &[("30d", "30d\ncloud: {faults: [{from: 1d, lasts: 1h, fail: 101 %}, {from: 1d, lasts: 1h, slow: 0.5}]}")],
    ),
    ("a fault without time", &[("30d", "30d\ncloud: {faults: [{apis: [AssignPrivateIpAddresses], fail: 1}]}")]),
    ("a teardown that is negative", &[("30d", "30d\nkubelet: {teardown: -1s}")]),
    ("a retry without pause", &[("30d", "30d\nkubelet: {sandbox_retry: 0s}")]),
    (
        "an eni-config that is not there",
        &[(
            "eni_config:\n    max_pool_size: 5\n    min_pool_size: 0\n    vswitches: {cn-hangzhou-j: [vsw-pods]}",
            "eni_config: {file: gone.yaml}",
        )],
    ),
    (
        "an eni-config with errors",
        &[(
            "eni_config:\n    max_pool_size: 5\n    min_pool_size: 0\n    vswitches: {cn-hangzhou-j: [vsw-pods]}",
            "eni_config: {file: eni-config.yaml}",
        )],
    ),
    (
        "an eni-config in a text with errors",
        &[(
            "eni_config:\n    max_pool_size: 5\n    min_pool_size: 0\n    vswitches: {cn-hangzhou-j: [vsw-pods]}",
            "eni_config: |\n    {\n      \"max_pool_size\": 5.5,\n      \"vswitches\": {\"cn-hangzhou-j\": [\"vsw-pods\"]}\n    }",
        )],
    ),
    (
        "dual stack on a type whose IPv6 addresses nobody knows",
        &[
            ("min_pool_size: 0", "min_pool_size: 0\n    ip_stack: dual"),
            (
                "instance_type: ecs.g7.2xlarge",
                "instance_type: ecs.own\n    limits: {adapters: 4, ipv4_per_adapter: 15}",
            ),
        ],
    ),
    (
        "an eni-config that asks for what is not simulated",
        &[("max_pool_size: 5", "max_pool_size: 5\n    backoff_override: {eni_create: {Steps: 3}}")],
    ),
    (
        "a patch of eni-config with a vSwitch that is not there",
        &[("nodes: 10", "nodes: 10\n    eni_config: {vswitches: {cn-hangzhou-k: [vsw-podz]}}")],
    ),
    ("an action at no time", &[("30d", "30d\nactions:\n  - {restart_terway: all}")]),
    ("an action at two times", &[("30d", "30d\nactions:\n  - {at: 1d, when: pods.waiting > 3, restart_terway: all}")]),
    ("an action without a deed", &[("30d", "30d\nactions:\n  - {at: 1d}")]),
    (
        "an action with two deeds",
        &[("30d", "30d\nactions:\n  - {at: 1d, restart_terway: all, drain: {node_pool: default, nodes: 1}}")],
    ),
    (
        "an action that is misspelt",
        &[("30d", "30d\nactions:\n  - {at: 1d, restart: all}\n  - {att: 1d, restart_terway: all}")],
    ),
    ("an action at a time without unit", &[("30d", "30d\nactions:\n  - {at: 30, restart_terway: all}")]),
    (
        "names of actions",
        &[(
            "30d",
            "30d\nactions:\n  - {name: a+b, at: 1d, restart_terway: all}\n  - {name: previous, restart_terway: all}\n  - {name: 5m, restart_terway: all}\n  - {name: x, restart_terway: all}\n  - {name: x, restart_terway: all}",
        )],
    ),
    (
        "actions after what is not before",
        &[(
            "30d",
            "30d\nactions:\n  - {name: first, after: previous + 5m, restart_terway: all}\n  - {name: second, after: frist + 5m, restart_terway: all}\n  - {name: third, after: third, restart_terway: all}\n  - {after: fifth + 1h, restart_terway: all}\n  - {name: fifth, after: nobody, restart_terway: all}",
        )],
    ),
    (
        "actions after a time that is none",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, restart_terway: all}\n  - {after: previous + 5,  restart_terway: all}\n  - {after: previous + soon, restart_terway: all}\n  - {after: previous +, restart_terway: all}",
        )],
    ),
    (
        "conditions that do not resolve",
        &[(
            "30d",
            "30d\nactions:\n  - {when: vsw-pod.free < 200, restart_terway: all}\n  - {when: vsw-pods.fre < 200, restart_terway: all}\n  - {when: vsw-pods.free below 200, restart_terway: all}\n  - {when: vsw-pods.free < few, restart_terway: all}\n  - {when: pods.waiting > 5 %, restart_terway: all}\n  - {when: node_pools.defualt.nodes > 5, restart_terway: all}",
        )],
    ),
    (
        "a new vSwitch of which it is not said whether it has an SNAT entry",
        &[("30d", "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24}}")],
    ),
    (
        "new vSwitches that cannot be",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-a, zone: cn-hangzhou-j, cidr: 10.1.16.0/20, snat: true}}\n  - {add_vswitch: {id: vsw-b, zone: cn-hangzhou-j, cidr: 11.0.0.0/20, snat: true}}\n  - {add_vswitch: {id: vsw-c, zone: cn-hangzhou-j, cidr: 10.9.0.0/30, snat: true}}\n  - {add_vswitch: {id: vsw-pods, zone: cn-hangzhou-j, cidr: 10.8.0.0/24, snat: maybe}}\n  - {add_vswitch: {id: vsw-e, zone: cn-hangzhou-j, cidr: 10.7.0.0/28, snat: true, used: 13}}",
        )],
    ),
    (
        "an edit that names an unknown vSwitch",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24, snat: true}}\n  - {edit_eni_config: {vswitches: {cn-hangzhou-j: [vsw-nwe]}}}",
        )],
    ),
    (
        "an edit of wrong types",
        &[("30d", "30d\nactions:\n  - {at: 1d, edit_eni_config: {max_pool_size: many}}\n  - {edit_eni_config: 5}")],
    ),
    (
        "an edit before the vSwitch is there",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 2d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24, snat: true}}\n  - {at: 1d, edit_eni_config: {vswitches: {cn-hangzhou-j: [vsw-pods, vsw-new]}}}",
        )],
    ),
    (
        "an edit that may come before the vSwitch is there",
        &[(
            "30d",
            "30d\nactions:\n  - {when: vsw-pods.free < 200, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24, snat: true}}\n  - {when: vsw-pods.free < 100, edit_eni_config: {vswitches: {cn-hangzhou-j: [vsw-pods, vsw-new]}}}",
        )],
    ),
    (
        "an edit that may come before the edit before",
        &[(
            "30d",
            "30d\nactions:\n  - {when: vsw-pods.free < 200, edit_eni_config: {max_pool_size: 7}}\n  - {at: 9d, edit_eni_config: {max_pool_size: 9}}",
        )],
    ),
    (
        "a vSwitch of eni-config that is added later",
        &[
            (
                "30d",
                "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24, snat: true}}",
            ),
            ("j: [vsw-pods]", "j: [vsw-pods, vsw-new]"),
        ],
    ),
    (
        "nodes on a vSwitch that is added later",
        &[
            (
                "30d",
                "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24, snat: true}}",
            ),
            ("node_vswitch: vsw-nodes", "node_vswitch: vsw-new"),
        ],
    ),
    (
        "a restart of nothing",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, restart_terway: {at_most_at_once: 0, takes: 0s}}\n  - {restart_terway: {node_pools: []}}\n  - {restart_terway: {node_pools: [defualt], at_most_at_once: 110 %}}\n  - {restart_terway: some}",
        )],
    ),
    (
        "a scale of what cannot be scaled",
        &[
            (
                "30d",
                "30d\nactions:\n  - {at: 1d, scale: {workload: wbe, replicas: 5}}\n  - {scale: {node_pool: defualt, nodes: 5}}\n  - {scale: {workload: web, nodes: 5}}\n  - {scale: {}}\n  - {scale: {workload: web, replicas: 20000000}}\n  - {scale: {workload: agent, replicas: 5}}\n  - {scale: {node_pool: big, nodes: 5}}",
            ),
            (
                "workloads:",
                "  - {name: big, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-nodes, nodes: {autoscale: {min: 1, max: 3}}}\nworkloads:\n  - {name: agent, daemon_set: {}}",
            ),
        ],
    ),
    (
        "a replacement, a drain and a loss of nothing",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, replace_nodes: {node_pool: default, max_unavailable: 0}}\n  - {replace_nodes: {node_pool: defualt}}\n  - {drain: {node_pool: default, nodes: 0 %}}\n  - {drain: {node_pool: defualt, nodes: 200 %}}\n  - {lose_zone: {zone: cn-hangzhou-y, lasts: 1h}}\n  - {lose_zone: {zone: cn-hangzhou-j, lasts: 0s}}",
        )],
    ),
    (
        "limits that cannot be",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, limit_api: {AssignPrivateIpAddress: 5}}\n  - {limit_api: {AssignPrivateIpAddresses: 0}}\n  - {limit_api: {}}\n  - {limit_api: {AssignPrivateIpAddresses: 5, DescribeVSwitches: 5}}\n  - {limit_api: {AssignPrivateIpAddresses: none}}",
        )],
    ),
    (
        "many errors at once",
        &[
            ("30d", "soon"),
            ("10.1.0.0/19", "10.1.0.0/31"),
            ("nodes: 10", "nodes: -1"),
            ("100", "{exponential: {from: 1}}"),
            ("vsw-nodes\n", "vsw-none\n"),
        ],
    ),
    ("a PodNetworking that is not there", &[("lifetime: 2d", "pod_networking: own")]),
    (
        "PodNetworkings with everything wrong",
        &[(
            "eni_config:",
            "pod_networkings:\n    - {name: a, vSwitchOptions: [vsw-pod]}\n    - {name: a, vSwitchOptions: []}\n    \
             - {name: c, allocationType: {type: Fixed, releaseStrategy: TTL}}\n    \
             - {name: d, allocationType: {type: Fixed, releaseAfter: 5m0s}}\n    \
             - {name: e, allocationType: {releaseAfter: 5m}}\n    \
             - {name: f, allocationType: {type: fixed}, vSwitchSelectOptions: {vSwitchSelectionPolicy: least}}\n  \
             eni_config:",
        )],
    ),
    (
        "a PodNetworking of another name",
        &[("eni_config:", "pod_networkings: [{name: rooms}]\n  eni_config:"), ("lifetime: 2d", "pod_networking: room")],
    ),
    (
        "a version of Terway that has another allocator",
        &[("terway:", "terway:\n  ipam: centralized\n  version: v1.4.4")],
    ),
    (
        "a defect that its version of Terway does not have",
        &[("terway:", "terway:\n  version: v1.4.4\n  defects: {rollback_deadlock: true}")],
    ),
    ("a defect that no Terway has", &[("terway:", "terway:\n  version: v1.1.0\n  defects: {rolback_deadlock: false}")]),
    ("defects of the Terway of today", &[("terway:", "terway:\n  defects: {nil_interface: false}")]),
    ("a version of Terway that is not known", &[("terway:", "terway:\n  version: v1.3.9")]),
    (
        "exclusive ENIs with a Terway of before v1.7",
        &[("terway:", "terway:\n  version: v1.4.4"), ("nodes: 10", "nodes: 10\n    exclusive_eni: true")],
    ),
    (
        "what a Terway of before v1.7 cannot do",
        &[
            ("terway:", "terway:\n  version: v1.1.0"),
            (
                "min_pool_size: 0",
                "min_pool_size: 0\n    eni_cap_shift: 1\n    ip_stack: dual\n    vswitch_selection_policy: most\n    rate_limit: {}",
            ),
            ("nodes: 10", "nodes: 10\n    limits: {ipv6_per_adapter: 15}"),
        ],
    ),
    (
        "a PodNetworking with a Terway of before v1.7",
        &[NETWORKING, ("terway:", "terway:\n  version: v1.4.4"), ("lifetime: 2d", "pod_networking: own")],
    ),
    ("a PodNetworking without a trunk", &[NETWORKING, CENTRALIZED, ("lifetime: 2d", "pod_networking: own")]),
    ("a PodNetworking without a trunk, node-local", &[NETWORKING, ("lifetime: 2d", "pod_networking: own")]),
    (
        "a misspelt key, and the error that comes of it",
        &[
            NETWORKING,
            (TRUNK.0, "min_pool_size: 0\n    enable_eni_trunkng: true"),
            ("lifetime: 2d", "pod_networking: own"),
        ],
    ),
    (
        "a trunk of which nobody knows the members, node-local",
        &[NETWORKING, TRUNK, ("lifetime: 2d", "pod_networking: own")],
    ),
    (
        "a trunk of which nobody knows the members",
        &[NETWORKING, CENTRALIZED, TRUNK, ("lifetime: 2d", "pod_networking: own")],
    ),
    (
        "a type without members",
        &[
            NETWORKING,
            CENTRALIZED,
            TRUNK,
            ("nodes: 10", "nodes: 10\n    limits: {total_adapters: 4}"),
            ("lifetime: 2d", "pod_networking: own"),
        ],
    ),
    (
        "a PodNetworking in another zone",
        &[
            ("eni_config:", "pod_networkings: [{name: own, vSwitchOptions: [vsw-k]}]\n  eni_config:"),
            ("    - {id: vsw-pods", "    - {id: vsw-k, zone: cn-hangzhou-k, cidr: 10.2.0.0/24}\n    - {id: vsw-pods"),
            CENTRALIZED,
            TRUNK,
            ("nodes: 10", "nodes: 10\n    limits: {total_adapters: 20}"),
            ("lifetime: 2d", "pod_networking: own"),
        ],
    ),
    (
        "fixed addresses for pods without names",
        &[
            ("eni_config:", "pod_networkings: [{name: own, allocationType: {type: Fixed}}]\n  eni_config:"),
            CENTRALIZED,
            TRUNK,
            ("nodes: 10", "nodes: 10\n    limits: {total_adapters: 20}"),
            ("lifetime: 2d", "pod_networking: own"),
        ],
    ),
    (
        "a DaemonSet in a zone without a vSwitch of its PodNetworking",
        &[
            NETWORKING,
            CENTRALIZED,
            TRUNK,
            ("    - {id: vsw-pods", "    - {id: vsw-k, zone: cn-hangzhou-k, cidr: 10.2.0.0/24}\n    - {id: vsw-pods"),
            ("{cn-hangzhou-j: [vsw-pods]}", "{cn-hangzhou-j: [vsw-pods], cn-hangzhou-k: [vsw-k]}"),
            ("zones: [cn-hangzhou-j]", "zones: [cn-hangzhou-j, cn-hangzhou-k]"),
            ("node_vswitch: vsw-nodes", "node_vswitch: {cn-hangzhou-j: vsw-nodes, cn-hangzhou-k: vsw-k}"),
            ("nodes: 10", "nodes: 10\n    limits: {total_adapters: 20}"),
            ("deployment: {replicas: 100}\n    lifetime: 2d", "daemon_set: {}\n    pod_networking: own"),
        ],
    ),
    (
        "classic: more security groups than it starts on, back-offs, no device plugin",
        &[
            VERSION,
            (
                "max_pool_size: 5",
                "max_pool_size: 5\n    security_groups: [a, b, c, d, e, f]\n    backoff_override: {wait_eni_status: {Steps: 3}}\n    disable_device_plugin: true",
            ),
        ],
    ),
    ("classic: a trunk", &[VERSION, TRUNK]),
    (
        "an edit of who allocates",
        &[("30d", "30d\nactions:\n  - {at: 1d, edit_eni_config: {ipam_type: crd}}\n  - {restart_terway: all}")],
    ),
    (
        "expressions beside a vSwitch and a workload that are wrong",
        &[
            ("cidr: 10.1.0.0/19", "cidr: 10.1.0.0/33"),
            ("lifetime: 2d", "lifetime: soon"),
            (
                "horizon: 30d",
                "horizon: 30d\nreplications: {until: {measure: pods.wait.p98, half_width: 1s}}\npolicy: [vsw-pod.free.min > 3, P(any pod waits > 60s before 40d) < 1 %]\nactions:\n  - {when: vsw-pods.fre < 3, restart_terway: all}\n  - {after: nothing, restart_terway: all}\nsweep: {vary: {seed: [1, 2]}, measures: [vsw-pods.free]}",
            ),
        ],
    ),
];

#[test]
fn every_bad_input_has_its_message() {
    let folder = Path::new("tests/bad_input");
    load_text("good.yaml", GOOD, folder).expect("the good scenario loads");
    let mut all = String::new();
    for (title, edits) in BAD {
        let bad = edits.iter().fold(GOOD.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{title}: the edit has no effect");
            text.replacen(from, to, 1)
        });
        match load_text("bad.yaml", &bad, folder) {
            Ok(_) => panic!("{title}: it loads"),
            Err(diagnostics) => {
                let n = diagnostics.len();
                writeln!(all, "## {title} ({n})\n\n{diagnostics}\n").expect("a string takes it");
            }
        }
    }
    let settings = insta::Settings::clone_current();
    settings.bind(|| insta::assert_snapshot!("messages", all));
}

/// What is allowed and likely not meant.
const ODD: &[(&str, &[Edit])] = &[
    ("thousandths of a core without their unit", &[("lifetime: 2d", "requests: {cpu: 2000}")]),
    ("more memory than any node has", &[("lifetime: 2d", "requests: {cpu: 1, memory: 64Gi}")]),
    (
        "CPU and memory of different nodes",
        &[
            ("instance_type: ecs.g7.2xlarge", "instance_types: [ecs.c7.4xlarge, ecs.r7.2xlarge]"),
            ("lifetime: 2d", "requests: {cpu: 12, memory: 48Gi}"),
        ],
    ),
    (
        "settings of a control plane that allocates for nobody",
        &[("terway:", "terway:\n  controlplane: {vSwitchCacheTTL: 5m, kubeClientQPS: 50}")],
    ),
    (
        "settings of a control plane that only makes members",
        &[
            NETWORKING,
            TRUNK,
            (
                "terway:",
                "terway:\n  controlplane:\n    vSwitchCacheTTL: 5m\n    multiIPGCPeriod: 1m\n    kubeClientQPS: 50\n    \
                 rateLimit: {CreateNetworkInterface: 100, AssignPrivateIpAddresses: 100}",
            ),
            ("nodes: 10", "nodes: 10\n    limits: {total_adapters: 20}"),
            ("lifetime: 2d", "pod_networking: own"),
        ],
    ),
    (
        "dual stack on a type without as many IPv6 addresses",
        &[
            ("min_pool_size: 0", "min_pool_size: 0\n    ip_stack: dual"),
            ("nodes: 10", "nodes: 10\n    limits: {ipv6_per_adapter: 1}"),
        ],
    ),
    (
        "prefixes on a type whose daemon wants both families and gets one",
        &[
            ("terway:\n", "terway:\n  ipam: centralized\n"),
            ("min_pool_size: 0", "enable_ip_prefix: true\n    ipv4_prefix_count: 3\n    ip_stack: dual"),
            ("nodes: 10", "nodes: 10\n    limits: {ipv6_per_adapter: 1}"),
        ],
    ),
    (
        "an edit that switches prefixes on",
        &[
            ("terway:\n", "terway:\n  ipam: centralized\n"),
            ("30d", "30d\nactions:\n  - {at: 1d, edit_eni_config: {enable_ip_prefix: true, ipv4_prefix_count: 2}}"),
        ],
    ),
    (
        "an edit of how many pods with interfaces of their own a node takes",
        &[
            ("    nodes: 10", "    nodes: 10\n    exclusive_eni: true"),
            ("30d", "30d\nactions:\n  - {at: 1d, edit_eni_config: {max_eni: 1}}\n  - {at: 2d, restart_terway: all}"),
        ],
    ),
    (
        "a policy that does not see prefixes",
        &[
            ("terway:\n", "terway:\n  ipam: centralized\n"),
            ("min_pool_size: 0", "enable_ip_prefix: true\n    ipv4_prefix_count: 3"),
            ("30d", "30d\npolicy: [any vswitch is full]"),
        ],
    ),
    ("an ipam_type that is none", &[("min_pool_size: 0", "min_pool_size: 0\n    ipam_type: crd2")]),
    (
        "prefixes of a vSwitch that keeps no block for them",
        &[
            ("terway:\n", "terway:\n  ipam: centralized\n"),
            ("min_pool_size: 0", "enable_ip_prefix: true\n    ipv4_prefix_count: 2"),
        ],
    ),
    (
        "zones of eni-config of which the scenario has no vSwitch",
        &[("{cn-hangzhou-j: [vsw-pods]}", "{cn-hangzhou-j: [vsw-pods], cn-hangzhou-k: [bp1k2m, bp1k3n]}")],
    ),
    ("a rollout after the end", &[("{replicas: 100}", "{replicas: 100, rollout: {every: 30d}}")]),
    ("a replacement after the end", &[("nodes: 10", "nodes: 10\n    replace: {at: 40d}")]),
    ("a Job after the end", &[("deployment: {replicas: 100}\n    lifetime: 2d", "job: {at: 31d, duration: 5m}")]),
    (
        "an outage after the end, of a zone without nodes",
        &[
            ("    - {id: vsw-pods", "    - {id: vsw-k, zone: cn-hangzhou-k, cidr: 10.2.0.0/24}\n    - {id: vsw-pods"),
            ("lifetime: 2d", "lifetime: 2d\nzone_outages: [{zone: cn-hangzhou-k, at: 30d, lasts: 1h}]"),
        ],
    ),
    (
        "a trace that ends early, with a column of another name",
        &[("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {pods: {file: short.csv}}")],
    ),
    (
        "a trace that goes on",
        &[
            ("horizon: 30d", "horizon: 1h"),
            ("deployment: {replicas: 100}\n    lifetime: 2d", "trace: {pods: {file: short.csv}}"),
        ],
    ),
    ("an action after the end", &[("30d", "30d\nactions:\n  - {at: 30d, restart_terway: all}")]),
    (
        "an edit that nothing takes up",
        &[("30d", "30d\nactions:\n  - {at: 1d, restart_terway: all}\n  - {edit_eni_config: {max_pool_size: 7}}")],
    ),
    (
        "an edit of nothing",
        &[("30d", "30d\nactions:\n  - {at: 1d, edit_eni_config: {max_pool_size: 5}}\n  - {restart_terway: all}")],
    ),
    (
        "a new vSwitch that no edit names",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-j, cidr: 10.2.0.0/24, snat: true}}",
        )],
    ),
    (
        "the loss of a zone without nodes",
        &[(
            "30d",
            "30d\nactions:\n  - {at: 1d, add_vswitch: {id: vsw-new, zone: cn-hangzhou-k, cidr: 10.2.0.0/24, snat: true}}\n  - {lose_zone: {zone: cn-hangzhou-k, lasts: 1h}}",
        )],
    ),
    (
        "a lower mark that v1.6.0 does not read",
        &[("terway:", "terway:\n  version: v1.6.0"), ("min_pool_size: 0", "min_pool_size: 3")],
    ),
    (
        "a drain of more nodes than there are",
        &[("30d", "30d\nactions:\n  - {at: 1d, drain: {node_pool: default, nodes: 40}}")],
    ),
    ("a spread over one zone", &[("lifetime: 2d", "lifetime: 2d\n    zone_spread: {max_skew: 1}")]),
    ("an HPA that never adds", &[("{replicas: 100}", "{replicas: {hpa: {max: 200, target: 92 %, load: {base: 60}}}}")]),
    ("the peak of a flat load", &[("{replicas: 100}", "{replicas: {hpa: {max: 200, load: {base: 60, peak: 9h}}}}")]),
];

#[test]
fn what_is_odd_is_told() {
    let mut all = String::new();
    for (title, edits) in ODD {
        let odd = edits.iter().fold(GOOD.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{title}: the edit has no effect");
            text.replacen(from, to, 1)
        });
        let loaded = load_text("odd.yaml", &odd, Path::new("tests/bad_input"));
        let warnings = loaded.unwrap_or_else(|diagnostics| panic!("{title}: {diagnostics}")).warnings;
        assert!(!warnings.is_empty(), "{title}: no warning");
        writeln!(all, "## {title}\n\n{}", warnings.join("\n")).expect("a string takes it");
    }
    let settings = insta::Settings::clone_current();
    settings.bind(|| insta::assert_snapshot!("warnings", all));
}

/// The scheduler has a bit for each zone; what is one too many is an error at its place, and no panic.
#[test]
fn too_many_zones_are_told() {
    let with_zones = |n: usize| {
        let more = |i| format!("    - {{id: vsw-{i}, zone: zone-{i}, cidr: 10.2.{i}.0/24}}\n");
        let more: String = (1..n).map(more).collect();
        load_text("zones.yaml", &GOOD.replace("terway:\n", &format!("{more}terway:\n")), Path::new("."))
    };
    assert!(with_zones(64).is_ok());
    let wrong = with_zones(65).expect_err("there are 65 zones").to_string();
    assert!(wrong.contains("`zone-64` is zone 65 of the scenario; 64 are the most"), "{wrong}");
    assert!(wrong.contains("zones.yaml:71:"), "{wrong}");
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let missing = load(Path::new("tests/bad_input/missing.yaml")).expect_err("it is not there");
    insta::assert_snapshot!(missing, @"error: the scenario `tests/bad_input/missing.yaml` cannot be read: No such file or directory (os error 2)");
    assert!(load(Path::new("tests/bad_input")).is_err(), "a folder is no scenario");
}

/// Whatever is in a file, the answer is a message.
#[test]
fn no_text_stops_the_program() {
    let mut chance = SmallStream::new(1);
    let pieces = [
        "{", "}", "[", "]", ":", "-", "|", "\n", " ", "é", "\t", "&a ", "*a", "<<", "0", "-1", "\"", "#", "%", "~",
        "\r\n", "9e99", "!!int ",
    ];
    let letters: Vec<char> = GOOD.chars().collect();
    let mut wrong = 0;
    for _ in 0..3000 {
        let mut text = letters.clone();
        for _ in 0..=chance.below(3) {
            let at = chance.below(text.len() as u32) as usize;
            let end = (at + chance.below(12) as usize).min(text.len());
            let piece = pieces[chance.below(pieces.len() as u32) as usize];
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        match load_text("bad.yaml", &text, Path::new("tests/bad_input")) {
            Ok(loaded) => assert!(!describe(&loaded).is_empty()),
            Err(diagnostics) => {
                wrong += 1;
                assert!(diagnostics.to_string().contains("error: "));
            }
        }
    }
    assert!(wrong > 1000, "only {wrong} texts were wrong");
}

/// Not at the same bytes of the scenario, where something else stands.
#[test]
fn a_key_of_eni_config_that_an_option_changes_is_shown_there() {
    let change = brimline::scenario::Edit::parse("--set", "terway.eni_config.max_pool_size=-1");
    let scenario = brimline::scenario::Blueprint::of_text("s.yaml", GOOD, Path::new(".")).with([change]);
    let told = scenario.load().expect_err("it is negative").to_string();
    assert!(told.contains("--> --set:1:33") && told.contains("1 | terway.eni_config.max_pool_size=-1"), "{told}");
}
