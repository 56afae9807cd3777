//! The built-in table of instance types, `assets/ecs-instance-types.csv`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::InstanceLimits;

/// The table; every row says where its figures come from.
const TEXT: &str = include_str!("../../../assets/ecs-instance-types.csv");

/// An instance type of the built-in table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name, such as `ecs.g7.2xlarge`.
    pub name: String,
    /// Interfaces, the primary one included.
    pub adapters: u32,
    /// What it allows; `None` where the source does not say how many IPv4 addresses an interface
    /// has.
    pub limits: Option<InstanceLimits>,
    /// Where the figures come from, and what is doubtful about them.
    pub source: String,
}

/// Why an instance type has no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownType {
    /// The table does not have it.
    #[error("instance type `{name}` is not known; the nearest are {}", list(nearest))]
    Absent {
        /// The name.
        name: String,
        /// The three known names nearest to it, the nearest first.
        nearest: [&'static str; 3],
    },
    /// The table has it without its IPv4 addresses per interface.
    #[error("the IPv4 addresses per interface of instance type `{name}` are not known")]
    Incomplete {
        /// The type as far as it is known.
        name: &'static str,
        /// Interfaces, the primary one included.
        adapters: u32,
        /// Where the figures come from.
        document: &'static str,
    },
}

/// Every type of the built-in table, sorted by name.
#[must_use]
pub fn builtin_types() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        let mut rows = parse(TEXT).expect("a test reads every row of the built-in table");
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    });
    &ROWS
}

/// Looks up an instance type in the built-in table: its limits and their source.
///
/// # Errors
/// If the table lacks it or its IPv4 addresses per interface.
pub fn builtin(name: &str) -> Result<(InstanceLimits, &'static str), UnknownType> {
    let rows = builtin_types();
    let Ok(at) = rows.binary_search_by(|row| row.name.as_str().cmp(name)) else {
        return Err(UnknownType::Absent { name: name.to_owned(), nearest: nearest(name, rows) });
    };
    let row = &rows[at];
    let incomplete = || UnknownType::Incomplete { name: &row.name, adapters: row.adapters, document: &row.source };
    Ok((row.limits.ok_or_else(incomplete)?, &row.source))
}

/// The three names nearest to `name`: few signs differ, and a long beginning, the family, does not.
fn nearest(name: &str, rows: &'static [Row]) -> [&'static str; 3] {
    let name = name.trim().to_lowercase();
    let name = if name.starts_with("ecs.") { name } else { format!("ecs.{name}") };
    let mut known: Vec<&'static str> = rows.iter().map(|row| row.name.as_str()).collect();
    known.sort_by_cached_key(|known| strsim::damerau_levenshtein(&name, known) as isize - common_prefix(&name, known));
    [known[0], known[1], known[2]]
}

fn common_prefix(a: &str, b: &str) -> isize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count() as isize
}

fn list(names: &[&str; 3]) -> String {
    let [a, b, c] = names;
    format!("`{a}`, `{b}` and `{c}`")
}

/// A row as written; an empty cell = the source does not say.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    instance_type_id: String,
    cpu_core_count: Option<u32>,
    memory_size: Option<f64>,
    eni_quantity: u32,
    eni_total_quantity: Option<u32>,
    eni_trunk_supported: Option<bool>,
    eni_private_ip_address_quantity: Option<u32>,
    eni_ipv6_address_quantity: Option<u32>,
    eri_quantity: Option<u32>,
    #[serde(rename = "source")]
    source: String,
    #[serde(rename = "notes")]
    notes: String,
}

fn parse(text: &str) -> Result<Vec<Row>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.map(Written::row)).collect()
}

