//! What is to be pasted.

use crate::address::usable;
use crate::model::{Model, VSwitch};
use crate::study::seek::{Knob, KnobKind};
use crate::units::thousands;

/// The answer as it goes into Terraform or into eni-config; `model` is that of the answer. None
/// for a value that has no place there.
#[must_use]
pub fn snippet(knob: &Knob, value: &str, model: &Model) -> Option<String> {
    let vswitches = |of: &str, all: bool| {
        let is_copy = |id: &str| id.strip_prefix(of).and_then(|n| n.strip_prefix('-')).is_some_and(is_number);
        let wanted = |v: &&VSwitch| v.id == of || all && is_copy(&v.id);
        model.vpc.vswitches.iter().filter(wanted).map(vswitch).collect::<Vec<_>>().join("\n")
    };
    match &knob.kind {
        KnobKind::Prefix { vswitch } => Some(vswitches(vswitch, false)),
        KnobKind::Copies { vswitch } => Some(vswitches(vswitch, true)),
        KnobKind::EniConfig { key } => Some(eni_config(key, value)),
        KnobKind::InstanceType { pool } => Some(format!(
            "resource \"alicloud_cs_kubernetes_node_pool\" \"{pool}\" {{\n  instance_types = [\"{value}\"]\n  # ...\n}}\n"
        )),
        KnobKind::Other => None,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn vswitch(vswitch: &VSwitch) -> String {
    format!(
        "resource \"alicloud_vswitch\" \"{}\" {{\n  zone_id    = \"{}\"\n  cidr_block = \"{}\" # {} usable addresses\n  \
         # ...\n}}\n",
        vswitch.id,
        vswitch.zone,
        vswitch.cidr,
        thousands(usable(vswitch.cidr).into())
    )
}

/// A merge patch of eni_conf; a key that is one word is JSON as it is in YAML, if it is a number.
fn eni_config(key: &str, value: &str) -> String {
    let value =
        if serde_json::from_str::<serde_json::Value>(value).is_ok() { value.to_owned() } else { format!("{value:?}") };
    format!(
        "# kubectl -n kube-system edit configmap eni-config, then restart terway-eniip: daemons read it when they start\n\
         \"{key}\": {value}\n"
    )
}
