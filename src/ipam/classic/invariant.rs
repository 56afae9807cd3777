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
        // What is invalid may be idle as well: upstream names an address by interface and number, and the
        // vSwitch may hand out anew what it was given back before the pool has noticed (rules P36, P37).
        assert!(state.tokens.there() <= state.config.sizes.capacity, "the bag holds no more than it can");
        for entry in state.factory.listed() {
            assert!(entry.backlog <= 10, "ten requests wait for an interface at most");
        }
    }
}
