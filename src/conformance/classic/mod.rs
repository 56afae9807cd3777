//! Golden cases of the classic pool.

pub mod case;
pub(super) mod compare;
pub mod play;

use serde_json::{Value, json};

use super::compare::Verdict;
use case::Case;
use play::{Played, Story, play};

/// The verdict on the case in the text of a file, with chance drawn from `seed`.
///
/// # Errors
/// If it is not a case, or its numbers make no sense.
pub fn verdict(text: &str, seed: u64) -> anyhow::Result<Verdict> {
    compare::compare(&serde_json::from_str(text)?, seed)
}

/// Plays a case and returns what the suite asks for.
///
/// # Errors
/// If its numbers make no sense.
pub(super) fn replay(case: &Case) -> anyhow::Result<Value> {
    case.check().map_err(anyhow::Error::msg)?;
    Ok(answer(&play(case, compare::SEED)))
}

fn answer(played: &Played) -> Value {
    let pod = |story: &Story| {
        json!({
            "pod": story.pod,
            "requested_ms": story.requested,
            "allocated_ms": story.allocated.map_or(-1, |ms| ms as i64),
            "attempts": story.attempts,
        })
    };
    json!({
        "timeline": super::timeline(&played.samples),
        "api_calls": played.calls,
        "api_errors": played.errors,
        "cni_errors": played.causes,
        "daemon_crashes": played.crashes,
        "pods": played.pods.iter().map(pod).collect::<Vec<_>>(),
    })
}
