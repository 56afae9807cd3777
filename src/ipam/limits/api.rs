//! What `aliyun ecs DescribeInstanceTypes` prints.

use std::collections::BTreeMap;

use super::InstanceLimits;
use crate::ipam::json::{self, Json};
use crate::ipam::note::{Checked, Note, Place, unless_error};

/// Reads the JSON that `aliyun ecs DescribeInstanceTypes` prints (rule R33): limits by type name.
/// Several answers (pages) may follow one another, also as a list. Places in notes carry the
/// number `source`.
///
/// # Errors
/// Every problem, if at least one is an error.
pub fn from_api(text: &str, source: usize) -> Checked<BTreeMap<String, InstanceLimits>> {
    let answers = json::parse(text, &|span| Place { source, span }).map_err(|note| vec![note.hint(PRINT_IT)])?;
    let mut reader = Reader::default();
    for answer in &answers {
        match answer.elements() {
            [] => reader.answer(answer),
            pages => pages.iter().for_each(|page| reader.answer(page)),
        }
    }
    if answers.is_empty() {
        let place = Place { source, span: 0..text.len() };
        reader.notes.push(Note::error("there is no answer of DescribeInstanceTypes", "empty").at(place).hint(PRINT_IT));
    }
    unless_error(reader.types, reader.notes)
}

const PRINT_IT: &str = "give what `aliyun ecs DescribeInstanceTypes` prints";

#[derive(Default)]
struct Reader {
    types: BTreeMap<String, InstanceLimits>,
    notes: Vec<Note>,
}

impl Reader {
    fn answer(&mut self, answer: &Json) {
        match answer.get("InstanceTypes").and_then(|types| types.get("InstanceType")) {
            Some(list) if matches!(list.value, json::Value::Array(_)) => {
                list.elements().iter().for_each(|element| self.instance_type(element));
            }
            _ => {
                let note =
                    Note::error("this is not an answer of DescribeInstanceTypes", "no list InstanceTypes.InstanceType");
                self.notes.push(note.at(answer.place.clone()).hint(PRINT_IT));
            }
        }
    }

    /// Lists a type, unless something is wrong with it.
    fn instance_type(&mut self, json: &Json) {
        let before = self.notes.len();
        let name = json.get("InstanceTypeId").and_then(Json::text);
        let adapters = self.count(json, "EniQuantity");
        let ipv4_per_adapter = self.count(json, "EniPrivateIpAddressQuantity");
        let limits = InstanceLimits {
            adapters: adapters.unwrap_or(0),
            ipv4_per_adapter: ipv4_per_adapter.unwrap_or(0),
            ipv6_per_adapter: self.count(json, "EniIpv6AddressQuantity"),
            total_adapters: self.count(json, "EniTotalQuantity"),
            trunk: self.truth(json, "EniTrunkSupported"),
            erdma_adapters: self.count(json, "EriQuantity"),
            cpu_cores: self.count(json, "CpuCoreCount"),
            memory_mib: self.gibibytes(json, "MemorySize"),
        };
        for (key, found) in [
            ("InstanceTypeId", name.is_some()),
            ("EniQuantity", adapters.is_some()),
            ("EniPrivateIpAddressQuantity", ipv4_per_adapter.is_some()),
        ] {
            if !found && json.get(key).is_none() {
                let title = format!("`{key}` is missing in an instance type");
                self.notes.push(Note::error(title, "this type").at(json.place.clone()).hint(PRINT_IT));
            }
        }
        match (name, json.get("InstanceTypeId")) {
            (Some(name), _) if self.notes.len() == before => self.list(name, limits, json),
            (None, Some(found)) => self.wrong("InstanceTypeId", "a string", found),
            _ => {}
        }
    }

    fn list(&mut self, name: &str, limits: InstanceLimits, json: &Json) {
        if self.types.insert(name.to_owned(), limits).is_some_and(|earlier| earlier != limits) {
            let title = format!("`{name}` is there twice with different limits");
            self.notes.push(Note::error(title, "the second one").at(json.place.clone()).hint("keep one of them"));
        }
    }

    /// A number of things; negatives are none (R33).
    fn count(&mut self, json: &Json, key: &str) -> Option<u32> {
        let value = json.get(key)?;
        match value.int().map(|n| u32::try_from(n.max(0))) {
            Some(Ok(n)) => Some(n),
            _ => {
                self.wrong(key, "an integer", value);
                None
            }
        }
    }

