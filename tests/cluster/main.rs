//! Timelines of small clusters: who holds an address at each step, for every kind of workload and
//! everything that happens to nodes. Each test names what of Kubernetes or of the cloud it pins;
//! `docs/model.md` has the sources.

mod actions;
mod daemon_members;
mod exclusive;
mod kube_client;
mod local_trunk;
mod trunk;
mod nodes;
mod prefix_mode;
mod rdma;
mod story;
mod workloads;
