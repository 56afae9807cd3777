//! The built-in table of instance types.

use super::InstanceLimits;

/// An instance type of the built-in table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name, such as `ecs.g7.2xlarge`.
    pub name: &'static str,
    /// What it allows; `None` where the source does not say how many IPv4 addresses an interface
    /// has.
    pub limits: Option<InstanceLimits>,
    /// Where the figures come from.
    pub source: &'static str,
}

/// Why an instance type has no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownType {
    /// The table does not have it.
    #[error("instance type `{name}` is not known")]
    Absent {
        /// The name.
        name: String,
        /// The three known names nearest to it.
        nearest: Vec<String>,
    },
    /// The table has it without its IPv4 addresses per interface.
    #[error("the IPv4 addresses per interface of instance type `{name}` are not known")]
    Incomplete {
        /// The name.
        name: String,
        /// Interfaces, the primary one included.
        adapters: u32,
        /// Where the figures come from.
        document: String,
    },
}

/// Every type of the built-in table, sorted by name.
#[must_use]
pub fn builtin_types() -> &'static [Row] {
    &[]
}

/// Looks up an instance type in the built-in table: its limits and their source.
///
/// # Errors
/// If the table lacks it or its IPv4 addresses per interface.
pub fn builtin(name: &str) -> Result<(InstanceLimits, &'static str), UnknownType> {
    Err(UnknownType::Absent { name: name.to_owned(), nearest: Vec::new() })
}
