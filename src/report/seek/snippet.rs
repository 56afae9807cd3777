//! What is to be pasted.

use crate::address::usable;
use crate::model::{Model, VSwitch};
use crate::study::seek::{Knob, KnobKind};
use crate::units::thousands;

/// The answer as it goes into Terraform or into eni-config; `model` is that of the answer. None
/// for a value that has no place there.
#[must_use]
pub fn snippet(knob: &Knob, value: &str, model: &Model) -> Option<String> {
    let of = |of: &str, all: bool| {
        let is_copy = |id: &str| id.strip_prefix(of).and_then(|n| n.strip_prefix('-')).is_some_and(is_number);
        let wanted = |v: &&VSwitch| v.id == of || all && is_copy(&v.id);
        model.vpc.vswitches.iter().filter(wanted).collect::<Vec<_>>()
    };
    let resources = |of: &[&VSwitch]| of.iter().map(|of| vswitch(of)).collect::<Vec<_>>().join("\n");
    match &knob.kind {
        KnobKind::Prefix { vswitch } => Some(format!(
            "# For a cluster that is yet to be made: Terraform replaces a vSwitch whose cidr_block changes.\n{}",
            resources(&of(vswitch, false))
        )),
        KnobKind::Copies { vswitch } => {
            Some(format!("{}{}", resources(&of(vswitch, true)), listed(&of(vswitch, true))))
        }
        KnobKind::EniConfig { key } => Some(eni_config(key, value)),
        KnobKind::InstanceType { pool } => Some(format!(
            "resource \"alicloud_cs_kubernetes_node_pool\" \"{pool}\" {{\n  instance_types = [\"{value}\"]\n  # ...\n}}\n"
        )),
        KnobKind::Other => None,
    }
}

/// That eni-config has to list vSwitches of a zone.
fn listed(vswitches: &[&VSwitch]) -> String {
    let ids: Vec<_> = vswitches.iter().map(|vswitch| format!("\"{}\"", vswitch.id)).collect();
    let zone = vswitches.first().map_or("", |vswitch| &vswitch.zone);
    format!("\n# In eni-config, beside what else it lists:\n\"vswitches\": {{\"{zone}\": [{}]}}\n", ids.join(", "))
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
