//! Times of trouble with the API.

use crate::chance::SmallStream;
use crate::model::Fault;
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

/// The faults of a run, with a chance of their own: a fault shifts no other draw.
#[derive(Debug)]
pub(super) struct Faults {
    list: Vec<Fault>,
    chance: SmallStream,
}

impl Faults {
    pub fn new(list: Vec<Fault>, chance: SmallStream) -> Self {
        Self { list, chance }
    }

    /// How long a call that leaves at `at` takes instead of `usual`; faults that coincide
    /// multiply.
    pub fn slowed(&self, api: Api, at: Instant, usual: Span) -> Span {
        self.list.iter().filter(|fault| fault.concerns(api, at)).fold(usual, |span, fault| span.mul_f64(fault.slow))
    }

    /// The code with which a call fails that is answered at `now`, if it does; of faults that
    /// coincide the first that strikes decides.
    pub fn failure(&mut self, api: Api, now: Instant) -> Option<ErrorCode> {
        let Self { list, chance } = self;
        let mut concerned = list.iter().filter(|fault| fault.concerns(api, now));
        concerned.find(|fault| chance.unit() < fault.fail).map(|fault| fault.code)
    }
}

impl Fault {
    fn concerns(&self, api: Api, at: Instant) -> bool {
        self.apis[api.index()] && self.from <= at && at < self.to
    }
}
