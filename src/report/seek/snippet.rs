//! What is to be pasted.

use crate::address::usable;
use crate::model::{Model, VSwitch};
use crate::study::seek::{Knob, KnobKind};
use crate::units::thousands;

/// The answer as it goes into Terraform or into eni-config; `model` is that of the answer. None
/// for a value that has no place there.
#[must_use]
pub fn snippet(knob: &Knob, value: &str, model: &Model) -> Option<String> {
    let sought = |ids: &[String]| ids.iter().flat_map(|id| model.vpc.with_copies(id)).collect::<Vec<_>>();
    let resources = |of: &[&VSwitch]| of.iter().map(|of| vswitch(of)).collect::<Vec<_>>().join("\n");
    match &knob.kind {
        KnobKind::Prefix { vswitches } => Some(format!(
            "# For a cluster that is yet to be made: Terraform replaces a vSwitch whose cidr_block changes.\n{}",
            resources(&sought(vswitches))
        )),
        KnobKind::Copies { vswitches } => {
            let copies = sought(vswitches);
            Some(resources(&copies) + &listed(&copies))
        }
        KnobKind::EniConfig { key } => Some(eni_config(key, value)),
        KnobKind::InstanceType { pool } => Some(format!(
            "resource \"alicloud_cs_kubernetes_node_pool\" \"{pool}\" {{\n  instance_types = [\"{value}\"]\n  # ...\n}}\n"
        )),
        KnobKind::Other => None,
    }
}

/// That eni-config has to list vSwitches of their zones.
fn listed(vswitches: &[&VSwitch]) -> String {
    let mut zones: Vec<(&str, Vec<String>)> = Vec::new();
    for vswitch in vswitches {
        let id = format!("\"{}\"", vswitch.id);
        match zones.iter_mut().find(|(zone, _)| *zone == vswitch.zone) {
            Some((_, ids)) => ids.push(id),
            None => zones.push((&vswitch.zone, vec![id])),
        }
    }
    let zones: Vec<_> = zones.iter().map(|(zone, ids)| format!("\"{zone}\": [{}]", ids.join(", "))).collect();
    format!("\n# In eni-config, beside what else it lists:\n\"vswitches\": {{{}}}\n", zones.join(", "))
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
