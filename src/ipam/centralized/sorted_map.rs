//! A small map in two pieces of memory: a CR has a few dozen addresses, is copied to be changed, and
//! is read through several times in a run.

use std::cmp::Ordering;
use std::iter::Zip;
use std::ops::Index;
use std::slice::Iter;

/// Sorted keys, and their values apart: whoever looks for one of either does not read the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedMap<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Its entries, in the order of their keys.
    pub fn iter(&self) -> Zip<Iter<'_, K>, Iter<'_, V>> {
        self.keys.iter().zip(&self.values)
    }

    /// Its entries, in the order of their keys.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.keys.iter().zip(&mut self.values)
    }

    /// Its keys, in order.
    pub fn keys(&self) -> Iter<'_, K> {
        self.keys.iter()
    }

    /// Its values, in the order of their keys.
    pub fn values(&self) -> Iter<'_, V> {
        self.values.iter()
    }

    /// Its values, in the order of their keys.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut()
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether there is an entry.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.find(key).ok().map(|at| &self.values[at])
    }

    /// The value of a key.
    #[must_use]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.find(key).ok().map(|at| &mut self.values[at])
    }

    /// The entry at a place in the order of keys.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn at(&self, place: usize) -> (&K, &V) {
        (&self.keys[place], &self.values[place])
    }

    /// The value at a place in the order of keys.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn at_mut(&mut self, place: usize) -> &mut V {
        &mut self.values[place]
    }

    /// The value of a key that is likely to stand at `place`.
    #[must_use]
    pub fn get_near(&self, place: usize, key: &K) -> Option<&V> {
        if self.keys.get(place) == Some(key) { Some(&self.values[place]) } else { self.get(key) }
    }

    /// Puts an entry in; the value that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.values[at], value)),
            Err(at) => {
                self.insert_at(at, key, value);
                None
            }
        }
    }

    /// The value of a key, which `value` becomes if there is none.
    pub fn get_or_insert(&mut self, key: K, value: V) -> &mut V {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.insert_at(at, key, value);
                at
            }
        };
        &mut self.values[at]
    }

    fn insert_at(&mut self, at: usize, key: K, value: V) {
        self.keys.insert(at, key);
        self.values.insert(at, value);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.find(key).ok()?;
        self.keys.remove(at);
        Some(self.values.remove(at))
    }

    /// Keeps those entries that `keeps` says.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        let entries = std::mem::take(&mut self.keys).into_iter().zip(std::mem::take(&mut self.values));
        let kept = entries.filter_map(|(key, mut value)| keeps(&key, &mut value).then_some((key, value)));
        (self.keys, self.values) = kept.unzip();
    }

    fn find(&self, key: &K) -> Result<usize, usize> {
        find_by(&self.keys, |other| other.cmp(key))
    }
}

/// The place of what `compare` finds equal, of what is sorted; otherwise where it belongs. What is looked for is
/// the last one, or comes after it, as a rule.
pub(super) fn find_by<T>(sorted: &[T], compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
    let Some((last, others)) = sorted.split_last() else { return Err(0) };
    match compare(last) {
        Ordering::Less => Err(sorted.len()),
        Ordering::Equal => Ok(others.len()),
        Ordering::Greater => others.binary_search_by(compare),
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { keys: Vec::new(), values: Vec::new() }
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    /// Of equal keys the last one counts.
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        // Of equal keys the last one counts.
        entries.reverse();
        entries.dedup_by(|(a, _), (b, _)| a == b);
        let (keys, values) = entries.into_iter().rev().unzip();
        Self { keys, values }
    }
}

impl<K: Ord, V> Index<&K> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("whoever indexes knows that it is there")
    }
}

impl<'a, K: Ord, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Zip<Iter<'a, K>, Iter<'a, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::chance::SmallStream;

    /// It does what a map of the standard library does.
    #[test]
    fn it_is_a_map() {
        let mut chance = SmallStream::new(1);
        let (mut ours, mut theirs) = (SortedMap::default(), BTreeMap::new());
        for i in 0..2_000 {
            let key = chance.below(40);
            match chance.below(5) {
                0 => assert_eq!(ours.remove(&key), theirs.remove(&key)),
                1 => assert_eq!(ours.get_or_insert(key, i), theirs.entry(key).or_insert(i)),
                2 => assert_eq!(ours.insert(key, i), theirs.insert(key, i)),
                3 => assert_eq!(ours.get_mut(&key), theirs.get_mut(&key)),
                _ => (ours.retain(|other, _| *other != key), theirs.retain(|other, _| *other != key)).0,
            }
            let doubled = ours.iter().map(|(&key, _)| (key, 0)).chain(ours.iter().map(|(&key, &value)| (key, value)));
            assert_eq!(doubled.collect::<SortedMap<_, _>>(), ours);
            assert!(ours.iter().eq(&theirs) && ours.len() == theirs.len());
            assert_eq!(ours.contains_key(&key), theirs.contains_key(&key));
            assert_eq!(ours.get_near(chance.below(40) as usize, &key), theirs.get(&key));
        }
    }
}
