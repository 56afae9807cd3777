//! How numbers are written for people.

/// `8188` as `8,188`.
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A share as a whole percentage; what is neither none nor all never prints as `0 %` or `100 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    match () {
        () if share > 0.0 && rounded == 0.0 => "<1 %".to_owned(),
        () if share < 1.0 && rounded == 100.0 => ">99 %".to_owned(),
        () => format!("{rounded:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (n, text) in [(0, "0"), (999, "999"), (8188, "8,188"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(n), text);
        }
    }

    #[test]
    fn small_and_large_shares_do_not_round_to_none_or_all() {
        for (share, text) in [(0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.999, ">99 %"), (1.0, "100 %")] {
            assert_eq!(percent(share), text);
        }
    }
}
