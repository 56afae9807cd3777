//! Things under way, named by small numbers.

/// A list whose places are used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Keeps `thing`; the answer is its place.
    pub fn insert(&mut self, thing: T) -> usize {
        if let Some(place) = self.free.pop() {
            self.places[place] = Some(thing);
            return place;
        }
        self.places.push(Some(thing));
        self.places.len() - 1
    }

    /// Takes what is at `place`, which becomes free.
    pub fn remove(&mut self, place: usize) -> T {
        self.free.push(place);
        self.places[place].take().expect("what is removed was inserted")
    }
}
