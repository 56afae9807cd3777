//! What a daemon does at one input, until it is polled: one thing at most, nearly always.

use std::collections::VecDeque;

use crate::ipam::Output;

/// A queue that keeps no memory for what seldom happens.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    first: Option<Output>,
    /// What comes after the first, if anything does.
    rest: VecDeque<Output>,
}

impl Outputs {
    pub fn push(&mut self, output: Output) {
        match self.first {
            None => self.first = Some(output),
            Some(_) => self.rest.push_back(output),
        }
    }

    pub fn pop(&mut self) -> Option<Output> {
        let first = self.first.take();
        if self.rest.capacity() > 0 {
            self.first = self.rest.pop_front();
            if self.rest.is_empty() {
                self.rest = VecDeque::new();
            }
        }
        first
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EniId, PodId};

    #[test]
    fn outputs_come_out_as_they_went_in() {
        let output = |i| Output::Released(PodId(i), EniId(0));
        let mut outputs = Outputs::default();
        assert!(outputs.is_empty() && outputs.pop().is_none());
        for round in 0..2 {
            (0..5).for_each(|i| outputs.push(output(i)));
            assert!((0..3).all(|i| outputs.pop() == Some(output(i))), "round {round}");
            outputs.push(output(5));
            assert!((3..6).all(|i| outputs.pop() == Some(output(i))), "round {round}");
            assert!(outputs.is_empty() && outputs.pop().is_none(), "round {round}");
        }
        assert_eq!(outputs.rest.capacity(), 0);
    }
}
