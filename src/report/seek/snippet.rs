//! What is to be pasted.

use crate::address::usable;
use crate::model::{Model, VSwitch};
use crate::study::seek::{Knob, KnobKind};
use crate::units::thousands;

/// The answer as it goes into Terraform or into eni-config; `model` is that of the answer. None
/// for a value that has no place there.
#[must_use]
pub fn snippet(knob: &Knob, value: &str, model: &Model) -> Option<String> {
    let all = &model.vpc.vswitches;
    let resource = |id: &str| all.iter().find(|of| of.id == id).map_or(String::new(), self::vswitch);
    match &knob.kind {
        KnobKind::Prefix { vswitch } => Some(format!(
            "# For a cluster that is yet to be made: Terraform replaces a vSwitch whose cidr_block changes.\n{}",
            resource(vswitch)
        )),
        KnobKind::Copies { vswitch } => {
            // Copies stand right behind the vSwitch.
            let number = value.parse().unwrap_or(1);
            let copies: Vec<_> = all.iter().skip_while(|of| of.id != *vswitch).take(number).collect();
            let resources: Vec<_> = copies.iter().map(|of| self::vswitch(of)).collect();
            Some(resources.join("\n") + &listed(&copies))
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
