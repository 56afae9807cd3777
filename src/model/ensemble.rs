//! A model for every replication.

use crate::model::{Model, Reading};

/// What is to be simulated, with its own model for every replication if inputs are uncertain. All
/// of them have the same vSwitches, groups of nodes, workloads and actions, and differ in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    typical: Model,
    drawn: Vec<Model>,
}

impl Ensemble {
    /// The same model for all replications.
    #[must_use]
    pub fn certain(model: Model) -> Self {
        Self { typical: model, drawn: Vec::new() }
    }

    /// A model for each replication, and one with typical numbers.
    ///
    /// # Panics
    /// If there is not one for every replication.
    #[must_use]
    pub fn uncertain(typical: Model, drawn: Vec<Model>) -> Self {
        assert_eq!(drawn.len(), typical.replications as usize, "every replication has its model");
        Self { typical, drawn }
    }

    /// The model with typical numbers: for names, sizes and the calendar.
    #[must_use]
    pub fn typical(&self) -> &Model {
        &self.typical
    }

    /// The model of a replication.
    #[must_use]
    pub fn of(&self, replication: u32) -> &Model {
        self.drawn.get(replication as usize).unwrap_or(&self.typical)
    }

    /// Makes sure that runs count what a reading needs.
    pub fn observe(&mut self, reading: &Reading) {
        self.typical.observe(reading);
        self.drawn.iter_mut().for_each(|model| model.observe(reading));
    }
}
