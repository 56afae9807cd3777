//! The simulation: events, the world they happen in, and replications on threads.

mod engine;
pub mod event_list;

pub use engine::{Engine, Happening, Observer, PodState};
