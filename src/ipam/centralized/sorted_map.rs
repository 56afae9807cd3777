//! A small map in one piece of memory: a CR has a few dozen addresses, is copied to be changed, and
//! is read through several times in a run.

use std::cmp::Ordering;
use std::ops::Index;

/// A sorted vector of keys and values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K: Ord, V> SortedMap<K, V> {
    /// Its entries, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Its entries, in the order of their keys: gone through faster than references to keys and values are.
    pub fn entries(&self) -> &[(K, V)] {
        &self.0
    }

    /// Its entries, in the order of their keys.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Its keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Its values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Its values, in the order of their keys.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is an entry.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// The value of a key.
    #[must_use]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.find(key).ok().map(|at| &mut self.0[at].1)
    }

    /// The entry at a place in the order of keys.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn at(&self, place: usize) -> (&K, &V) {
        let (key, value) = &self.0[place];
        (key, value)
    }

    /// The value at a place in the order of keys.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn at_mut(&mut self, place: usize) -> &mut V {
        &mut self.0[place].1
    }

    /// The value of a key that is likely to stand at `place`.
    #[must_use]
    pub fn get_near(&self, place: usize, key: &K) -> Option<&V> {
        match self.0.get(place) {
            Some((there, value)) if there == key => Some(value),
            _ => self.get(key),
        }
    }

    /// Puts an entry in; the value that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// The value of a key, which `value` becomes if there is none.
    pub fn get_or_insert(&mut self, key: K, value: V) -> &mut V {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, value));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// Keeps those entries that `keeps` says.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keeps(key, value));
    }

    fn find(&self, key: &K) -> Result<usize, usize> {
        // What is new comes last, as a rule.
        let Some(((last, _), others)) = self.0.split_last() else { return Err(0) };
        match last.cmp(key) {
            Ordering::Less => Err(self.0.len()),
            Ordering::Equal => Ok(others.len()),
            Ordering::Greater => others.binary_search_by(|(other, _)| other.cmp(key)),
        }
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
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
        entries.reverse();
        Self(entries)
    }
}

impl<K: Ord, V> Index<&K> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("whoever indexes knows that it is there")
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
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