impl Written {
    fn row(self) -> Row {
        let limits = self.eni_private_ip_address_quantity.map(|ipv4_per_adapter| InstanceLimits {
            adapters: self.eni_quantity,
            ipv4_per_adapter,
            ipv6_per_adapter: self.eni_ipv6_address_quantity,
            total_adapters: self.eni_total_quantity,
            trunk: self.eni_trunk_supported,
            erdma_adapters: self.eri_quantity,
            cpu_cores: self.cpu_core_count,
            memory_mib: self.memory_size.and_then(super::mebibytes),
        });
        let source = if self.notes.is_empty() { self.source } else { format!("{} ({})", self.source, self.notes) };
        Row { name: self.instance_type_id, adapters: self.eni_quantity, limits, source }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::ipam::node_local::MAX_ADDRESSES;

    #[test]
    fn every_row_of_the_table_is_sane() {
        let rows = builtin_types();
        assert_eq!(rows.len(), TEXT.lines().count() - 1);
        for pair in rows.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} twice", pair[1].name);
        }
        for Row { name, adapters, limits, source } in rows {
            assert!(name.starts_with("ecs.") && !source.is_empty(), "{name}");
            assert!((1..=255).contains(adapters), "{name}: {adapters}");
            let Some(limits) = limits else { continue };
            assert!((1..=MAX_ADDRESSES).contains(&limits.ipv4_per_adapter), "{name}: {limits:?}");
            assert!(limits.total_adapters.is_none_or(|total| total >= *adapters), "{name}: {limits:?}");
            assert!(limits.cpu_cores.is_none_or(|cores| (1..=1024).contains(&cores)), "{name}: {limits:?}");
            assert!(limits.memory_mib.is_none_or(|mib| mib >= 512), "{name}: {limits:?}");
        }
        assert_eq!(rows.iter().filter(|row| row.limits.is_none()).count(), 15);
    }

    /// G01 to G07: figures of Alibaba Cloud's documentation, and G08, G09 on trunks.
    #[test]
    fn pod_capacities_are_those_of_the_documentation() {
        let of = |name| builtin(name).unwrap().0;
        for (name, shared, exclusive) in
            [("ecs.c7.4xlarge", 210, 7), ("ecs.c6.4xlarge", 140, 7), ("ecs.g7.4xlarge", 210, 7)]
        {
            assert_eq!((of(name).multi_ip_pods(), of(name).exclusive_eni_pods()), (shared, exclusive), "{name}");
        }
        assert!(of("ecs.g7.large").joins() && !of("ecs.g6.large").joins(), "G06: 12 joins, 6 does not");
        let trunk = of("ecs.ebmre7p.32xlarge");
        assert_eq!((trunk.member_adapters(), trunk.max_member_adapters()), (Some(78), Some(108)), "G08, CC53");
        assert_eq!((trunk.adapters, trunk.ipv4_per_adapter, trunk.ipv6_per_adapter), (32, 15, Some(1)), "CC53");
        assert_eq!(of("ecs.g7.xlarge").member_adapters(), Some(16), "G09");
        assert_eq!(of("ecs.c7.4xlarge").member_adapters(), None, "the documentation's tables do not tell");
    }

    /// The tables of the documentation say 8 vCPU and 32 GiB; the record of one type says nothing.
    #[test]
    fn cores_and_memory_are_those_of_the_documentation() {
        let of = |name| builtin(name).map(|(limits, _)| (limits.cpu_cores, limits.memory_mib)).unwrap();
        assert_eq!(of("ecs.g7.2xlarge"), (Some(8), Some(32 * 1024)));
        assert_eq!(of("ecs.ebmre7p.32xlarge"), (None, None));
    }

    #[test]
    fn unknown_types_name_the_three_nearest() {
        let nearest = |name| match builtin(name) {
            Err(UnknownType::Absent { nearest, .. }) => nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearest("ecs.g7.2xlarg")[0], "ecs.g7.2xlarge");
        assert_eq!(nearest("g7.2xlarge")[0], "ecs.g7.2xlarge");
        assert_eq!(nearest("ECS.G7.2XLARGE")[0], "ecs.g7.2xlarge");
        assert!(nearest("ecs.g7.5xlarge").iter().all(|name| name.starts_with("ecs.g7.")));
        assert_eq!(nearest("ecs.ebmg7")[0], "ecs.ebmg7.32xlarge");
        nearest("");
        let error = builtin("ecs.g6a.64xlarge").unwrap_err();
        assert!(matches!(error, UnknownType::Incomplete { adapters: 15, .. }), "{error:?}");
    }
}
