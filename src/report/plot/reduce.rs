//! Fewer rows for a picture, without losing what stands out.

/// The rows to keep so that at most `most` are left: of equal stretches of rows the first, the last,
/// and those at which a series is lowest or highest (M4; Jugel, Jerzak, Hackenbroich and Markl,
/// 2014). With `most` of at least two rows per series and two more, that always works.
pub(super) fn kept(series: &[&[f64]], rows: usize, most: usize) -> Vec<usize> {
    let mut stretches = rows.min(most);
    loop {
        let cuts: Vec<_> = (0..=stretches).map(|i| rows * i / stretches.max(1)).collect();
        let kept = of_stretches(series, &cuts);
        if kept.len() <= most || stretches <= 1 {
            return kept;
        }
        stretches = stretches * 3 / 4;
    }
}

/// The same of rows at these times in s, in stretches of whole days where there are enough: of daily waves, other
/// stretches would keep the trough of one day and not of the next.
pub(super) fn kept_by_day(series: &[&[f64]], at: &[f64], most: usize) -> Vec<usize> {
    let rows = at.len();
    if rows <= most {
        return (0..rows).collect();
    }
    let mut days = 1;
    loop {
        let kept = of_stretches(series, &begins_of_days(at, days));
        match kept.len() {
            few if days == 1 && few <= most / 2 => return self::kept(series, rows, most),
            n if n <= most => return kept,
            _ => days += days.div_ceil(4),
        }
    }
}

/// The first row of every so many days, and the end.
fn begins_of_days(at: &[f64], days: u32) -> Vec<usize> {
    const DAY: f64 = 86_400.0;
    let stretch = |row: usize| (at[row] / (f64::from(days) * DAY)) as u64;
    let begins = (0..at.len()).filter(|&row| row == 0 || stretch(row) != stretch(row - 1));
    begins.chain([at.len()]).collect()
}

/// What is kept of the stretches between these cuts.
fn of_stretches(series: &[&[f64]], cuts: &[usize]) -> Vec<usize> {
    let mut kept = Vec::new();
    for ends in cuts.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let mut of_this = vec![from, to - 1];
        for values in series {
            let order = |&a: &usize, &b: &usize| values[a].total_cmp(&values[b]);
            of_this.extend((from..to).min_by(order));
            of_this.extend((from..to).max_by(order));
        }
        of_this.sort_unstable();
        of_this.dedup();
        kept.extend(of_this);
    }
    kept
}

/// The values at these rows.
pub(super) fn at<T: Copy>(kept: &[usize], values: &[T]) -> Vec<T> {
    kept.iter().map(|&row| values[row]).collect()
}

/// Of values that are each the highest since the row before: the highest since the kept row before.
pub(super) fn highest(kept: &[usize], values: &[f64]) -> Vec<f64> {
    // What was before the first kept row is no part of the picture.
    let mut from = kept.first().copied().unwrap_or_default();
    let highest = kept.iter().map(|&row| {
        let most = values[from..=row].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        from = row + 1;
        most
    });
    highest.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day's swing over 90 days, with one row far out of it.
    fn swinging(rows: usize, outlier: usize) -> Vec<f64> {
        let swing = |row: usize| (row as f64 / 16.0).sin() * 100.0;
        (0..rows).map(|row| if row == outlier { -5_000.0 } else { swing(row) }).collect()
    }

    #[test]
    fn extremes_survive() {
        let (rows, most) = (50_000, 300);
        for outlier in [0, 1, 777, 24_999, 49_998, 49_999] {
            let (low, flat) = (swinging(rows, outlier), vec![7.0; rows]);
            let high: Vec<f64> = swinging(rows, rows - 1 - outlier).iter().map(|n| -n).collect();
            let kept = kept(&[&low, &flat, &high], rows, most);
            assert!(kept.len() <= most && kept.len() > most / 2, "{} rows", kept.len());
            assert!(kept.is_sorted() && kept.contains(&0) && kept.contains(&(rows - 1)));
            assert!(kept.contains(&outlier) && kept.contains(&(rows - 1 - outlier)), "{outlier} is lost");
        }
    }

    #[test]
    fn few_rows_are_kept_as_they_are() {
        assert_eq!(kept(&[&[1.0, 2.0, 1.0, 9.0]], 4, 100), [0, 1, 2, 3]);
        assert_eq!(kept(&[], 0, 100), [0_usize; 0]);
    }

    /// Waves of a day are seen as waves: no crest runs on over the trough of a day that is left out, with those of the
    /// days around it kept.
    #[test]
    fn waves_of_a_day_stay_waves() {
        let at: Vec<f64> = (0..2_920).map(|row| f64::from(row) * 21_600.0).collect();
        let values: Vec<f64> = (0..2_920).map(|row| [0.0, 60.0, 100.0, 50.0][row % 4]).collect();
        let kept = kept_by_day(&[&values], &at, 1_000);
        let troughs: Vec<_> = kept.iter().filter(|&&row| values[row] == 0.0).collect();
        let gaps: Vec<_> = troughs.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(kept.len() <= 1_000 && gaps.len() > 200, "{} rows", kept.len());
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
    }

    /// A few hours have no days to go by, and keep as many rows as others.
    #[test]
    fn short_runs_keep_their_rows() {
        for hours in [3, 30, 300] {
            let at: Vec<f64> = (0..5_000).map(|row| f64::from(row) * f64::from(hours) * 0.72).collect();
            let values = swinging(at.len(), 7);
            let kept = kept_by_day(&[&values], &at, 1_500);
            assert!((750..=1_500).contains(&kept.len()), "{hours} h: {} rows", kept.len());
        }
    }

    #[test]
    fn peaks_between_rows_move_to_the_next_kept_one() {
        assert_eq!(highest(&[0, 2, 5], &[1.0, 9.0, 2.0, 3.0, 8.0, 4.0]), [1.0, 9.0, 8.0]);
        assert_eq!(highest(&[2, 3], &[1.0, 9.0, 2.0, 3.0]), [2.0, 3.0], "nothing from before the first one");
    }
}
