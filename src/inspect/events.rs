//! Events of pods and of the node, with the reasons and messages of Terway and of the kubelet.
//!
//! Real events are thinned (rule K12): similar ones are put together after ten in ten minutes. Here each
//! one is shown.

use super::calendar::go_duration;
use super::classic_log;
use super::daemon_log::{ends_work, refusal};
use super::names::NAMESPACE;
use crate::model::{Ipam, Model};
use crate::openapi::Api;
use crate::record::{CallStep, FailureReason, PodName, Step, What};
use crate::time::Instant;

/// An event as the API server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// Whether its type is Warning; the others are Normal.
    pub warning: bool,
    /// A word for machines.
    pub reason: &'static str,
    /// `pod/web-17`, `node/default-3`.
    pub object: String,
    /// What happened.
    pub message: String,
}

/// The events of a step on `node`.
pub(super) fn of(model: &Model, node: &str, step: &Step) -> Vec<Event> {
    let pod_event = |pod: &PodName, warning, reason, message: String| Event {
        at: step.at,
        warning,
        reason,
        object: format!("pod/{}", pod.text(model)),
        message,
    };
    match &step.what {
        // kube-scheduler.
        What::Scheduled(pod) => {
            let message = format!("Successfully assigned {NAMESPACE}/{} to {node}", pod.text(model));
            vec![pod_event(pod, false, "Scheduled", message)]
        }
        // `plugin/terway/cni_linux.go:115-126`, rule K3.
        What::Served { pod, vswitch, address, tried, .. } => {
            let length = model.vpc.vswitches[vswitch.index()].cidr.prefix_len();
            let took = match model.ipam {
                Ipam::Classic(_) => String::new(),
                Ipam::NodeLocal | Ipam::Centralized(_) => format!(" took {}", go_duration(step.at.since(*tried))),
            };
            vec![pod_event(pod, false, "AllocIPSucceed", format!("Alloc IP {address}/{length}{took}"))]
        }
        What::Failed { pod, reason, .. } => {
            // The daemon writes the plugin's event, if there is one.
            let heard = !matches!(reason, FailureReason::Restart | FailureReason::Down);
            let message = match model.ipam {
                Ipam::Classic(version) => classic_log::told(version, &pod.text(model), *reason),
                Ipam::NodeLocal | Ipam::Centralized(_) => reason.message().to_owned(),
            };
            // The kubelet, with containerd (rules R132, K7; `plugin/terway/cni.go:101`).
            let sandbox = format!(
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \
                 \"…\": plugin type=\"terway\" failed (add): failed to do add; {message}"
            );
            let terway = heard.then(|| pod_event(pod, true, "AllocIPFailed", message));
            terway.into_iter().chain([pod_event(pod, true, "FailedCreatePodSandBox", sandbox)]).collect()
        }
        What::Call(call) if is_told(call, matches!(model.ipam, Ipam::Centralized(_))) => {
            let message = refusal(model, call).unwrap_or_default();
            let object = format!("node/{node}");
            vec![Event { at: step.at, warning: true, reason: "AllocIPFailed", object, message }]
        }
        _ => Vec::new(),
    }
}

/// Whether a call's failure becomes an event of the node (rules R133, R134; `errorHandleLocked`,
/// `pkg/eni/local.go:975-980`; `pkg/controller/multi-ip/node/pool.go:1236`).
fn is_told(call: &CallStep, centralized: bool) -> bool {
    let asks =
        matches!(call.api, Api::CreateNetworkInterface | Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses);
    asks && call.heard && ends_work(call, centralized)
}
