//! From a file to a [`Model`]: the file as written, defaults (each with its source), validation,
//! and diagnostics with file, line, column and hint.
//!
//! ```text
//! text ─yaml→ tree with places ─read→ sections as written ─resolve→ Model, settings, warnings
//! ```
//!
//! Nothing stops at the first error: what is wrong is left out, and what depends on it is not
//! reported again.

mod defaults;
mod describe;
mod diagnostics;
mod loader;
mod quantity;
mod read;
mod resolve;
mod schedule;
mod series;
mod show;
mod table;
mod times;
mod trace;
mod words;
mod written;
mod yaml;

use std::io;
use std::path::Path;

use crate::model::Model;
use loader::{Files, Loader};
use read::Read;

pub use describe::describe;
pub use diagnostics::Diagnostics;

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

/// Loads a scenario file; files that it names lie relative to its folder.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    match loader::read_text(path) {
        Ok(text) => load_text(&name, &text, folder),
        Err(error) => {
            let mut loader = Loader::new(Files::Folder(folder.to_owned()));
            let title = format!("the scenario `{name}` cannot be read: {error}");
            loader.problems.error_without_place(title);
            finish(loader, None)
        }
    }
}

/// Loads a scenario from its text, as if it stood in file `name`; files that it names lie in
/// `folder`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_text(name: &str, text: &str, folder: &Path) -> Result<Loaded, Diagnostics> {
    load_from(name, text, Files::Folder(folder.to_owned()))
}

/// The built-in scenario: the cluster of the article.
///
/// # Errors
/// Never, as a test shows.
pub fn demo() -> Result<Loaded, Diagnostics> {
    let text = include_str!("../../scenarios/slash19-article.yaml");
    load_from("scenarios/slash19-article.yaml", text, Files::Builtin)
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

fn load_from(name: &str, text: &str, files: Files) -> Result<Loaded, Diagnostics> {
    let mut loader = Loader::new(files);
    let file = loader.add_source(name.to_owned(), text.to_owned());
    let stem = Path::new(name).file_stem().map_or_else(|| name.into(), |stem| stem.to_string_lossy());
    let model = yaml::parse(&mut loader.problems, file)
        .and_then(|tree| written::Scenario::read(&tree, &mut loader.problems))
        .and_then(|written| resolve::resolve(&mut loader, &written, &stem, question(text)));
    finish(loader, model)
}

/// The result of a loading.
fn finish(mut loader: Loader, model: Option<Model>) -> Result<Loaded, Diagnostics> {
    if model.is_none() && !loader.problems.has_errors() {
        loader.problems.error_without_place("the scenario is incomplete");
    }
    let (warnings, sources) = loader.problems.finish()?;
    let model = model.expect("a loading without a model has an error");
    Ok(Loaded { model, settings: loader.settings, warnings, sources })
}

/// The question that a scenario asks: the first paragraph of its first comment.
fn question(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let comment = comment.skip_while(|line| line.is_empty() || line.starts_with("yaml-language-server"));
    comment.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
