//! Steps and entries of the journal as sentences, each with what makes it the same again.

use super::Teller;
use super::fold::Draft;
use crate::ipam::Failure;
use crate::openapi::Api;
use crate::outcome::{cause_text, had, tell};
use crate::record::{CallAnswer, Cause, JournalEntry, Recording, Step, TrunkWait, What};
use crate::text::{Text, phrase, text};

impl Teller<'_> {
    /// An attempt that failed.
    pub(super) fn attempt(&self, recording: &Recording, step: &Step) -> Option<Draft> {
        let What::Failed { pod, reason, cause, had: then, .. } = &step.what else { return None };
        let how = match reason {
            Failure::Inhibited if then.by_control_plane => {
                phrase!("is refused at once: no ENI of the node has a prefix (rule C141)")
            }
            Failure::NodeFull | Failure::Inhibited => {
                phrase!("is refused at once: no ENI takes its request (rule R74)")
            }
            Failure::Deadline | Failure::Peeked if then.by_control_plane => {
                phrase!("gets no address: none was there for it until its deadline (rules C115, C116)")
            }
            Failure::Deadline | Failure::Peeked => {
                phrase!("gets no address: its request waited in the daemon until its deadline (rule R112)")
            }
            Failure::Restart => phrase!("gets no address: the daemon was restarted while it waited (rule R135)"),
            Failure::Down => phrase!("is refused at once: the daemon is down (connection refused)"),
            Failure::Busy => phrase!(
                "is refused at once: three ENIs are being created or deleted, or each has ten requests (rules P51, P63)"
            ),
            Failure::Refused => phrase!("gets no address: the cloud refused what was asked for it (rules P59, P64)"),
            Failure::Foreign => {
                phrase!("is refused at once: no ENI is on a vSwitch of eni-config, and no slot is free (rule P50)")
            }
            Failure::Processing => phrase!("is refused at once: an earlier call for it is not done yet (rule P92)"),
        };
        let why = self.why(*reason, *cause);
        let mut text =
            text!("{} {how}. Why: {why}. The kubelet tries again (rule R119).", pod.text(self.model), how, why);
        if let Some(node) = step.node {
            text += text!(" {node} has {holdings}", recording.node_name(self.model, node), had(then, self.model));
            let came_back = *reason == Failure::Deadline && then.idle > 0 && !then.by_control_plane;
            text += if came_back {
                text!("; an address that a pod gives back wakes nobody (rule R69).")
            } else {
                text!(".")
            };
        }
        Some(Draft::again(step.at, text, text!("failed attempt ({why})", why), text!("failed attempts ({why})", why)))
    }

    /// Why an attempt failed.
    pub(super) fn why(&self, reason: Failure, cause: Option<Cause>) -> Text {
        match (cause, reason) {
            (Some(cause), _) => cause_text(cause, self.model).1,
            (None, Failure::Busy) => text!("the daemon does so much at a time"),
            (None, Failure::Foreign) => text!("eni-config lists other vSwitches"),
            (None, Failure::Processing) => text!("its last call hung until the CNI plugin gave up"),
            (None, Failure::Restart | Failure::Down) => text!("the daemon was restarted"),
            (None, _) => text!("nothing that Terway called for went wrong"),
        }
    }

    /// How long Terway of a node had no trunk, and why.
    pub(super) fn trunk_wait(&self, recording: &Recording, wait: &TrunkWait) -> Text {
        let node = recording.node_name(self.model, wait.node);
        let since = self.clock.moment(wait.since);
        let why = self.why(Failure::Refused, wait.cause);
        match wait.until {
            Some(until) => text!(
                "Terway of {node} had no trunk interface from {since} to {} ({why})",
                node,
                since,
                self.clock.moment(until),
                why
            ),
            None => text!("Terway of {node} has had no trunk interface since {since} ({why})", node, since, why),
        }
    }

    /// An entry of the journal.
    pub(super) fn entry(&self, entry: &JournalEntry) -> Draft {
        let text = match (entry.landmark, entry.kind) {
            (true, _) => entry.text.clone(),
            (false, "node_up" | "node_down") => text!("{node} is {power}", entry.subject, entry.text),
            (false, _) => text!("{node} {does}", entry.subject, entry.text),
        };
        let again = text!("× {text}", text);
        Draft::again(entry.at, text!("{}.", text), again.clone(), again)
    }

    /// A call that brings addresses or an interface, or that does not do what it is to do.
    pub(super) fn call(&self, recording: &Recording, step: &Step) -> Option<Draft> {
        let What::Call(call) = &step.what else { return None };
        let api = call.api.name();
        let told = tell(step, self.model, recording);
        let text = text!("{subject} {does}.", told.subject, told.text);
        let vswitch = call.vswitch.map(|id| self.model.vpc.vswitches[id.index()].id.as_str());
        let of = vswitch.map(|vswitch| text!(" for {vswitch}", vswitch)).unwrap_or_default();
        let (one, many) = match (call.answer, call.api) {
            (CallAnswer::Refused(code), _) => {
                let refused = text!("refused {api}{of} ({})", api, of, code.name());
                (refused.clone(), refused)
            }
            (CallAnswer::Free(0), _) => (text!("look-up{of} in vain", of), text!("look-ups{of} in vain", of)),
            (CallAnswer::Done, Api::CreateNetworkInterface) => (text!("new ENI{of}", of), text!("new ENIs{of}", of)),
            (CallAnswer::Done, Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses) => {
                let brings = text!("{api}{of} with addresses", api, of);
                (brings.clone(), brings)
            }
            _ => return None,
        };
        Some(Draft::again(step.at, text, one, many))
    }
}
