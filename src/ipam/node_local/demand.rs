//! The requests of one family that wait in a slot (rules R54 to R58, R146; upstream's
//! `AllocatingRequests`).

use std::collections::VecDeque;

use super::seldom::Rest;

/// Family of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// A request for which no address was asked yet.
#[derive(Debug, Clone, Copy)]
struct Request {
    id: u32,
    /// A preheat that ended with its address of the other family (R146). It counts no more, and is
    /// forgotten when somebody counts next.
    ended: bool,
}

/// Who waits for an address of one family, by the IDs of the waiters.
#[derive(Debug, Clone, Default)]
pub(super) struct Demand {
    /// No address was asked for them yet.
    allocating: VecDeque<Request>,
    /// An address was made for them that somebody may have taken.
    dangling: VecDeque<u32>,
}

impl Rest for Demand {
    const AT_REST: &'static Self = &Self { allocating: VecDeque::new(), dangling: VecDeque::new() };

    fn rests(&self) -> bool {
        self.allocating.is_empty() && self.dangling.is_empty()
    }
}

impl Demand {
    /// A request is to be asked for.
    pub fn ask(&mut self, id: u32) {
        self.allocating.push_back(Request { id, ended: false });
    }

    /// Requests that are to be asked for, and those that ended and are not forgotten yet.
    pub fn len(&self) -> usize {
        self.allocating.len()
    }

    /// Whether no request is to be asked for.
    pub fn is_empty(&self) -> bool {
        self.allocating.iter().all(|request| request.ended)
    }

    /// Forgets those that ended, as upstream does whenever it counts (`AllocatingRequests.Len`).
    pub fn forget_ended(&mut self) {
        self.allocating.retain(|request| !request.ended);
    }

    /// The next request was asked for.
    pub fn pop(&mut self) -> Option<u32> {
        self.allocating.pop_front().map(|request| request.id)
    }

    /// The address that was made for a request may be taken by another.
    pub fn dangle(&mut self, id: u32) {
        self.dangling.push_back(id);
    }

    /// The preheat `id` has ended, wherever it is.
    pub fn end(&mut self, id: u32) {
        if let Some(request) = self.allocating.iter_mut().find(|request| request.id == id) {
            request.ended = true;
        }
    }

    /// The waiter of a request leaves, for whatever reason. If the request was still to be asked
    /// for, the oldest one whose address was made takes its place at the tail: demand is
    /// conserved (R58).
    pub fn settle(&mut self, id: u32) {
        let Some(position) = self.allocating.iter().position(|request| request.id == id) else {
            self.dangling.retain(|&made| made != id);
            return;
        };
        self.allocating.remove(position);
        if let Some(oldest) = self.dangling.pop_front() {
            self.ask(oldest);
        }
    }

    /// Forgets requests; nobody takes their places.
    pub fn drop_all(&mut self, ids: &[u32]) {
        self.allocating.retain(|request| !ids.contains(&request.id));
        self.dangling.retain(|id| !ids.contains(id));
    }

    /// Whether a request waits here, and if so, whether it is still to be asked for.
    pub fn awaits(&self, id: u32) -> Option<bool> {
        let asked = self.dangling.contains(&id).then_some(false);
        asked.or_else(|| self.allocating.iter().any(|request| request.id == id).then_some(true))
    }

    /// Every request.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.allocating.iter().map(|request| request.id).chain(self.dangling.iter().copied())
    }
}
