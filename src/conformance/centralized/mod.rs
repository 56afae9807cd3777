//! Golden cases of the centralized controller.

pub mod case;
mod cloud;
pub(super) mod compare;
mod laws;
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
    let time = |ms: Option<u64>| ms.map_or(-1, |ms| ms as i64);
    let pod = |story: &Story| {
        json!({
            "pod": story.pod,
            "node": story.node,
            "requested_ms": story.requested,
            "deleted_ms": time(story.deleted),
            "bound_ms": time(story.bound),
            "released_ms": time(story.released),
        })
    };
    json!({
        "timeline": super::timeline(&played.samples),
        "api_calls": played.calls,
        "api_errors": played.errors,
        "cr_writes": played.writes,
        "effective_runs": played.runs,
        "pods": played.pods.iter().map(pod).collect::<Vec<_>>(),
    })
}
