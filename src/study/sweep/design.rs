//! Which points a sweep has.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::chance::stream;
use crate::scenario::Axis;
use crate::study::combinations;

/// Most points of a sweep.
pub const MOST_POINTS: usize = 100_000;

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Every combination of the values, the last axis changing fastest.
    Grid,
    /// A Latin hypercube: each axis is cut into as many equal parts as there are points, and every
    /// part has one point (McKay, Beckman and Conover, Technometrics 21, 1979).
    LatinHypercube,
}

impl Design {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::LatinHypercube => "Latin hypercube",
        }
    }
}

/// The points of a sweep, each with a value per axis; or why there are none.
pub(super) fn points(axes: &[Axis], points: Option<u32>, seed: u64) -> Result<(Design, Vec<Vec<String>>), String> {
    if axes.is_empty() {
        let help = "give `--vary PATH=VALUES`, or write a section `sweep` into the scenario";
        return Err(format!("nothing is varied; {help}"));
    }
    if let Some(twice) = axes.iter().enumerate().find(|(i, axis)| axes[..*i].iter().any(|a| a.path == axis.path)) {
        return Err(format!("`{}` is varied twice; write all of its values in one list", twice.1.path));
    }
    match points {
        Some(points) => Ok((Design::LatinHypercube, latin_hypercube(axes, points as usize, seed))),
        None => Ok((Design::Grid, grid(axes)?)),
    }
}

fn grid(axes: &[Axis]) -> Result<Vec<Vec<String>>, String> {
    let (mut lists, mut points) = (Vec::new(), 1);
    for axis in axes {
        let Some(values) = axis.values.each() else {
            let help = "write `FROM..TO/STEP`, or say with `--points` how many points a Latin hypercube has";
            return Err(format!("`{}` is varied over a range without steps; {help}", axis.path));
        };
        points *= values.len();
        if points > MOST_POINTS {
            return Err("these are more than 100,000 combinations; say with `--points` how many to look at".to_owned());
        }
        lists.push(values);
    }
    Ok(combinations(lists.iter().map(Vec::as_slice)))
}

fn latin_hypercube(axes: &[Axis], points: usize, seed: u64) -> Vec<Vec<String>> {
    let shares: Vec<_> = axes.iter().map(|axis| shares(&axis.path, points, seed)).collect();
    let value = |point: usize| axes.iter().zip(&shares).map(|(axis, shares)| axis.values.at(shares[point])).collect();
    (0..points).map(value).collect()
}

/// How far on its axis each point is, from 0 to 1: one in each of equal parts.
fn shares(path: &str, points: usize, seed: u64) -> Vec<f64> {
    let mut chance = stream(seed, 0, &format!("sweep/{path}"));
    let mut parts: Vec<usize> = (0..points).collect();
    parts.shuffle(&mut chance);
    parts.into_iter().map(|part| (part as f64 + chance.random::<f64>()) / points as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(texts: &[&str]) -> Vec<Axis> {
        texts.iter().map(|text| text.parse().expect("an axis")).collect()
    }

    #[test]
    fn a_grid_has_every_combination() {
        let (design, points) = points(&axes(&["a=1,2", "b=5d..9d/2"]), None, 1).expect("points");
        let points: Vec<_> = points.iter().map(|point| point.join(" ")).collect();
        assert_eq!(design, Design::Grid);
        assert_eq!(points, ["1 5d", "1 7d", "1 9d", "2 5d", "2 7d", "2 9d"]);
    }

    #[test]
    fn a_latin_hypercube_has_one_point_in_every_part_of_every_axis() {
        for points in [1, 7, 50] {
            for path in ["a", "b"] {
                let mut parts: Vec<_> = shares(path, points, 3).iter().map(|s| (s * points as f64) as usize).collect();
                parts.sort_unstable();
                assert_eq!(parts, (0..points).collect::<Vec<_>>());
            }
        }
        assert_ne!(shares("a", 50, 3), shares("b", 50, 3));
        assert_ne!(shares("a", 50, 3), shares("a", 50, 4));
        assert_eq!(shares("a", 50, 3), shares("a", 50, 3));
    }

    #[test]
    fn lists_and_whole_numbers_are_sampled_evenly() {
        let (_, points) = points(&axes(&["a=x,y,z", "b=1..10", "c=0.5..1.5"]), Some(30), 1).expect("points");
        let count = |axis: usize, value: &str| points.iter().filter(|point| point[axis] == value).count();
        assert_eq!(["x", "y", "z"].map(|value| count(0, value)), [10; 3]);
        assert!((1..=10).all(|n| count(1, &n.to_string()) == 3), "{points:?}");
        assert!(points.iter().all(|point| (0.5..=1.5).contains(&point[2].parse().expect("a number"))));
    }

    #[test]
    fn what_makes_no_points_is_told() {
        for (texts, told) in [
            (vec![], "nothing is varied"),
            (vec!["a=1", "a=2"], "varied twice"),
            (vec!["a=1..9"], "without steps"),
            (vec!["a=1..1000/1", "b=1..1000/1"], "more than 100,000"),
        ] {
            let wrong = points(&axes(&texts), None, 1).expect_err("no points");
            assert!(wrong.contains(told), "{wrong}");
        }
    }
}
