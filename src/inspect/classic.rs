//! What `terway-cli` shows of a daemon of v1.1 to v1.6 beside the four columns.

use std::net::Ipv4Addr;

use super::calendar::Calendar;
use super::names::{eni_mac, resource_id};
use super::tree::{self, Line};
use crate::id::EniId;
use crate::ipam::classic::{self, Defect, Sizes, Version};

/// A daemon as it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classic {
    version: Version,
    sizes: Sizes,
    idle: Vec<String>,
    in_use: Vec<String>,
    interfaces: Vec<Interface>,
    /// Whether it answers `mapping`: a deadlock holds one of the locks that this takes (rules A1, B15, P85).
    pub answers: bool,
}

/// An interface of the factory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interface {
    /// `None` = it is being created.
    mac: Option<String>,
    pending: u32,
    addresses: Vec<String>,
    inhibited_until: String,
}

impl Classic {
    pub(super) fn of(daemon: &classic::Classic, trace: &classic::Trace, calendar: &Calendar) -> Self {
        let id = |&(eni, address): &(EniId, Ipv4Addr)| resource_id(&eni_mac(eni), &address.to_string());
        let interfaces = trace.interfaces.iter().map(|interface| Interface {
            mac: interface.eni.map(eni_mac),
            pending: interface.pending,
            addresses: interface.addresses.iter().map(Ipv4Addr::to_string).collect(),
            inhibited_until: calendar.go_seconds(interface.inhibited_until),
        });
        let config = daemon.config();
        Self {
            version: config.profile.version,
            sizes: config.sizes,
            idle: trace.idle.iter().map(id).collect(),
            in_use: trace.in_use.iter().map(id).collect(),
            interfaces: interfaces.collect(),
            answers: !matches!(daemon.defect(), Some(Defect::RollbackDeadlock | Defect::ResultDeadlock)),
        }
    }

    /// Keys of `show network_service` that are empty in a cluster; v1.6 has them no more
    /// (`daemon/daemon.go:1173-1183` of v1.4.4).
    #[must_use]
    pub fn empty_keys(&self) -> &'static [&'static str] {
        if self.version < Version::V1_6_0 { &["kubeconfig", "master"] } else { &[] }
    }

    /// `terway-cli list` (rule B16). Upstream lists the types in any order.
    #[must_use]
    pub fn list(&self) -> String {
        "* network_service\n* resource_pool\n* factory\n\n".to_owned()
    }

    /// `terway-cli show resource_pool` (rule B19, `pkg/pool/pool.go:448-466`). Upstream lists what is in use
    /// in any order.
    #[must_use]
    pub fn resource_pool(&self) -> String {
        let Sizes { min_idle, max_idle, capacity, .. } = self.sizes;
        draw(vec![
            (1, "name: eniip".to_owned()),
            (1, format!("max_idle: {max_idle}")),
            (1, format!("min_idle: {min_idle}")),
            (1, format!("capacity: {capacity}")),
            (1, format!("idle: {}", self.idle.join(", "))),
            (1, format!("inuse: {}", self.in_use.join(", "))),
        ])
    }

    /// `terway-cli show factory` (rule B20, `daemon/eni-multi-ip.go:721-764`); `None` = an interface is being
    /// created, on which the daemon dies of this question (rule P61).
    #[must_use]
    pub fn factory(&self) -> Option<String> {
        let addresses: usize = self.interfaces.iter().map(|interface| interface.addresses.len()).sum();
        let mut lines = vec![
            (1, "name: eniip".to_owned()),
            (1, format!("eni_max_ip: {}", self.sizes.ips_per_eni)),
            (1, format!("eni_count: {}", self.interfaces.len())),
            (1, format!("secondary_ip_count: {addresses}")),
        ];
        if !self.interfaces.is_empty() {
            lines.push((1, "eni".to_owned()));
        }
        for Interface { mac, pending, addresses, inhibited_until } in &self.interfaces {
            lines.push((2, mac.clone()?));
            lines.push((3, format!("pending: {pending}")));
            lines.push((3, format!("secondary_ips: {}", addresses.join(" "))));
            lines.push((3, format!("ip_alloc_inhibit_expire_at: {inhibited_until}")));
        }
        Some(draw(lines))
    }
}

/// A tree with an empty root (rule B18).
fn draw(lines: Vec<Line>) -> String {
    tree::draw(&std::iter::once((0, String::new())).chain(lines).collect::<Vec<_>>()) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mac: Option<&str>) -> Classic {
        let interface = Interface {
            mac: mac.map(str::to_owned),
            pending: 2,
            addresses: vec!["10.0.0.1".to_owned(), "10.0.0.2".to_owned()],
            inhibited_until: "0001-01-01 00:00:00".to_owned(),
        };
        Classic {
            version: Version::V1_4_4,
            sizes: Sizes { max_eni: 3, ips_per_eni: 10, capacity: 30, min_idle: 0, max_idle: 5 },
            idle: vec!["m.10.0.0.2".to_owned()],
            in_use: vec!["m.10.0.0.1".to_owned()],
            interfaces: vec![interface],
            answers: true,
        }
    }

    /// B18 to B20: keys with a slash are groups, and the order is the daemon's.
    #[test]
    fn b20_pool_and_factory_as_trees() {
        let factory = "\
└─┬
  ├──name: eniip
  ├──eni_max_ip: 10
  ├──eni_count: 1
  ├──secondary_ip_count: 2
  └─┬eni
    └─┬00:16:3e:00:00:01
      ├──pending: 2
      ├──secondary_ips: 10.0.0.1 10.0.0.2
      └──ip_alloc_inhibit_expire_at: 0001-01-01 00:00:00

";
        assert_eq!(shown(Some("00:16:3e:00:00:01")).factory().as_deref(), Some(factory));
        let pool = "\
└─┬
  ├──name: eniip
  ├──max_idle: 5
  ├──min_idle: 0
  ├──capacity: 30
  ├──idle: m.10.0.0.2
  └──inuse: m.10.0.0.1

";
        assert_eq!(shown(None).resource_pool(), pool);
    }

    /// P61: nobody survives the question while an interface is being created.
    #[test]
    fn p61_the_factory_is_not_shown_while_an_interface_is_being_created() {
        assert_eq!(shown(None).factory(), None);
    }
}
