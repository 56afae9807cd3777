//! From a file to a [`Model`]: the file as written, defaults (each with its source), validation,
//! and diagnostics with file, line, column and hint.

use crate::model::Model;

/// A scenario that was read, checked and completed.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is to be simulated.
    pub model: Model,
    /// Every value of the model with its origin, in the order of the documentation.
    pub settings: Vec<Setting>,
    /// What deserves attention but does not stop a run, rendered.
    pub warnings: Vec<String>,
    /// The files that were read, the scenario first.
    pub sources: Vec<Source>,
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
