//! What `brimline check` prints.

use super::Loaded;

/// The resolved model.
#[must_use]
pub fn describe(_loaded: &Loaded) -> String {
    String::new()
}
