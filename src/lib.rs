//! **brimline** predicts when a Terway cluster runs out of vSwitch addresses, and why.
//!
//! It runs Terway's allocation logic, re-implemented as a sans-IO core ([`ipam`]), inside a
//! discrete-event simulation ([`sim`]) of the cloud ([`cloud`]) and of the cluster ([`cluster`]):
//!
//! ```text
//! scenario.yaml ─load→ Model ─replicate→ sim ─→ Recording ─→ Summary ─→ terminal, CSV/JSON, SVG/PNG, HTML
//! ```
//!
//! The modules stand in reading order, and a module names only modules above it
//! (`tests/layering.rs` holds the table and fails with file and line).

// Words: plain values, nobody's behaviour.
pub mod address;
pub mod time;
pub mod chance;
pub mod id;
pub mod openapi;
pub mod units;
pub mod text;
// The allocation core: sans-IO, knows nothing of the simulation.
pub mod ipam;
// What is to be simulated, and the world around the core.
pub mod model;
pub mod cloud;
pub mod cluster;
pub mod scenario;
// Run.
pub mod record;
pub mod sim;
// What it means.
pub mod outcome;
pub mod explain;
pub mod inspect;
pub mod openmetrics;
pub mod study;
pub mod report;
pub mod conformance;
pub mod cli;
