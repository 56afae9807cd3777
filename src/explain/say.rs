//! Steps and entries of the journal as sentences, each with what makes it the same again.

use super::Teller;
use super::fold::Draft;
use crate::ipam::Failure;
use crate::model::Ipam;
use crate::openapi::Api;
use crate::outcome::{cause_text, had, tell};
use crate::record::{CallAnswer, Cause, JournalEntry, Recording, Step, What};

impl Teller<'_> {
    /// An attempt that failed.
    pub(super) fn attempt(&self, recording: &Recording, step: &Step) -> Option<Draft> {
        let What::Failed { pod, reason, cause, had: then, .. } = &step.what else { return None };
        let is_centralized = matches!(self.model.ipam, Ipam::Centralized(_));
        let how = match reason {
            Failure::NodeFull if is_centralized => "is refused at once: no ENI of the node has a prefix (rule C141)",
            Failure::NodeFull | Failure::Inhibited => "is refused at once: no ENI takes its request (rule R74)",
            Failure::Deadline | Failure::Peeked if is_centralized => {
                "gets no address: none was there for it until its deadline (rules C115, C116)"
            }
            Failure::Deadline | Failure::Peeked => {
                "gets no address: its request waited in the daemon until its deadline (rule R112)"
            }
            Failure::Restart => "gets no address: the daemon was restarted while it waited (rule R135)",
            Failure::Down => "is refused at once: the daemon is down (connection refused)",
            Failure::Busy => {
                "is refused at once: three ENIs are being created or deleted, or each has ten requests (rules P51, P63)"
            }
            Failure::Refused => "gets no address: the cloud refused what was asked for it (rules P59, P64)",
            Failure::Foreign => {
                "is refused at once: no ENI is on a vSwitch of eni-config, and no slot is free (rule P50)"
            }
            Failure::Processing => "is refused at once: an earlier call for it is not done yet (rule P92)",
        };
        let why = self.why(*reason, *cause);
        let mut text = format!("{} {how}. Why: {why}. The kubelet tries again (rule R119).", pod.text(self.model));
        if let Some(node) = step.node {
            text += &format!(" {} has {}", recording.node_name(self.model, node), had(then, self.model));
            let came_back = *reason == Failure::Deadline && then.idle > 0 && !is_centralized;
            text += if came_back { "; an address that a pod gives back wakes nobody (rule R69)." } else { "." };
        }
        Some(Draft::again(step.at, text, &format!("failed attempt ({why})"), &format!("failed attempts ({why})")))
    }

    /// Why an attempt failed.
    pub(super) fn why(&self, reason: Failure, cause: Option<Cause>) -> String {
        match (cause, reason) {
            (Some(cause), _) => cause_text(cause, self.model).1,
            (None, Failure::Busy) => "the daemon does so much at a time".to_owned(),
            (None, Failure::Foreign) => "eni-config lists other vSwitches".to_owned(),
            (None, Failure::Processing) => "its last call hung until the CNI plugin gave up".to_owned(),
            (None, Failure::Restart | Failure::Down) => "the daemon was restarted".to_owned(),
            (None, _) => "nothing that Terway called for went wrong".to_owned(),
        }
    }

    /// An entry of the journal.
    pub(super) fn entry(&self, entry: &JournalEntry) -> Draft {
        let text = match (entry.landmark, entry.text.as_str()) {
            (true, text) => text.to_owned(),
            (false, text @ ("up" | "down")) => format!("{} is {text}", entry.subject),
            (false, text) => format!("{} {text}", entry.subject),
        };
        let again = format!("× {text}");
        Draft::again(entry.at, text + ".", &again, &again)
    }

    /// A call that brings addresses or an interface, or that does not do what it is to do.
    pub(super) fn call(&self, recording: &Recording, step: &Step) -> Option<Draft> {
        let What::Call(call) = &step.what else { return None };
        let api = call.api.name();
        let told = tell(step, self.model, recording);
        let text = format!("{} {}.", told.subject, told.text);
        let vswitch = call.vswitch.map(|id| self.model.vpc.vswitches[id.index()].id.as_str());
        let of = vswitch.map(|vswitch| format!(" for {vswitch}")).unwrap_or_default();
        let (one, many) = match (call.answer, call.api) {
            (CallAnswer::Refused(code), _) => {
                let refused = format!("refused {api}{of} ({})", code.name());
                (refused.clone(), refused)
            }
            (CallAnswer::Free(0), _) => (format!("look-up{of} in vain"), format!("look-ups{of} in vain")),
            (CallAnswer::Done, Api::CreateNetworkInterface) => (format!("new ENI{of}"), format!("new ENIs{of}")),
            (CallAnswer::Done, Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses) => {
                let brings = format!("{api}{of} with addresses");
                (brings.clone(), brings)
            }
            _ => return None,
        };
        Some(Draft::again(step.at, text, &one, &many))
    }
}
