//! What is always so.

use std::collections::BTreeSet;

use super::Classic;

impl Classic {
    /// Checks what holds between two inputs.
    ///
    /// # Panics
    /// If it does not.
    pub fn check_invariants(&self) {
        let state = self.process.state();
        let pool = &state.pool;
        let idle: BTreeSet<_> = pool.idle.iter().map(|idle| idle.resource).collect();
        assert_eq!(idle.len(), pool.idle.len(), "an address is idle once");
        assert!(idle.iter().all(|resource| !pool.in_use.contains_key(resource)), "what is idle is not in use");
        // An address that is invalid for ever may be assigned anew (rule P37).
        let keeps = state.config.profile.keeps_invalid;
        assert!(keeps || pool.invalid.iter().all(|resource| !idle.contains(resource)), "what is invalid is not idle");
        assert!(state.tokens.there() <= state.config.sizes.capacity, "the bag holds no more than it can");
        for entry in state.factory.listed() {
            assert!(entry.backlog <= 10, "ten requests wait for an interface at most");
        }
    }
}
