//! The daemon's own client of the API server (`pkg/k8s/k8s.go:110-119`): requests for Pods pass a token bucket.
//!
//! A client of controller-runtime has a bucket per kind, so that events and Nodes do not count here.

use crate::time::{Instant, Span};

/// Limits of the client, and what the daemon asks it for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KubeClient {
    /// Time in which a token comes back: 1 / `kube_client_qps`; zero = no limit.
    pub period: Span,
    /// Most tokens at once: `kube_client_burst`.
    pub burst: u32,
    /// Whether an ADD writes the pod's addresses into its annotations before it is answered
    /// (`enable_patch_pod_ips`, `daemon/daemon.go:261-276`).
    pub patches: bool,
}

impl KubeClient {
    /// One that lets everything pass, and is asked for a pod alone.
    pub const UNLIMITED: Self = Self { period: Span::ZERO, burst: 1, patches: false };
}

/// The bucket of a process: full when it starts.
#[derive(Debug, Clone, Copy)]
pub struct Requests {
    client: KubeClient,
    /// When the bucket would be full again (the theoretical arrival time of the generic cell rate algorithm).
    full_at: Instant,
}

impl Requests {
    /// The bucket of a client.
    #[must_use]
    pub fn new(client: KubeClient) -> Self {
        Self { client, full_at: Instant::ZERO }
    }

    /// Whether an ADD writes the pod's addresses down.
    #[must_use]
    pub fn patches(&self) -> bool {
        self.client.patches
    }

    /// Takes the next token: when a request that is made at `now` passes. Who asks first passes first.
    pub fn pass(&mut self, now: Instant) -> Instant {
        let KubeClient { period, burst, .. } = self.client;
        self.full_at = self.full_at.max(now) + period;
        let tolerance = period.0.saturating_mul(burst.into());
        now.max(Instant(self.full_at.0.saturating_sub(tolerance)))
    }

    /// The same for a request that has to pass by `deadline`; none, and no token, if it would not: `Wait` fails at once then.
    pub fn pass_by(&mut self, now: Instant, deadline: Instant) -> Option<Instant> {
        let before = *self;
        let at = self.pass(now);
        if at > deadline {
            *self = before;
            return None;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `golang.org/x/time/rate`: ten at once, then five a second; what is not used comes back, up to ten.
    #[test]
    fn r114_ten_requests_pass_at_once_and_five_a_second_after_them() {
        let client = KubeClient { period: Span::millis(200), burst: 10, patches: true };
        let mut requests = Requests::new(client);
        let at = |ms| Instant::ZERO + Span::millis(ms);
        let passes: Vec<_> = (0..13).map(|_| requests.pass(at(1_000))).collect();
        assert_eq!(passes[..10], [at(1_000); 10]);
        assert_eq!(passes[10..], [at(1_200), at(1_400), at(1_600)]);
        // The next token is there at 1.8 s; at 2 s a second one is.
        assert_eq!(
            [requests.pass(at(2_000)), requests.pass(at(2_000)), requests.pass(at(2_000))],
            [at(2_000), at(2_000), at(2_200)]
        );
        assert_eq!(requests.pass_by(at(2_000), at(2_399)), None, "and takes none");
        assert_eq!(requests.pass_by(at(2_000), at(2_400)), Some(at(2_400)));
        let passes: Vec<_> = (0..11).map(|_| requests.pass(at(60_000))).collect();
        assert_eq!(passes[9..], [at(60_000), at(60_200)]);
        let mut unlimited = Requests::new(KubeClient::UNLIMITED);
        assert!((0..100).all(|_| unlimited.pass(at(5)) == at(5)));
    }
}
