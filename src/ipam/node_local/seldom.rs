//! What a slot needs only while it is busy. Most slots are at rest most of the time, and a large cluster has
//! very many of them.

use std::ops::{Deref, DerefMut};

/// Something that has a state of rest.
pub(super) trait Rest: Clone + 'static {
    /// That state.
    const AT_REST: &'static Self;

    /// Whether it is in that state.
    fn rests(&self) -> bool;
}

/// A value that takes no memory while it is at rest, from the next [`Seldom::tidy`] on.
#[derive(Debug)]
pub(super) struct Seldom<T>(Option<Box<T>>);

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Rest> Seldom<T> {
    pub fn set(&mut self, value: T) {
        match &mut self.0 {
            Some(place) => **place = value,
            None if value.rests() => {}
            None => self.0 = Some(Box::new(value)),
        }
    }

    /// Gives its memory back if it is at rest.
    pub fn tidy(&mut self) {
        self.0.take_if(|value| value.rests());
    }
}

impl<T: Rest> Deref for Seldom<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::AT_REST)
    }
}

impl<T: Rest> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(T::AT_REST.clone()))
    }
}
