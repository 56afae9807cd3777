//! What Terway logged, in the lines of klog's text format (`cmd/terway/main.go:58`), with the source
//! position in the version of July 2026 that logs it.
//!
//! Keys of which the simulation knows no value are left out: `containerID`, `requestID`, `reply`.

use std::net::Ipv4Addr;

use super::calendar::Calendar;
use super::names::{NAMESPACE, eni_id};
use crate::model::{Model, WorkloadKind};
use crate::openapi::{Api, ErrorCode, ip_not_enough_message};
use crate::record::{CallAnswer, CallStep, FailureReason, PodName, Step, What};
use crate::time::Instant;

/// Which of Terway's processes logs a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The daemon of the node.
    Daemon,
    /// The control plane, on behalf of the node.
    ControlPlane,
}

/// A log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// Who logs it.
    pub process: Process,
    /// The line.
    pub text: String,
}

/// Where a message is logged, and which.
struct Source {
    is_error: bool,
    place: &'static str,
    message: &'static str,
}

const fn info(place: &'static str, message: &'static str) -> Source {
    Source { is_error: false, place, message }
}

const fn error(place: &'static str, message: &'static str) -> Source {
    Source { is_error: true, place, message }
}

/// Writes log lines.
pub(super) struct Log<'m> {
    model: &'m Model,
    calendar: Calendar,
    /// Whether the control plane makes the calls.
    centralized: bool,
}

impl<'m> Log<'m> {
    pub fn new(model: &'m Model, centralized: bool) -> Self {
        Self { model, calendar: Calendar::of(model), centralized }
    }

    /// The lines of a step on the node; `held` is the address that a pod has that goes.
    pub fn of(&self, step: &Step, held: Option<Ipv4Addr>) -> Vec<Line> {
        match &step.what {
            What::Served { pod, address, tried, had, .. } => {
                self.served((*tried, Instant(step.at.0 - had.0), step.at), *pod, &address.to_string())
            }
            What::Failed { pod, tried, reason, .. } => self.failed(step.at, *pod, *tried, *reason),
            What::Gone(pod) => self.gone(step.at, *pod, held),
            What::Call(call) if call.heard => self.call(step.at, call),
            _ => Vec::new(),
        }
    }

    /// `AllocIP`, and the worker that waits for the address (`pkg/eni/local.go:1084`).
    fn served(&self, (tried, bound, at): (Instant, Instant, Instant), pod: PodName, address: &str) -> Vec<Line> {
        let pod = self.pod(pod);
        let mut lines = vec![self.line(tried, &info("daemon.go:109", "alloc ip req"), std::slice::from_ref(&pod))];
        if !self.centralized {
            let v4 = quoted("ipv4", address);
            lines.push(self.line(bound, &info("local.go:1084", "allocWorker got ip"), &[pod.clone(), v4]));
        }
        lines.push(self.line(at, &info("daemon.go:141", "alloc ip"), &[pod]));
        lines
    }

    fn failed(&self, at: Instant, pod: PodName, tried: Instant, reason: FailureReason) -> Vec<Line> {
        let err = match reason {
            FailureReason::NodeFull | FailureReason::Inhibited => "no eni can handle the allocation",
            FailureReason::Deadline | FailureReason::Peeked => "context deadline exceeded",
            // The process is dead, or there is none; or it is one of before v1.7, whose log is another.
            FailureReason::Restart
            | FailureReason::Down
            | FailureReason::Busy
            | FailureReason::Refused
            | FailureReason::Foreign
            | FailureReason::Processing => return Vec::new(),
        };
        let pod = self.pod(pod);
        let asked = self.line(tried, &info("daemon.go:109", "alloc ip req"), std::slice::from_ref(&pod));
        let failed = self.line(at, &error("daemon.go:139", "alloc ip failed"), &[quoted("err", err), pod]);
        vec![asked, failed]
    }

