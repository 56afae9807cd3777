//! The cluster: the parts of Kubernetes that decide how many addresses are asked for, and where.

pub mod arrivals;
pub mod hpa;
pub mod load;
pub mod rollout;
pub mod scheduler;
pub mod trace;
