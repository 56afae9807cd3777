//! Retry loops (rules R95, R96).

use crate::chance::SmallStream;
use crate::time::Span;

/// A named entry of upstream's table (`pkg/backoff/backoff.go:49-103`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    duration: Span,
    factor: f64,
    jitter: f64,
    steps: u8,
    cap: Span,
}

/// `eni_create`: 2 attempts, 10 to 13 s apart.
pub const ENI_CREATE: Backoff =
    Backoff { duration: Span::secs(10), factor: 2.0, jitter: 0.3, steps: 2, cap: Span::ZERO };
/// `eni_ops`: 6 attempts, 5 to 104 s apart.
pub const ENI_OPS: Backoff = Backoff { duration: Span::secs(5), factor: 2.0, jitter: 0.3, steps: 6, cap: Span::ZERO };
/// `eni_ip_ops`: 6 attempts, 5 to 11.5 s apart.
pub const ENI_IP_OPS: Backoff =
    Backoff { duration: Span::secs(5), factor: 1.0, jitter: 1.3, steps: 6, cap: Span::ZERO };
/// `eni_delete_confirm`: looks 1 s and 3 s after the delete, gives up 6 s after it.
pub const ENI_DELETE_CONFIRM: Backoff =
    Backoff { duration: Span::secs(2), factor: 1.5, jitter: 0.0, steps: 4, cap: Span::secs(4) };
/// Pause before the first look of [`ENI_DELETE_CONFIRM`].
pub const ENI_DELETE_CONFIRM_DELAY: Span = Span::secs(1);

/// `wait_eni_status`: eight looks, 3 to 51 s apart.
pub const WAIT_ENI_STATUS: Backoff =
    Backoff { duration: Span::secs(3), factor: 1.5, jitter: 0.5, steps: 8, cap: Span::ZERO };
/// Pause before the first look of [`WAIT_ENI_STATUS`], where there is one.
pub const WAIT_ENI_STATUS_DELAY: Span = Span::secs(3);
/// Pause between the call for a member interface and the look at it: the first pause of
/// `wait_member_eni_status`, of which nothing else is used.
pub const WAIT_MEMBER_ENI_STATUS_DELAY: Span = Span::secs(2);
/// `wait_networkinterface_status`: 120 looks, 1 to 1.3 s apart.
pub const WAIT_INTERFACE_STATUS: Backoff =
    Backoff { duration: Span::secs(1), factor: 1.0, jitter: 0.3, steps: 120, cap: Span::ZERO };
/// Pause before the first look of [`WAIT_INTERFACE_STATUS`].
pub const WAIT_INTERFACE_STATUS_DELAY: Span = Span::secs(2);
/// `wait_podeni_status`: 100 looks, 1 to 1.3 s apart.
pub const WAIT_POD_ENI_STATUS: Backoff =
    Backoff { duration: Span::secs(1), factor: 1.0, jitter: 0.3, steps: 100, cap: Span::ZERO };
/// Pause before the first look of [`WAIT_POD_ENI_STATUS`].
pub const WAIT_POD_ENI_STATUS_DELAY: Span = Span::secs(2);
/// `wait_eni_ip_removed`: four looks, 2 to 7 s apart.
pub const WAIT_ENI_IP_REMOVED: Backoff =
    Backoff { duration: Span::secs(2), factor: 1.5, jitter: 0.5, steps: 4, cap: Span::ZERO };
/// Pause before the first look of [`WAIT_ENI_IP_REMOVED`].
pub const WAIT_ENI_IP_REMOVED_DELAY: Span = Span::secs(1);

/// What a retry loop does after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Sleeps, then tries again.
    Retry(Span),
    /// Sleeps, then gives up (the cap forfeits the remaining attempts).
    GiveUpAfter(Span),
    /// Gives up at once.
    GiveUp,
}

impl Backoff {
    /// `steps` attempts, with sleeps from `duration` on that grow by `factor`.
    #[must_use]
    pub const fn new(duration: Span, factor: f64, jitter: f64, steps: u8) -> Self {
        Self { duration, factor, jitter, steps, cap: Span::ZERO }
    }

    /// The first sleep without its jitter, which upstream also takes as a pause of its own.
    #[must_use]
    pub const fn base(&self) -> Span {
        self.duration
    }

    /// What follows the failure of attempt number `attempt` (from 1); `chance` draws the jitter
    /// (`None` = no jitter).
    #[must_use]
    pub fn after(&self, attempt: u8, chance: Option<&mut SmallStream>) -> Next {
        if attempt >= self.steps {
            return Next::GiveUp;
        }
        let sleep = self.duration.mul_f64(self.factor.powi(i32::from(attempt) - 1));
        let capped = self.cap > Span::ZERO && sleep.mul_f64(self.factor) > self.cap;
        let sleep = jittered(sleep, self.jitter, chance);
        if capped { Next::GiveUpAfter(sleep) } else { Next::Retry(sleep) }
    }

    /// The sleep of step `n` (from 1), for whoever steps without attempts of its own; `None` = there
    /// are no more steps.
    #[must_use]
    pub fn step(&self, n: u8, chance: Option<&mut SmallStream>) -> Option<Span> {
        let sleep = self.duration.mul_f64(self.factor.powi(i32::from(n) - 1));
        (n <= self.steps).then(|| jittered(sleep, self.jitter, chance))
    }
}

/// `span` × (1 + U × `factor`), U uniform in [0, 1) (`k8s.io/apimachinery/pkg/util/wait`, Jitter).
#[must_use]
pub fn jittered(span: Span, factor: f64, chance: Option<&mut SmallStream>) -> Span {
    match chance {
        Some(chance) if factor > 0.0 => span.mul_f64(1.0 + chance.unit() * factor),
        _ => span,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R96: the sleeps of every entry without jitter.
    #[test]
    fn r96_sleeps_are_upstreams() {
        let sleeps = |backoff: Backoff| -> Vec<Next> { (1..=6).map(|attempt| backoff.after(attempt, None)).collect() };
        let retry = |secs| Next::Retry(Span::secs(secs));
        assert_eq!(sleeps(ENI_CREATE)[..2], [retry(10), Next::GiveUp]);
        assert_eq!(sleeps(ENI_OPS), [retry(5), retry(10), retry(20), retry(40), retry(80), Next::GiveUp]);
        assert_eq!(sleeps(ENI_IP_OPS), [retry(5), retry(5), retry(5), retry(5), retry(5), Next::GiveUp]);
        assert_eq!(sleeps(ENI_DELETE_CONFIRM)[..2], [retry(2), Next::GiveUpAfter(Span::secs(3))]);
    }

    #[test]
    fn r95_jitter_stays_within_its_factor() {
        let mut chance = SmallStream::new(5);
        for _ in 0..1000 {
            let Next::Retry(sleep) = ENI_IP_OPS.after(1, Some(&mut chance)) else { panic!("five retries are left") };
            assert!((Span::secs(5)..Span::millis(11_500)).contains(&sleep));
        }
    }
}
