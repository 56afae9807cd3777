//! The cluster: the parts of Kubernetes that decide how many addresses are asked for, and where.
//! Each is a model of the real component without events and clock; the world asks it.

pub mod arrivals;
pub mod autoscaler;
pub mod hpa;
pub mod lifecycle;
pub mod load;
pub mod rollout;
pub mod scheduler;
pub mod trace;
