//! Timelines of the centralized controller against the cloud of its golden cases. Each test names
//! the rule (C), trace (20.x) or correction that it pins; `PORTING.md` lists the rules.

mod story;
mod traces;
mod troubles;
mod families;
mod rdma;
mod swarm;
mod draws;
