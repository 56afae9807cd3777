//! `brimline conformance`.

use super::print::print;
use super::{Conformance, Stop};
use crate::conformance;

/// Plays cases.
pub(super) fn carry_out(command: Conformance) -> Result<(), Stop> {
    let input = |error: anyhow::Error| Stop::Input(format!("error: {error:#}"));
    match command {
        Conformance::Replay { case, runs, seed } => {
            let answer = match runs {
                Some(runs) => conformance::replay_runs(&case, runs, seed),
                None => conformance::replay(&case),
            };
            Ok(print(&serde_json::to_string(&answer.map_err(input)?).expect("a JSON value prints"))?)
        }
        Conformance::Check { dir, markdown } => {
            let verdicts = conformance::verdicts(&dir).map_err(input)?;
            let text = if markdown { conformance::page(&verdicts) } else { conformance::table(&verdicts) };
            print(&text)?;
            if verdicts.iter().all(|verdict| verdict.passes) { Ok(()) } else { Err(Stop::CheckFailed) }
        }
    }
}
