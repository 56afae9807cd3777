//! What a daemon of v1.1 to v1.6 logged (`pkg/logger/log.go` of these versions), and what its pods were
//! told.
//!
//! As of today's daemon, fields of which the simulation knows no value are left out, and what it does not
//! know inside a text is written as `…`. Left out altogether is what
//! the pool, the factory and the look-ups of vSwitches log.

use super::calendar::Calendar;
use super::daemon_log::{Line, Process};
use super::names::{NAMESPACE, eni_id};
use crate::id::VSwitchId;
use crate::ipam::classic::Version;
use crate::model::Model;
use crate::openapi::{Api, ErrorCode, ip_not_enough_message};
use crate::record::{CallAnswer, CallStep, FailureReason, PodName, Step, What};
use crate::time::Instant;

/// Where a message is logged: the line in each of [`Version::ALL`].
struct Source {
    level: &'static str,
    file: &'static str,
    lines: [u16; 4],
}

const fn source(level: &'static str, file: &'static str, lines: [u16; 4]) -> Source {
    Source { level, file, lines }
}

const ALLOC_ASKED: Source = source("info", "daemon.go", [200, 205, 208, 206]);
const ALLOC_FAILED: Source = source("error", "daemon.go", [238, 243, 246, 244]);
const ALLOC_DONE: Source = source("info", "daemon.go", [253, 258, 261, 259]);
const RELEASE_ASKED: Source = source("info", "daemon.go", [425, 462, 494, 492]);
const RELEASE_DONE: Source = source("info", "daemon.go", [462, 497, 537, 535]);

/// What the daemon's own lines are marked with.
const SERVICE: &str = "subSys=network-service";

/// Writes log lines.
pub(super) struct ClassicLog<'m> {
    model: &'m Model,
    version: Version,
    calendar: Calendar,
}

impl<'m> ClassicLog<'m> {
    pub fn new(model: &'m Model, version: Version) -> Self {
        Self { model, version, calendar: Calendar::of(model) }
    }