    /// An amount of memory in GiB, as MiB.
    fn gibibytes(&mut self, json: &Json, key: &str) -> Option<u32> {
        let value = json.get(key)?;
        let mib = value.float().and_then(super::mebibytes);
        if mib.is_none() {
            self.wrong(key, "a number of GiB", value);
        }
        mib
    }

    fn truth(&mut self, json: &Json, key: &str) -> Option<bool> {
        let value = json.get(key)?;
        if value.bool().is_none() {
            self.wrong(key, "true or false", value);
        }
        value.bool()
    }

    fn wrong(&mut self, key: &str, wanted: &str, found: &Json) {
        let title = format!("`{key}` must be {wanted}, found {}", found.describe());
        self.notes.push(Note::error(title, "wrong type").at(found.place.clone()).hint(PRINT_IT));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// R33, R34 and CC53: 4 of 6 interfaces with and without trunk, and 4 × 5 addresses.
    #[test]
    fn answers_of_the_api_are_read() {
        let text = r#"{"RequestId": "x", "InstanceTypes": {"InstanceType": [
            {"InstanceTypeId": "ecs.a", "EniQuantity": 4, "EniTotalQuantity": 6, "EniTrunkSupported": true,
             "EniPrivateIpAddressQuantity": 5, "EniIpv6AddressQuantity": -1, "EriQuantity": 2, "GPUSpec": "",
             "CpuCoreCount": 1, "MemorySize": 0.5},
            {"InstanceTypeId": "ecs.b", "EniQuantity": 4, "EniTotalQuantity": 6, "EniTrunkSupported": false,
             "EniPrivateIpAddressQuantity": 5}]}}
            {"InstanceTypes": {"InstanceType": []}}"#;
        let (types, notes) = from_api(text, 0).unwrap();
        assert_eq!(notes, []);
        let (a, b) = (types["ecs.a"], types["ecs.b"]);
        assert_eq!((a.member_adapters(), a.max_member_adapters(), a.multi_ip_pods()), (Some(2), Some(4), 15));
        assert_eq!((b.member_adapters(), b.max_member_adapters()), (Some(0), Some(0)));
        assert_eq!((a.ipv6_per_adapter, b.ipv6_per_adapter), (Some(0), None));
        assert_eq!((a.cpu_cores, a.memory_mib, b.memory_mib), (Some(1), Some(512), None));
        assert_eq!(from_api(&format!("[{}]", text.lines().take(6).collect::<String>()), 0).unwrap().0.len(), 2);
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let text = r#"{"InstanceTypes": {"InstanceType": [{"InstanceTypeId": 7, "EniQuantity": "4",
            "EniTrunkSupported": 1, "MemorySize": -8}]}} {} []"#;
        let notes = from_api(text, 3).unwrap_err();
        let told: Vec<_> = notes.iter().map(|note| (note.title.as_str(), note.place.clone().unwrap())).collect();
        let at = |part: &str| {
            let start = text.find(part).unwrap();
            Place { source: 3, span: start..start + part.len() }
        };
        assert!(told[0].0.contains("`EniPrivateIpAddressQuantity` is missing"));
        assert_eq!(told[1], ("`InstanceTypeId` must be a string, found the number `7`", at("7")));
        assert_eq!(told[2], ("`EniQuantity` must be an integer, found the string `\"4\"`", at("\"4\"")));
        assert_eq!(told[3], ("`EniTrunkSupported` must be true or false, found the number `1`", at("1")));
        assert_eq!(told[4], ("`MemorySize` must be a number of GiB, found the number `-8`", at("-8")));
        assert_eq!(told[5].0, "this is not an answer of DescribeInstanceTypes");
        assert_eq!(told.len(), 7, "{told:?}");
        for text in ["", "[", "null"] {
            assert!(from_api(text, 0).is_err(), "{text}");
        }
    }

    /// CC53: R34's table.
    #[test]
    fn cc53_rdma_interfaces() {
        for (adapters, eri, res) in [(2, 0, 0), (2, 2, 0), (4, 2, 1), (8, 1, 1), (8, 4, 2)] {
            let limits = InstanceLimits {
                adapters,
                ipv4_per_adapter: 10,
                erdma_adapters: Some(eri),
                ..InstanceLimits::default()
            };
            assert_eq!(limits.erdma_res(), Some(res), "({adapters}, {eri})");
        }
    }
}
