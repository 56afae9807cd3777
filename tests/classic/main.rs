//! Timelines of the classic core (Terway v1.1 to v1.6): what one daemon does, call by call, against a
//! cloud with fixed latencies. Each test names the rule (P, A, B), the conformance case (C), the run of
//! the real code (E) or the trap (T) that it pins; `PORTING.md` lists the rules.
//!
//! A test reads as a story: `at` a time something happens, and what the daemon then does is compared
//! line by line with what it `tells`: every call, answer and failure, so nothing unexpected slips
//! through.

mod api;
mod chance;
mod daemon;
mod defects;
mod mutants;
mod pool;
mod scenario;
mod story;
mod swarm;
mod traps;
mod versions;
