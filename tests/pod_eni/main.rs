//! Timelines of pods with an interface of their own, against a small cloud. Each test names the rule
//! (C) that it pins; `PORTING.md` lists the rules.

mod world;
mod timelines;
mod fixed;
mod setbacks;
mod swarm;
mod golden;
