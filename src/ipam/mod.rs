//! The allocation core: what Terway's daemon decides, without clock, thread, file or network.
//!
//! # Contract
//! Time, chance and I/O are inputs. A core has `handle(now, Input)`, `poll() -> Option<Output>`,
//! `poll_timeout() -> Instant` (never = [`Instant::NEVER`](crate::time::Instant::NEVER)) and
//! getters; nothing else. Drain `poll` before the next `handle`.
//!
//! `PORTING.md` is the ledger of rules: R1 to R158, their upstream source, and what is
//! simplified or left out.

pub mod eni_config;
pub mod limits;
pub mod node_local;