    /// `ReleaseIP`. The address of a pod of a StatefulSet stays with it (rule R128).
    fn gone(&self, at: Instant, pod: PodName, held: Option<Ipv4Addr>) -> Vec<Line> {
        let sticky = matches!(self.model.workloads[pod.workload as usize].kind, WorkloadKind::StatefulSet { .. });
        let pod = self.pod(pod);
        let released = held.filter(|_| !sticky && !self.centralized).map(|address| {
            let v4 = quoted("ipv4", &address.to_string());
            self.line(at, &info("local.go:512", "release ipv4"), &[pod.clone(), v4])
        });
        let asked = self.line(at, &info("daemon.go:300", "release ip req"), std::slice::from_ref(&pod));
        let done = self.line(at, &info("daemon.go:328", "release ip"), std::slice::from_ref(&pod));
        [Some(asked), released, Some(done)].into_iter().flatten().collect()
    }

    /// A call, and what the worker of the slot makes of its failure.
    fn call(&self, at: Instant, call: &CallStep) -> Vec<Line> {
        let Some(source) = self.source(call) else { return Vec::new() };
        let err = refusal(self.model, call).map(|err| quoted("err", &err));
        let eni = |key| call.eni.map(|eni| quoted(key, &eni_id(eni)));
        let vswitch = || call.vswitch.map(|id| quoted("VSwitchId", &self.model.vpc.vswitches[id.index()].id));
        let (subject, created) = match call.api {
            Api::CreateNetworkInterface => (vswitch(), eni("eni")),
            Api::DescribeVSwitches => (vswitch(), None),
            _ => (eni("NetworkInterfaceId"), None),
        };
        let values = [err.clone(), Some(quoted("api", call.api.name())), subject, created];
        let process = if self.centralized { Process::ControlPlane } else { Process::Daemon };
        let mut lines =
            vec![Line { process, ..self.line(at, &source, &values.into_iter().flatten().collect::<Vec<_>>()) }];
        if let Some(err) = err.filter(|_| self.reaches_worker(call)) {
            lines.push(match call.api {
                Api::CreateNetworkInterface => self.line(at, &error("local.go:700", "create eni failed"), &[err]),
                _ => {
                    let values: Vec<_> = [Some(err), eni("eni")].into_iter().flatten().collect();
                    self.line(at, &error("local.go:760", "assign ipv4 failed"), &values)
                }
            });
        }
        lines
    }

    /// Whether the worker of a slot logs that a call failed.
    fn reaches_worker(&self, call: &CallStep) -> bool {
        let asks = matches!(call.api, Api::CreateNetworkInterface | Api::AssignPrivateIpAddresses);
        asks && !self.centralized && ends_work(call, self.centralized)
    }

