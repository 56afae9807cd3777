//! Values over scrapes, of which few change from one to the next.

/// The points of a series: values from a scrape on, until they change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Series {
    /// First scrape of each stretch, and its values; none = there is no sample.
    stretches: Vec<(u32, Box<[u64]>)>,
    /// Scrapes so far.
    end: u32,
}

impl Series {
    /// The values at a scrape; those that were not told of have no sample.
    pub fn push(&mut self, scrape: u32, values: &[u64]) {
        if scrape > self.end {
            self.change(self.end, &[]);
        }
        self.change(scrape, values);
        self.end = scrape + 1;
    }

    fn change(&mut self, scrape: u32, values: &[u64]) {
        // Before the first stretch there is nothing.
        let last: &[u64] = self.stretches.last().map_or(&[], |(_, last)| last);
        if last != values {
            self.stretches.push((scrape, values.into()));
        }
    }

    /// Every point with its scrape.
    pub fn points(&self) -> impl Iterator<Item = (u32, &[u64])> {
        let ends = self.stretches.iter().skip(1).map(|&(from, _)| from).chain([self.end]);
        let stretches = self.stretches.iter().zip(ends).filter(|((_, values), _)| !values.is_empty());
        stretches.flat_map(|((from, values), end)| (*from..end).map(|scrape| (scrape, &**values)))
    }

    /// How many points there are.
    pub fn len(&self) -> u64 {
        self.points().count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    #[test]
    fn a_series_has_the_points_that_it_was_told() {
        let told = [(2, 5), (3, 5), (4, 6), (7, 6), (8, 5)];
        let mut series = Series::default();
        for (scrape, value) in told {
            series.push(scrape, &[value]);
        }
        let points: Vec<_> = series.points().map(|(scrape, values)| (scrape, values[0])).collect();
        assert_eq!(points, told);
        assert_eq!((series.len(), series.stretches.len()), (5, 5));
    }
}
