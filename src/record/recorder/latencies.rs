//! How long calls took, in the buckets of Terway's own histograms.

use super::Recorder;
use crate::id::NodeId;
use crate::openapi::Api;
use crate::time::{Instant, Span};

/// Upper bounds in ms of `aliyun_openapi_latency` (`pkg/metric/aliyun.go:13`).
pub const API_BUCKETS_MS: [u32; 15] =
    [50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 13800, 14800, 16800, 20800, 28800, 44800];
/// Upper bounds in ms of `terway_rpc_latency` (`pkg/metric/rpc.go:11`).
pub const RPC_BUCKETS_MS: [u32; 19] = [
    50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 26600, 27600, 29600, 33600, 41600, 57600, 89600, 110_000,
    120_000,
];

/// When a pod asked for its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// For the first time.
    pub first: Instant,
    /// For the last time.
    pub last: Instant,
}

/// A histogram with `N` buckets, and the one without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally<const N: usize> {
    /// Observations per bucket that fit no smaller one.
    pub buckets: [u64; N],
    /// Observations.
    pub count: u64,
    /// Their sum, in ms.
    pub sum_ms: u64,
}

/// What calls took, those that were answered well first, then those that were refused.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    /// Calls to the cloud per action, in the order of [`Api::ALL`].
    pub calls: [[Tally<15>; 2]; Api::ALL.len()],
    /// AllocIP.
    pub alloc: [Tally<19>; 2],
}

impl<const N: usize> Default for Tally<N> {
    fn default() -> Self {
        Self { buckets: [0; N], count: 0, sum_ms: 0 }
    }
}

impl<const N: usize> Tally<N> {
    /// Whole milliseconds, as upstream's `MsSince` has them (`pkg/metric/util.go`).
    fn observe(&mut self, took: Span, bounds: &[u32; N]) {
        let ms = took.as_millis();
        if let Some(bucket) = self.buckets.get_mut(bounds.partition_point(|&bound| u64::from(bound) < ms)) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum_ms += ms;
    }

    fn add(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
        self.sum_ms += other.sum_ms;
    }
}

impl Latencies {
    /// Adds what others took.
    pub fn add(&mut self, other: &Self) {
        for (tally, more) in self.calls.as_flattened_mut().iter_mut().zip(other.calls.as_flattened()) {
            tally.add(more);
        }
        for (tally, more) in self.alloc.iter_mut().zip(&other.alloc) {
            tally.add(more);
        }
    }
}

impl Recorder {
    /// A call to the cloud was answered, or refused, after `took`.
    pub fn call_took(&mut self, node: Option<NodeId>, api: Api, took: Span, refused: bool) {
        self.latencies_of(node).calls[api.index()][usize::from(refused)].observe(took, &API_BUCKETS_MS);
    }

    /// An AllocIP of a node's daemon ended after `took`.
    pub fn rpc_ended(&mut self, node: NodeId, took: Span, failed: bool) {
        self.latencies_of(Some(node)).alloc[usize::from(failed)].observe(took, &RPC_BUCKETS_MS);
    }

    /// What calls took so far, per group of nodes in the order of
    /// [`Model::groups`](crate::model::Model::groups), and last those that were for no node.
    #[must_use]
    pub fn latencies(&self) -> &[Latencies] {
        &self.latencies
    }

    fn latencies_of(&mut self, node: Option<NodeId>) -> &mut Latencies {
        let last = self.latencies.len() - 1;
        &mut self.latencies[node.map_or(last, |node| self.group_by_node[node.index()] as usize)]
    }
}
