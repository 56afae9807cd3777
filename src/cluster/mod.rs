//! The cluster: the parts of Kubernetes that decide how many addresses are asked for, and where.

pub mod scheduler;
pub mod autoscaler;
