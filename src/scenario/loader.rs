//! What every part of the loading shares: problems, settings with their origin, and files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::defaults::Default;
use super::diagnostics::{Place, Problems};
use super::read::At;
use super::{Origin, Setting, Source, SweepSection, builtin};

/// How a file begins that gzip compressed (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Most bytes of a compressed file's text: a small file may hold any number.
const LARGEST: u64 = 1 << 30;

/// Where the files lie that a scenario names.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// In a folder.
    Folder(PathBuf),
    /// In the program.
    Builtin,
    /// They were read before, from a folder.
    Read(PathBuf, Vec<Source>),
}

/// A loading under way.
#[derive(Debug)]
pub(super) struct Loader {
    pub problems: Problems,
    pub settings: Vec<Setting>,
    pub sweep: Option<SweepSection>,
    files: Files,
}

impl Loader {
    /// A loading of files from `files`.
    pub fn new(files: Files) -> Self {
        Self { problems: Problems::default(), settings: Vec::new(), sweep: None, files }
    }

    /// Adds a text that was read; returns its number.
    pub fn add_source(&mut self, name: String, text: String) -> usize {
        self.problems.sources.push(Source { name, text });
        self.problems.sources.len() - 1
    }

    /// Reads the file that the scenario names; `None` = it cannot be read, which is reported.
    pub fn open(&mut self, path: &At<String>) -> Option<usize> {
        let (name, text) = match &self.files {
            Files::Folder(folder) => {
                let path = folder.join(&path.value);
                (path.display().to_string(), read_text(&path))
            }
            Files::Builtin => (format!("scenarios/{}", path.value), builtin(&path.value)),
            Files::Read(folder, sources) => {
                let name = folder.join(&path.value).display().to_string();
                let text = sources.iter().find(|source| source.name == name).map(|source| source.text.clone());
                (name, text.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it was not kept")))
            }
        };
        if let Some(known) = self.problems.sources.iter().position(|source| source.name == name) {
            return Some(known);
        }
        match text {
            Ok(text) => Some(self.add_source(name, text)),
            Err(error) => {
                let problem = self.problems.error(path.place, format!("the file `{name}` cannot be read"));
                problem.label(error.to_string());
                if error.kind() == io::ErrorKind::NotFound {
                    problem.help("paths start from the scenario's folder");
                }
                None
            }
        }
    }

    /// Notes a value that was written.
    pub fn written(&mut self, path: impl Into<String>, value: impl Into<String>, place: Place) {
        let origin = self.origin(place);
        self.settings.push(Setting { path: path.into(), value: value.into(), origin });
    }

    /// Notes a value that was not written.
    pub fn default(&mut self, path: impl Into<String>, value: impl Into<String>, source: impl Into<String>) {
        let origin = Origin::Default { source: source.into() };
        self.settings.push(Setting { path: path.into(), value: value.into(), origin });
    }

    /// The origin of what stands at a place.
    pub fn origin(&self, place: Place) -> Origin {
        if self.problems.file_name(place).starts_with("--") {
            return Origin::Command;
        }
        Origin::File { name: self.problems.file_name(place).to_owned(), line: self.problems.line(place) }
    }

    /// What was written, or the default; notes which of the two.
    pub fn or_default<T>(
        &mut self,
        path: &str,
        written: Option<(T, Place)>,
        default: Default<T>,
        show: impl Fn(&T) -> String,
    ) -> T {
        match written {
            Some((value, place)) => {
                self.written(path, show(&value), place);
                value
            }
            None => {
                self.default(path, show(&default.value), default.source);
                default.value
            }
        }
    }
}

/// The text of a file, without a mark of its byte order, also of one that gzip compressed; what is not UTF-8 is
/// refused.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut bytes = std::fs::read(path)?;
    if bytes.starts_with(&GZIP) {
        let mut text = Vec::new();
        MultiGzDecoder::new(&bytes[..]).take(LARGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(wrong("it is larger than 1 GiB when unpacked"));
        }
        bytes = text;
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(wrong("it is UTF-16, as PowerShell's `>` writes it; save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        wrong(&format!("line {line} is not UTF-8"))
    })
}
