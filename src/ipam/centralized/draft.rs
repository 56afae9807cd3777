//! The copy of a CR that a run works on.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::resource::Status;

/// The copy of a CR that a run works on; nobody sees it before it is written (C29). It is made when
/// the run first changes something, which most runs never do.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft(Arc<Status>);

impl Draft {
    /// A copy of what is stored.
    pub fn of(stored: &Arc<Status>) -> Self {
        Self(Arc::clone(stored))
    }

    /// Whether nothing was changed yet.
    pub fn is_untouched(&self, stored: &Arc<Status>) -> bool {
        Arc::ptr_eq(&self.0, stored)
    }

    /// Whether it is as the CR.
    pub fn is(&self, stored: &Arc<Status>) -> bool {
        self.is_untouched(stored) || self.0 == *stored
    }

    /// What is to be stored.
    pub fn into_status(self) -> Arc<Status> {
        self.0
    }
}

impl Deref for Draft {
    type Target = Status;

    fn deref(&self) -> &Status {
        &self.0
    }
}

impl DerefMut for Draft {
    fn deref_mut(&mut self) -> &mut Status {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Status> for Draft {
    fn from(status: Status) -> Self {
        Self(Arc::new(status))
    }
}
