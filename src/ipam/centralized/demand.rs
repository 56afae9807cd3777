//! How many addresses a run orders, by reason (C52 to C54).

use super::config::NodeConfig;
use super::resource::WarmUp;

/// How many addresses a run orders, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    /// Pods that wait, and wanted addresses before the finished attach tasks were applied (C52).
    pub pods: u32,
    /// What the pool lacks of its lower bound once those pods are served.
    pub minimum: u32,
    /// What the warm-up lacks.
    pub warm_up: u32,
}

impl Demand {
    /// The demand of a node with `idle` idle addresses and `waiting` pods.
    pub fn of(config: &NodeConfig, idle: u32, waiting: u32, warm_up: WarmUp) -> Self {
        let open = !warm_up.completed && warm_up.target > 0;
        Self {
            pods: waiting,
            minimum: (config.watermarks().min_idle + waiting).saturating_sub(idle),
            warm_up: if open { warm_up.target.saturating_sub(warm_up.allocated) } else { 0 },
        }
    }

    /// Addresses to order. Waiting pods count twice if nothing is idle (C54).
    pub fn total(self) -> u32 {
        self.pods + self.minimum.max(self.warm_up)
    }
}
