//! A scenario before it is decided: its text, and changes to it.

use std::path::{Path, PathBuf};

use super::edit::{self, Edit};
use super::loader::{self, Files, Loader};
use super::read::Read;
use super::uncertain::{self, Draw};
use super::{Diagnostics, Loaded, Source, Uncertain, resolve, written, yaml};
use crate::model::Model;

/// A scenario's text with changes that are made before it is read.
#[derive(Debug, Clone)]
pub struct Blueprint {
    name: String,
    text: String,
    files: Files,
    edits: Vec<Edit>,
}

impl Blueprint {
    /// The scenario in a file; files that it names lie relative to its folder.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        match loader::read_text(path) {
            Ok(text) => Ok(Self::of_text(&name, &text, path.parent().unwrap_or(Path::new("")))),
            Err(error) => Err(Diagnostics::without_place(format!("the scenario `{name}` cannot be read: {error}"))),
        }
    }

    /// The scenario with this text, as if it stood in file `name`; files that it names lie in
    /// `folder`.
    #[must_use]
    pub fn of_text(name: &str, text: &str, folder: &Path) -> Self {
        let files = Files::Folder(folder.to_owned());
        Self { name: name.to_owned(), text: text.to_owned(), files, edits: Vec::new() }
    }

    /// The built-in scenario: the cluster of the article.
    #[must_use]
    pub fn demo() -> Self {
        let text = include_str!("../../scenarios/slash19-article.yaml");
        let name = "scenarios/slash19-article.yaml".to_owned();
        Self { name, text: text.to_owned(), files: Files::Builtin, edits: Vec::new() }
    }

    /// A scenario whose files were all read before, it first.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn of_sources(sources: &[Source]) -> Self {
        let Source { name, text } = sources.first().expect("a scenario has a text").clone();
        let folder = Path::new(&name).parent().map_or(PathBuf::new(), Path::to_path_buf);
        Self { name, text, files: Files::Read(folder, sources.to_vec()), edits: Vec::new() }
    }

    /// The same with more changes, which are made in their order.
    #[must_use]
    pub fn with(&self, edits: impl IntoIterator<Item = Edit>) -> Self {
        let mut changed = self.clone();
        changed.edits.extend(edits);
        changed
    }

    /// The changes.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Reads, checks and completes the scenario, for every replication if inputs are uncertain.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self) -> Result<Loaded, Diagnostics> {
        let (mut loader, model, mut uncertain) = self.read(Draw::Typical);
        if model.is_none() && !loader.problems.has_errors() {
            loader.problems.error_without_place("the scenario is incomplete");
        }
        let (settings, sweep) = (loader.settings, loader.sweep);
        let (warnings, sources) = loader.problems.finish()?;
        let model = model.expect("a loading without a model has an error");
        let files = sources.iter().filter(|source| !source.name.starts_with("--")).cloned().collect::<Vec<_>>();
        let blueprint = Self { edits: self.edits.clone(), ..Self::of_sources(&files) };
        let mut drawn = Vec::new();
        if !uncertain.is_empty() {
            // What is wrong at the ends is wrong, whether it is drawn or not.
            for (draw, which) in [(Draw::Low, "lowest"), (Draw::High, "highest")] {
                blueprint.draw(draw, &format!("the {which} values that were stated are"))?;
            }
            let of = |replication| Draw::Of { seed: model.seed, replication };
            for n in 0..model.replications {
                let (model, here) = blueprint.draw(of(n), &format!("replication {n} drew"))?;
                drawn.push(model);
                uncertain.iter_mut().zip(here).for_each(|(input, here)| input.drawn.push(here.here));
            }
        }
        Ok(Loaded { model, drawn, uncertain, settings, warnings, sources, sweep, blueprint })
    }

    /// The model with some values of uncertain inputs, and which.
    fn draw(&self, draw: Draw, which: &str) -> Result<(Model, Vec<Uncertain>), Diagnostics> {
        let (loader, model, uncertain) = self.read(draw);
        let values: Vec<_> = uncertain.iter().map(|input| format!("{} = {}", input.path, input.here)).collect();
        match loader.problems.finish() {
            Ok(_) => Ok((model.expect("what loads with typical values, and without errors, is complete"), uncertain)),
            Err(wrong) => Err(wrong.because(&format!("{which} {}", values.join(", ")))),
        }
    }

    fn read(&self, draw: Draw) -> (Loader, Option<Model>, Vec<Uncertain>) {
        let mut loader = Loader::new(self.files.clone());
        let file = loader.add_source(self.name.clone(), self.text.clone());
        let Some(mut tree) = yaml::parse(&mut loader.problems, file) else { return (loader, None, Vec::new()) };
        for change in &self.edits {
            edit::apply(&mut loader, &mut tree, change);
        }
        let uncertain = uncertain::settle(&mut tree, draw, &mut loader.problems);
        let stem = Path::new(&self.name).file_stem().map_or_else(|| self.name.as_str().into(), |s| s.to_string_lossy());
        let model = written::Scenario::read(&tree, &mut loader.problems)
            .and_then(|written| resolve::resolve(&mut loader, &written, &stem, question(&self.text)));
        (loader, model, uncertain)
    }
}

/// The question that a scenario asks: the first paragraph of its first comment.
fn question(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let comment = comment.skip_while(|line| line.is_empty() || line.starts_with("yaml-language-server"));
    comment.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
