//! `terway-cli mapping`: which address serves which pod.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{self, Line};

/// An interface as `mapping` shows it (`ResourceMapping`, `rpc/tracing.proto`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its ID; empty if the slot has none.
    pub id: String,
    /// Its MAC; empty likewise.
    pub mac: String,
    /// What the slot is doing.
    pub status: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Until when it asks for no address; empty = the line is left out.
    pub inhibited_until: String,
    /// Prefixes, each with how much of it is used.
    pub prefixes: Vec<Prefix>,
    /// Addresses, each with its pod, which may be empty, and its status.
    pub addresses: Vec<[String; 3]>,
}

/// A prefix as `mapping` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// In CIDR notation.
    pub prefix: String,
    /// Whether it may be used.
    pub status: &'static str,
    /// Addresses in all.
    pub total: u32,
    /// Addresses that pods have, with the pods.
    pub allocations: Vec<(String, String)>,
}

/// What the daemon wrote down of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Namespace and name.
    pub pod: String,
    /// The interface's ID.
    pub eni: String,
    /// Its MAC.
    pub mac: String,
    /// The IPv4 address.
    pub v4: String,
    /// The IPv6 address, if there is one.
    pub v6: Option<String>,
}

/// The layout of the version of July 2026: a tree per slot, and the resource DB (rules B28, B29,
/// `cmd/terway-cli/cmd.go:102-202`, `daemon/daemon.go:1009-1026`).
#[must_use]
pub fn trees(interfaces: &[Interface], entries: &[Entry]) -> String {
    // pterm's `Render` prints the tree, which ends a line, and ends a line.
    let mut text: String = interfaces.iter().map(|interface| tree::draw(&lines(interface)) + "\n").collect();
    if !entries.is_empty() {
        let mut entries: Vec<_> = entries.iter().collect();
        entries.sort_by_key(|entry| &entry.pod);
        let title = (0, format!("Resource DB ({} entries)", entries.len()));
        let rows = entries.into_iter().map(|Entry { pod, eni, v4, v6, .. }| {
            let v6 = v6.as_ref().map(|v6| format!(",{v6}")).unwrap_or_default();
            (1, format!("{pod} -> {eni} {v4}{v6}"))
        });
        text += &tree::draw(&std::iter::once(title).chain(rows).collect::<Vec<_>>());
        text += "\n";
    }
    text
}

fn lines(interface: &Interface) -> Vec<Line> {
    let Interface { id, mac, status, kind, inhibited_until, prefixes, addresses } = interface;
    let mut lines = vec![
        (0, format!("ENI: {id}")),
        (1, format!("MAC: {mac}")),
        (1, format!("Status: {status}")),
        (1, format!("Type: {kind}")),
    ];
    if !inhibited_until.is_empty() {
        lines.push((1, format!("InhibitExpireAt: {inhibited_until}")));
    }
    if !prefixes.is_empty() {
        lines.push((1, "IPv4 Prefixes".to_owned()));
        let mut prefixes: Vec<_> = prefixes.iter().collect();
        prefixes.sort_by_key(|prefix| &prefix.prefix);
        for Prefix { prefix, status, total, allocations } in prefixes {
            let used = allocations.len() as u32;
            let free = total - used;
            lines.push((2, format!("{prefix} [{status}] {total} total, {used} used, {free} free")));
            let mut allocations: Vec<_> = allocations.iter().collect();
            allocations.sort();
            lines.extend(allocations.into_iter().map(|(address, pod)| (3, format!("{address} -> {pod}"))));
        }
    }
    if !addresses.is_empty() {
        lines.push((1, "IPs".to_owned()));
        let mut addresses: Vec<_> = addresses.iter().collect();
        addresses.sort_by(|a, b| b[0].cmp(&a[0]));
        lines.extend(addresses.into_iter().map(|parts| (2, parts.join("  "))));
    }
    lines
}

/// What the four-column layout of v1.1 to v1.6 puts side by side, by resource ID (rule B8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// What the pool has, idle or in use.
    pub pool: BTreeSet<String>,
    /// What the factory and instance metadata both have.
    pub factory: BTreeSet<String>,
    /// What is written down, with the pod's name, which has no namespace (rule B6).
    pub records: BTreeMap<String, String>,
}

/// A row of the four columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    status: &'static str,
    pod: String,
    pool: String,
    factory: String,
}

const HEADER: [&str; 4] = ["Status", "Pod Name", "Res ID", "Factory Res ID"];

