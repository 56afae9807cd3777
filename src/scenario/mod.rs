//! From a file to a [`Model`]: the file as written, defaults (each with its source), validation,
//! and diagnostics with file, line, column and hint.
//!
//! ```text
//! text ─yaml→ tree with places ─edits, draws→ tree ─read→ sections as written ─resolve→ Model, settings, warnings
//! ```
//!
//! Nothing stops at the first error: what is wrong is left out, and what depends on it is not
//! reported again.

mod axis;
mod blueprint;
mod defaults;
mod describe;
mod diagnostics;
mod edit;
mod expression;
mod loader;
mod look_alike;
mod quantity;
mod read;
mod reference;
mod resolve;
mod schedule;
mod series;
mod show;
mod table;
mod times;
mod trace;
mod uncertain;
mod words;
mod written;
mod yaml;

use std::io;
use std::path::Path;

use crate::model::{Ensemble, Model};

pub use axis::{Axis, ParseAxisError, Range, Values};
pub use blueprint::Blueprint;
pub use describe::describe;
pub use diagnostics::Diagnostics;
pub use edit::Edit;
pub use expression::{claim, measured, reading};
pub use reference::reference;
pub use resolve::SweepSection;
pub use uncertain::Uncertain;

/// A scenario that was read, checked and completed.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is to be simulated, with typical values of uncertain inputs.
    pub model: Model,
    /// The model of each replication; empty if no input is uncertain.
    drawn: Vec<Model>,
    /// Inputs that are drawn for every replication.
    pub uncertain: Vec<Uncertain>,
    /// Every value of the model with its origin, in the order of the documentation.
    pub settings: Vec<Setting>,
    /// What deserves attention but does not stop a run, rendered.
    pub warnings: Vec<String>,
    /// The files that were read, the scenario first.
    pub sources: Vec<Source>,
    /// What is to be varied in a sweep, if the scenario says so.
    pub sweep: Option<SweepSection>,
    blueprint: Blueprint,
}

impl Loaded {
    /// The models of all replications.
    #[must_use]
    pub fn ensemble(&self) -> Ensemble {
        match self.uncertain[..] {
            [] => Ensemble::certain(self.model.clone()),
            _ => Ensemble::uncertain(self.model.clone(), self.drawn.clone()),
        }
    }

    /// The scenario as it was read, to be changed and loaded again without reading files again.
    #[must_use]
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name as the user wrote it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A value of the model and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// Where it stands, such as `terway.eni_config.max_pool_size` or `vpc.vswitches[0].cidr`.
    pub path: String,
    /// The value, with its unit.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Written in a file.
    File {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// Nobody wrote it.
    Default {
        /// Where the default comes from: a rule and its upstream file, or a document.
        source: String,
    },
    /// Written, and changed by Terway's own rules: a clamp or a derivation.
    Changed {
        /// What was written, or what it would have been.
        from: String,
        /// The rule that changed it, with its upstream file.
        source: String,
    },
    /// Given on the command line.
    Command,
}

/// Loads a scenario file; files that it names lie relative to its folder.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    Blueprint::open(path)?.load()
}

/// Loads a scenario from its text, as if it stood in file `name`; files that it names lie in
/// `folder`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_text(name: &str, text: &str, folder: &Path) -> Result<Loaded, Diagnostics> {
    Blueprint::of_text(name, text, folder).load()
}

/// The built-in scenario: the cluster of the article.
///
/// # Errors
/// Never, as a test shows.
pub fn demo() -> Result<Loaded, Diagnostics> {
    Blueprint::demo().load()
}

/// The JSON Schema of scenario files, for editors.
#[must_use]
pub fn schema() -> String {
    written::schema()
}

/// The text of a built-in file.
fn builtin(path: &str) -> io::Result<String> {
    match path {
        "eni-config-article.yaml" => Ok(include_str!("../../scenarios/eni-config-article.yaml").to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "it is not part of the program")),
    }
}
