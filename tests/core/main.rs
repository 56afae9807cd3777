//! Timelines of the node-local core: what one daemon does, call by call, against a cloud with
//! fixed latencies. Each test names the rule (R) or conformance case (CC) that it pins;
//! `PORTING.md` lists the rules.
//!
//! A test reads as a story: `at` a time something happens, and what the daemon then does is
//! compared line by line with what it `tells` — every call, answer and failure, so nothing
//! unexpected slips through.

mod allocation;
mod chance;
mod dual;
mod erdma;
mod exhaustion;
mod pool;
mod restart;
mod retention;
mod sequences;
mod silent;
mod story;
mod trunk;
