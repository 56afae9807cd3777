//! Where safety ends: a search over points in an order in which safety is expected first.

use serde::Serialize;

/// What the runs of a point say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Every goal holds.
    Safe,
    /// A goal fails.
    Unsafe,
    /// The noise does not allow a decision.
    Undecided,
    /// There is no such scenario.
    Impossible,
}

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Half of what is left, in turn: right if safety ends once.
    Bisection,
    /// Every point.
    Scan,
    /// Every point, as those of a bisection showed that safety does not end just once.
    ScanAfterBisection,
}

/// What is known of the points, by their positions.
#[derive(Debug, Clone)]
pub(super) struct Search {
    findings: Vec<Option<Finding>>,
    method: Method,
}

impl Search {
    /// A search in which some points are known to be [`Finding::Impossible`] already.
    pub fn new(findings: Vec<Option<Finding>>, scan: bool) -> Self {
        Self { findings, method: if scan { Method::Scan } else { Method::Bisection } }
    }

    /// How the points were chosen.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Points that have to be measured next; none = the search is over.
    pub fn next(&mut self) -> Vec<usize> {
        if self.method == Method::Bisection {
            let next = self.bisect();
            if !next.is_empty() || !self.is_contradictory() {
                return next;
            }
            self.scan_the_rest();
        }
        (0..self.findings.len()).filter(|&i| self.findings[i].is_none()).collect()
    }

    /// Has every point measured that is not, since a bisection cannot find the answer.
    pub fn scan_the_rest(&mut self) {
        if self.method == Method::Bisection {
            self.method = Method::ScanAfterBisection;
        }
    }

    /// Notes what measuring a point said.
    pub fn note(&mut self, point: usize, finding: Finding) {
        self.findings[point] = Some(finding);
    }

    /// The last point that is safe for sure.
    pub fn last_safe(&self) -> Option<usize> {
        self.findings.iter().rposition(|&finding| finding == Some(Finding::Safe))
    }

    /// The first point behind the last safe one that is unsafe for sure.
    pub fn first_unsafe(&self) -> Option<usize> {
        let from = self.last_safe().map_or(0, |safe| safe + 1);
        (from..self.findings.len()).find(|&i| self.findings[i] == Some(Finding::Unsafe))
    }

    /// Points before the last safe one that are unsafe all the same.
    pub fn exceptions(&self) -> Vec<usize> {
        let end = self.last_safe().unwrap_or(0);
        (0..end).filter(|&i| self.findings[i] == Some(Finding::Unsafe)).collect()
    }

    /// The next points of a bisection: both ends, then the middle of the gap behind the last safe
    /// point, then that of the gap before the first unsafe one; the two gaps are the same unless
    /// the noise leaves points undecided.
    fn bisect(&self) -> Vec<usize> {
        let possible = |i: &usize| self.findings[*i] != Some(Finding::Impossible);
        let possible: Vec<usize> = (0..self.findings.len()).filter(possible).collect();
        let mut ends = [possible.first(), possible.last()].into_iter().flatten().copied().collect::<Vec<_>>();
        ends.dedup();
        ends.retain(|&i| self.findings[i].is_none());
        if !ends.is_empty() || self.is_contradictory() {
            return ends;
        }
        let known = |at: usize| self.findings[possible[at]];
        let is_safe = |at: &usize| known(*at) == Some(Finding::Safe);
        let is_unsafe = |at: &usize| known(*at) == Some(Finding::Unsafe);
        let all = || 0..possible.len();
        let behind_safe = || {
            let low = all().rfind(is_safe)?;
            middle(low, (low + 1..possible.len()).find(|&at| known(at).is_some())?)
        };
        let before_unsafe = || {
            let high = all().find(is_unsafe)?;
            middle((0..high).rfind(|&at| known(at).is_some())?, high)
        };
        let next = behind_safe().or_else(before_unsafe).map(|at| possible[at]);
        next.into_iter().collect()
    }

    /// Whether a point is safe behind one that is not.
    fn is_contradictory(&self) -> bool {
        !self.exceptions().is_empty()
    }
}

/// The middle between two positions, if there is something between them.
fn middle(low: usize, high: usize) -> Option<usize> {
    (high - low > 1).then(|| usize::midpoint(low, high))
}

#[cfg(test)]
mod tests;