    /// The lines of a step on the node.
    pub fn of(&self, step: &Step) -> Vec<Line> {
        match &step.what {
            What::Served { pod, tried, .. } => {
                let done = self.result(step.at, &ALLOC_DONE, *pod, "alloc result: …");
                vec![self.alloc_asked(*tried, *pod), done]
            }
            What::Failed { pod, tried, reason, .. } => self.failed(step.at, *pod, *tried, *reason),
            What::Gone(pod) => {
                let done = self.result(step.at, &RELEASE_DONE, *pod, "release result: …");
                let fields = [self.key(*pod), SERVICE.to_owned()];
                vec![self.line(step.at, &RELEASE_ASKED, fields, "release ip req"), done]
            }
            What::Call(call) if call.heard => self.call(step.at, call).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn failed(&self, at: Instant, pod: PodName, tried: Instant, reason: FailureReason) -> Vec<Line> {
        let asked = self.alloc_asked(tried, pod);
        match reason {
            // The process is dead, or there is none.
            FailureReason::Restart | FailureReason::Down => Vec::new(),
            // Only the plugin knows: the daemon goes on, or has not begun.
            FailureReason::Deadline | FailureReason::Processing => vec![asked],
            _ => {
                let text = format!("alloc result with error, {}", daemons_word(reason));
                vec![asked, self.result(at, &ALLOC_FAILED, pod, &text)]
            }
        }
    }

    fn alloc_asked(&self, at: Instant, pod: PodName) -> Line {
        let fields = ["ifName=eth0".to_owned(), self.key(pod), SERVICE.to_owned()];
        self.line(at, &ALLOC_ASKED, fields, "alloc ip req")
    }

    fn key(&self, pod: PodName) -> String {
        format!("pod={NAMESPACE}/{}", pod.text(self.model))
    }

    fn result(&self, at: Instant, source: &Source, pod: PodName, message: &str) -> Line {
        let fields = [format!("podName={}", pod.text(self.model)), format!("podNs={NAMESPACE}")];
        self.line(at, source, fields, message)
    }

    /// What the client of the API logs at the end of a call (`pkg/aliyun/client/ecs.go`, `pkg/aliyun/ecs.go`
    /// before v1.4); looks at interfaces and vSwitches that end well it does not log.
    fn call(&self, at: Instant, call: &CallStep) -> Option<Line> {
        let error = self.refusal(call);
        let is_empty = matches!(call.answer, CallAnswer::Refused(ErrorCode::IpNotEnough));
        let (source, message) = match (call.api, error) {
            (Api::CreateNetworkInterface, None) => {
                (source("info", "ecs.go", [83, 102, 121, 106]), "create ENI".to_owned())
            }
            // Whoever tries again gives this one back at once (`pkg/aliyun/client/ecs.go:103-105`).
            (Api::CreateNetworkInterface, Some(_)) if is_empty && self.version >= Version::V1_4_4 => return None,
            (Api::CreateNetworkInterface, Some(error)) => {
                (source("error", "ecs.go", [76, 95, 106, 91]), format!("error create ENI, {error}"))
            }
            (Api::AttachNetworkInterface, None) => {
                (source("info", "ecs.go", [146, 165, 197, 182]), "attach eni".to_owned())
            }
            (Api::AttachNetworkInterface, Some(error)) => {
                (source("warning", "ecs.go", [143, 162, 194, 179]), format!("attach ENI failed, {error}"))
            }
            (Api::DetachNetworkInterface, None) => {
                (source("info", "ecs.go", [173, 192, 224, 209]), "detach eni".to_owned())
            }
            (Api::DetachNetworkInterface, Some(error)) => {
                (source("error", "ecs.go", [170, 189, 221, 206]), format!("detach eni failed, {error}"))
            }
            (Api::DeleteNetworkInterface, None) => {
                (source("info", "ecs.go", [194, 213, 245, 230]), "delete eni".to_owned())
            }
            (Api::DeleteNetworkInterface, Some(error)) => {
                (source("error", "ecs.go", [191, 210, 242, 227]), format!("delete eni failed, {error}"))
            }
            (Api::AssignPrivateIpAddresses, None) => {
                (source("info", "ecs.go", [249, 272, 305, 290]), "assign private ip, …".to_owned())
            }
            (Api::AssignPrivateIpAddresses, Some(error)) => {
                (source("warning", "ecs.go", [241, 264, 297, 282]), format!("assign private ip failed, {error}"))
            }
            (Api::UnassignPrivateIpAddresses, None) => {
                (source("info", "ecs.go", [282, 305, 342, 327]), "unassign private ip ,…".to_owned())
            }
            (Api::UnassignPrivateIpAddresses, Some(error)) => {
                (source("warning", "ecs.go", [279, 302, 339, 324]), format!("unassign private ip failed,… {error}"))
            }
            (Api::DescribeNetworkInterfaces, Some(error)) => (source("warning", "ecs.go", [113, 132, 162, 147]), error),
            // IPv6 is not modelled with these versions, and looks at vSwitches have no line of their own here.
            _ => return None,
        };
        let eni = call.eni.map(|eni| format!("eni={}", eni_id(eni)));
        let n = (call.api == Api::AssignPrivateIpAddresses).then(|| format!("secondaryIPCount={}", call.addresses));
        let creates = call.api == Api::CreateNetworkInterface;
        let vswitch = call.vswitch.filter(|_| creates).map(|id| format!("vSwitchID={}", self.vswitch(id)));
        let api = Some(format!("api={}", call.api.name()));
        let service = Some("subSys=openAPI".to_owned());
        let fields = [api, eni, n, service, vswitch].into_iter().flatten();
        Some(self.line(at, &source, fields, &message))
    }

    /// The error of a refused call, as Alibaba Cloud's SDK writes it (rule P90).
    fn refusal(&self, call: &CallStep) -> Option<String> {
        let CallAnswer::Refused(code) = call.answer else { return None };
        let message = match (code, call.vswitch) {
            (ErrorCode::IpNotEnough, Some(id)) => ip_not_enough_message(self.vswitch(id)),
            _ => "…".to_owned(),
        };
        let code = code.name();
        Some(format!("SDK.ServerError\nErrorCode: {code}\nRecommend: …\nRequestId: …\nMessage: {message}"))
    }

    fn vswitch(&self, id: VSwitchId) -> &'m str {
        &self.model.vpc.vswitches[id.index()].id
    }

    /// Before v1.4 logrus's own text without a time, which `kubectl logs --timestamps` puts before it; then
    /// klog's likeness. The fields are sorted, and stand behind the message or before it.
    fn line(&self, at: Instant, source: &Source, fields: impl IntoIterator<Item = String>, message: &str) -> Line {
        let Source { level, file, lines } = source;
        let fields = fields.into_iter().collect::<Vec<_>>().join(" ");
        let text = if self.version < Version::V1_4_4 {
            format!("{} level={level} msg={message} {fields}", self.calendar.rfc3339(at))
        } else {
            let position = Version::ALL.iter().position(|version| *version == self.version);
            let line = lines[position.expect("the versions are all there are")];
            let severity = level[..1].to_uppercase();
            format!("{severity}{} {file}:{line}] {fields} {message}", self.calendar.klog(at))
        };
        Line { at, process: Process::Daemon, text }
    }
}

/// The error of the daemon (rules K4, K5), the last word of a chain.
fn daemons_word(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::NodeFull => "no available resource",
        FailureReason::Inhibited => "max ENI exceeded,eni … have insufficient IP, next check …",
        FailureReason::Foreign => "max ENI exceeded,current eni have vSwitch not as expected, please check eni-config",
        FailureReason::Busy => "trigger ENI throttle, max operating concurrent: 3",
        FailureReason::Refused => "error create from factory: error allocate ip address: …",
        FailureReason::Processing => "pod … resource processing",
        FailureReason::Deadline | FailureReason::Peeked | FailureReason::Restart | FailureReason::Down => {
            "context deadline exceeded"
        }
    }
}

/// What the plugin says of a failure to the kubelet, which the pod's events repeat (rule K4, `plugin/terway/cni.go`).
pub(super) fn told(version: Version, pod: &str, reason: FailureReason) -> String {
    let begin = match version {
        Version::V1_1_0 => format!("cmdAdd: error alloc ip for pod {NAMESPACE}/{pod}, "),
        Version::V1_2_0 | Version::V1_4_4 | Version::V1_6_0 => "cmdAdd: error alloc ip ".to_owned(),
    };
    let rest = match reason {
        FailureReason::Deadline | FailureReason::Peeked | FailureReason::Restart | FailureReason::Down => {
            let (_, rest) = reason.message().split_once("rpc error").expect("all of these are errors of the call");
            return format!("{begin}rpc error{rest}");
        }
        FailureReason::Processing => format!("pod {NAMESPACE}/{pod} resource processing"),
        _ => format!("error get allocated eniip ip for: &{{…}}, result: {}", daemons_word(reason)),
    };
    format!("{begin}rpc error: code = Unknown desc = {rest}")
}
