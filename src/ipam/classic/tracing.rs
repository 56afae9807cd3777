//! What the daemon tells its status tool (rules B19, B20, B22; `Trace` in `pkg/pool/pool.go` and
//! `daemon/eni-multi-ip.go`).

use std::net::Ipv4Addr;

use super::Classic;
use super::pool::Resource;
use crate::id::EniId;
use crate::time::Instant;

/// The state of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Idle addresses, in the order in which the heap has them in its array.
    pub idle: Vec<(EniId, Ipv4Addr)>,
    /// Addresses in use, sorted; upstream lists them in any order.
    pub in_use: Vec<(EniId, Ipv4Addr)>,
    /// Addresses that instance metadata does not show any more.
    pub invalid: Vec<(EniId, Ipv4Addr)>,
    /// The interfaces of the factory, in its order of the moment.
    pub interfaces: Vec<TracedInterface>,
    /// Calls for pods in progress.
    pub pending: u32,
}

/// An interface as the factory tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedInterface {
    /// Which; `None` = it is being created.
    pub eni: Option<EniId>,
    /// Addresses that are asked for and have not come.
    pub pending: u32,
    /// Its addresses, the primary one included.
    pub addresses: Vec<Ipv4Addr>,
    /// Until when it is not asked for any; [`Instant::ZERO`] = it always was.
    pub inhibited_until: Instant,
}

impl Classic {
    /// Addresses in the pool and the idle ones among them, as its gauges count: what instance metadata does not
    /// show any more is idle until it is given back (`AddInvalid`, `pkg/pool/pool.go:539-548` of v1.4.4).
    #[must_use]
    pub fn gauges(&self) -> (u32, u32) {
        let pool = &self.process.state().pool;
        (pool.size(), (pool.idle.len() + pool.invalid.len()) as u32)
    }

    /// What the daemon would say now.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let state = self.process.state();
        let plain = |resource: &Resource| (resource.eni, resource.address);
        let interfaces = state.factory.listed().map(|entry| TracedInterface {
            eni: entry.eni.map(|eni| eni.id),
            pending: entry.pending,
            addresses: entry.ips.clone(),
            inhibited_until: entry.inhibited_until,
        });
        Trace {
            idle: state.pool.idle.iter().map(|idle| plain(&idle.resource)).collect(),
            in_use: state.pool.in_use.keys().map(plain).collect(),
            invalid: state.pool.invalid.iter().map(plain).collect(),
            interfaces: interfaces.collect(),
            pending: state.processing.len() as u32,
        }
    }
}