impl Resources {
    /// The table, and whether a row is an error, which makes the real tool exit with 1 (rules B4 to
    /// B12, `cmd/terway-cli/cmd.go:100-161` of v1.4.4). Without colours, as with `NO_COLOR` (rule B13).
    #[must_use]
    pub fn four_columns(&self) -> (String, bool) {
        let rows = self.rows();
        let header = HEADER.map(str::to_owned);
        let cells =
            rows.iter().map(|row| [row.status.to_owned(), row.pod.clone(), row.pool.clone(), row.factory.clone()]);
        let table: Vec<_> = std::iter::once(header).chain(cells).collect();
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 4] = std::array::from_fn(width);
        let line = |row: &[String; 4]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join(" | ") + "\n"
        };
        (table.iter().map(line).collect(), rows.iter().any(|row| row.status == "ERROR"))
    }

    /// By name, the last first, so that those without a name come last; then by the factory's ID as
    /// text (rule B11).
    fn rows(&self) -> Vec<Row> {
        let ids: BTreeSet<_> = self.pool.iter().chain(&self.factory).chain(self.records.keys()).collect();
        let mut rows: Vec<_> = ids.into_iter().map(|id| self.row(id)).collect();
        rows.sort_by(|a, b| b.pod.cmp(&a.pod).then_with(|| a.factory.cmp(&b.factory)));
        rows
    }

    fn row(&self, id: &String) -> Row {
        let side = |side: &BTreeSet<String>| if side.contains(id) { id.clone() } else { String::new() };
        let (pool, factory, pod) = (side(&self.pool), side(&self.factory), self.records.get(id));
        let status = match pod {
            _ if pool != factory => "ERROR",
            // Written down, and nobody has it.
            Some(_) if pool.is_empty() => "ERROR",
            Some(_) => "Normal",
            None => "Idle",
        };
        Row { status, pod: pod.cloned().unwrap_or_default(), pool, factory }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B4 to B12: the specified table in its very bytes, with spaces at the ends of lines.
    #[test]
    fn b4_four_columns_byte_for_byte() {
        let id = |n: u8| format!("00:16:3e:00:c8:7c.10.0.0.{n}");
        let resources = Resources {
            pool: BTreeSet::from([id(145), id(143), id(136)]),
            factory: BTreeSet::from([id(145), id(136)]),
            records: BTreeMap::from([(id(145), "web-0".to_owned()), (id(143), "grpc-1".to_owned())]),
        };
        let expected = "\
Status | Pod Name | Res ID                       | Factory Res ID              \n\
Normal | web-0    | 00:16:3e:00:c8:7c.10.0.0.145 | 00:16:3e:00:c8:7c.10.0.0.145\n\
ERROR  | grpc-1   | 00:16:3e:00:c8:7c.10.0.0.143 |                             \n\
Idle   |          | 00:16:3e:00:c8:7c.10.0.0.136 | 00:16:3e:00:c8:7c.10.0.0.136\n";
        assert_eq!(resources.four_columns(), (expected.to_owned(), true));
    }

    /// B4: without rows there is a header only. B11: idle rows are sorted as text.
    #[test]
    fn b11_idle_rows_are_sorted_as_text() {
        let empty = "Status | Pod Name | Res ID | Factory Res ID\n".to_owned();
        assert_eq!(Resources::default().four_columns(), (empty, false));
        let ids = ["m.10.0.0.54", "m.10.0.0.18", "m.10.0.0.132"].map(str::to_owned);
        let all = BTreeSet::from(ids);
        let resources = Resources { pool: all.clone(), factory: all, records: BTreeMap::new() };
        let rows: Vec<_> = resources.rows().into_iter().map(|row| row.factory).collect();
        assert_eq!(rows, ["m.10.0.0.132", "m.10.0.0.18", "m.10.0.0.54"]);
    }

    /// B10: an address that the pool has given up and the factory has not is an error without a pod.
    #[test]
    fn b10_an_address_on_its_way_back_is_an_error() {
        let resources = Resources { factory: BTreeSet::from(["m.10.0.0.9".to_owned()]), ..Resources::default() };
        let expected = "\
Status | Pod Name | Res ID | Factory Res ID\n\
ERROR  |          |        | m.10.0.0.9    \n";
        assert_eq!(resources.four_columns(), (expected.to_owned(), true));
    }

    /// B28, B29: the layout that was verified with the real tool.
    #[test]
    fn b28_trees_byte_for_byte() {
        let address = |of: [&str; 3]| of.map(str::to_owned);
        let interface = Interface {
            id: "eni-0".to_owned(),
            mac: "00:16:3e:00:c8:7c".to_owned(),
            status: "InUse",
            kind: "secondary",
            inhibited_until: "0001-01-01 00:00:00 +0000 UTC".to_owned(),
            prefixes: Vec::new(),
            addresses: vec![address(["10.0.0.8", "", "Valid"]), address(["10.0.0.9", "default/web-0", "Valid"])],
        };
        let entry = Entry {
            pod: "default/web-0".to_owned(),
            eni: "eni-0".to_owned(),
            mac: "00:16:3e:00:c8:7c".to_owned(),
            v4: "10.0.0.9".to_owned(),
            v6: None,
        };
        let expected = "\
└─┬ENI: eni-0
  ├──MAC: 00:16:3e:00:c8:7c
  ├──Status: InUse
  ├──Type: secondary
  ├──InhibitExpireAt: 0001-01-01 00:00:00 +0000 UTC
  └─┬IPs
    ├──10.0.0.9  default/web-0  Valid
    └──10.0.0.8    Valid

└─┬Resource DB (1 entries)
  └──default/web-0 -> eni-0 10.0.0.9

";
        assert_eq!(trees(&[interface], &[entry]), expected);
    }
}