    /// Who logs the end of a call, in `pkg/aliyun/client`, and what; nobody does if a look at a vSwitch
    /// ends well.
    fn source(&self, call: &CallStep) -> Option<Source> {
        let is_error = matches!(call.answer, CallAnswer::Refused(_));
        // The client has two of some calls, of which the control plane takes the second.
        let (daemon, plane, message) = match (call.api, is_error) {
            (Api::CreateNetworkInterface, false) => ("ecs.go:71", "ecs.go:71", "eni created"),
            (Api::CreateNetworkInterface, true) => ("ecs.go:63", "ecs.go:63", "failed"),
            (Api::AttachNetworkInterface, false) => ("ecs.go:176", "ecs.go:176", "attach eni"),
            (Api::AttachNetworkInterface, true) => ("ecs.go:173", "ecs.go:173", "attach eni failed"),
            (Api::DetachNetworkInterface, false) => ("ecs.go:208", "ecs.go:208", "detach eni"),
            (Api::DetachNetworkInterface, true) => ("ecs.go:205", "ecs.go:205", "detach eni failed"),
            (Api::DeleteNetworkInterface, false) => {
                ("ecs.go:239", "ecs.go:239", "delete eni request accepted, polling for deletion")
            }
            (Api::DeleteNetworkInterface, true) => ("ecs.go:236", "ecs.go:236", "delete eni failed"),
            (Api::AssignPrivateIpAddresses, false) => ("ecs.go:347", "ecs_2.go:118", "assign private ip"),
            (Api::AssignPrivateIpAddresses, true) => ("ecs.go:328", "ecs_2.go:99", "failed"),
            (Api::UnassignPrivateIpAddresses, false) => ("ecs.go:389", "ecs_2.go:194", "success"),
            (Api::UnassignPrivateIpAddresses, true) => ("ecs.go:386", "ecs_2.go:191", "unassign private ip failed"),
            (Api::AssignIpv6Addresses, false) => ("ecs.go:444", "ecs_2.go:258", "assign ipv6"),
            (Api::AssignIpv6Addresses, true) => ("ecs.go:425", "ecs_2.go:230", "failed"),
            (Api::UnassignIpv6Addresses, false) => ("ecs.go:485", "ecs_2.go:325", "success"),
            (Api::UnassignIpv6Addresses, true) => ("ecs.go:482", "ecs_2.go:322", "unassign ipv6 ip failed"),
            (Api::DescribeNetworkInterfaces, false) => ("ecs.go:134", "ecs_2.go:56", "describe enis"),
            (Api::DescribeNetworkInterfaces, true) => ("ecs.go:127", "ecs_2.go:49", "error describe eni"),
            (Api::DescribeVSwitches, false) => return None,
            (Api::DescribeVSwitches, true) => ("vpc_service.go:58", "vpc_service.go:58", "DescribeVSwitches failed"),
        };
        Some(Source { is_error, place: if self.centralized { plane } else { daemon }, message })
    }

    fn pod(&self, pod: PodName) -> String {
        quoted("pod", &format!("{NAMESPACE}/{}", pod.text(self.model)))
    }

    /// `I0111 03:00:00.120000       1 daemon.go:109] "alloc ip req" pod="default/web-17"`: severity, time,
    /// process ID, source, message, values.
    fn line(&self, at: Instant, source: &Source, values: &[String]) -> Line {
        let Source { is_error, place, message } = source;
        let severity = if *is_error { 'E' } else { 'I' };
        let values: String = values.iter().map(|value| format!(" {value}")).collect();
        let text = format!("{severity}{} {:>7} {place}] {message:?}{values}", self.calendar.klog(at), 1);
        Line { at, process: Process::Daemon, text }
    }
}

/// Whether a refusal is given back to whoever works on a slot. The client repeats a call after some codes
/// (`pkg/aliyun/client/ecs.go:65, 330`), and a daemon that creates an interface tries another vSwitch
/// after others (`pkg/factory/aliyun/aliyun.go:121-127`); what comes of that in the end is no call, and
/// is not shown.
pub(super) fn ends_work(call: &CallStep, centralized: bool) -> bool {
    let creates = call.api == Api::CreateNetworkInterface && !centralized;
    match call.answer {
        CallAnswer::Refused(ErrorCode::Throttling | ErrorCode::Internal) => false,
        CallAnswer::Refused(ErrorCode::IpNotEnough | ErrorCode::QuotaPrivateIp) => !creates,
        CallAnswer::Refused(_) => true,
        CallAnswer::Done | CallAnswer::Free(_) => false,
    }
}

/// The error of a refused call (`E.Error`, `pkg/aliyun/client/errors/errors.go:136-142`). What the cloud
/// says besides the code is known of one code only.
pub(super) fn refusal(model: &Model, call: &CallStep) -> Option<String> {
    let CallAnswer::Refused(code) = call.answer else { return None };
    let vswitch = call.vswitch.map(|id| model.vpc.vswitches[id.index()].id.as_str()).unwrap_or_default();
    let message = match code {
        ErrorCode::IpNotEnough => ip_not_enough_message(vswitch),
        _ => "…".to_owned(),
    };
    Some(format!("errCode: {}, msg: {message}, requestID: …", code.name()))
}

/// A value as klog writes it: a text in quotes, with those inside escaped.
fn quoted(key: &str, text: &str) -> String {
    format!("{key}={text:?}")
}
