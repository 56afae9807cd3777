//! The ConfigMap `kube-system/eni-config` (rules R1 to R35): from text to what a daemon runs with.
//!
//! ```text
//! text ─read→ Document ─┐
//! text ─read→ Document ─┴merge→ Document ─resolve (instance type, zone)→ Config, settings
//! ```
//!
//! Nothing here opens a file. Every problem is a [`Note`] with its place in the text that was
//! given, and all of them are found in one pass.

mod config_map;
mod document;
mod go;
mod keys;
mod resolve;

pub use super::note::{Checked, Note, Place, Severity};
pub use document::{Document, IpamType, Member, from_members, read};
pub use resolve::{MAX_CANDIDATES, Node, Origin, Resolved, Setting, VSwitch, resolve};

#[cfg(test)]
mod tests;
