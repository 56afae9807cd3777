//! The node-local IPAM: one daemon's allocation logic (rules R32 to R158).

mod config;

pub use config::{Config, EniSelection, Reclaim, VSwitchSelection};
