//! What the documentation shows is what the program does: every command of these pages is run, and
//! what it prints and draws is what stands there.
//!
//! A page is Markdown with four things in it that mean something here:
//! - `<!-- file: cluster.yaml -->` before a block: the block is a file of that name.
//! - A block `console`: lines that begin with `$ ` are commands, run one after the other in one
//!   folder with a copy of `scenarios/`. What follows is their standard output, with lines of more
//!   than 100 characters broken; a line `...` stands for any number of lines.
//! - `<!-- plot: output/NAME/plots/pods.svg -->` before a picture: the picture is that file.
//! - `<!-- not run -->` before a block `console`: it is for people.
//!
//! `just pages` writes output and pictures anew, with as many lines around each `...` as before.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

const WRITE: &str = "BRIMLINE_WRITE_PAGES";
const WIDTH: usize = 100;
const ELISION: &str = "...";

#[test]
fn the_quick_start_works_as_printed() {
    follow("docs/quickstart.md");
}

#[test]
fn pictures_of_how_terway_allocates_are_of_runs() {
    follow("docs/how-terway-allocates.md");
}

#[test]
fn the_cookbook_answers_as_printed() {
    follow("docs/cookbook.md");
}

#[test]
fn the_spreadsheets_stand_beside_what_is_simulated() {
    follow("docs/spreadsheets.md");
}

#[test]
fn an_upgrade_changes_what_is_printed() {
    follow("docs/upgrade.md");
}

/// Runs a page and compares it with itself, or writes it anew.
fn follow(page: &str) {
    let path = root().join(page);
    let text = std::fs::read_to_string(&path).expect("the page is in the repository");
    let folder = folder();
    let writes = std::env::var_os(WRITE).is_some();
    let mut walk = Walk { page: &path, folder: folder.path(), writes, lines: Vec::new(), commands: 0 };
    walk.blocks(&text);
    assert!(walk.commands > 0, "{page} shows no command");
    let now = walk.lines.join("\n") + "\n";
    if writes {
        std::fs::write(&path, now).expect("the page can be written");
    } else {
        for (i, (stated, is)) in text.lines().zip(now.lines()).enumerate() {
            assert_eq!(stated, is, "{page}, line {}: `just pages` writes it anew", i + 1);
        }
        assert_eq!(text.lines().count(), now.lines().count(), "{page}: `just pages` writes it anew");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder as a reader has it after cloning.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for below in ["scenarios", "scenarios/traces"] {
        std::fs::create_dir(folder.path().join(below)).expect("a writable folder");
        for entry in std::fs::read_dir(root().join(below)).expect("scenarios are in the repository") {
            let from = entry.expect("it can be read").path();
            let name = from.file_name().expect("a file has a name");
            if from.is_file() {
                std::fs::copy(&from, folder.path().join(below).join(name)).expect("a writable folder");
            }
        }
    }
    folder
}

/// A page on its way from what it says to what it has to say.
struct Walk<'a> {
    page: &'a Path,
    folder: &'a Path,
    writes: bool,
    lines: Vec<String>,
    commands: usize,
}

impl Walk<'_> {
    fn blocks(&mut self, text: &str) {
        let mut lines = text.lines();
        let mut mark = "";
        while let Some(line) = lines.next() {
            self.lines.push(line.to_owned());
            if line.starts_with("```") && line.len() > 3 {
                let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
                self.block(&line[3..], mark, &block);
                self.lines.push("```".to_owned());
            } else if let Some(plot) = argument(mark, "plot") {
                self.picture(plot, line);
            }
            mark = line;
        }
    }

    fn block(&mut self, language: &str, mark: &str, block: &[&str]) {
        if let Some(name) = argument(mark, "file") {
            std::fs::write(self.folder.join(name), block.join("\n") + "\n").expect("a writable folder");
        }
        if language != "console" || mark == "<!-- not run -->" {
            self.lines.extend(block.iter().map(|line| (*line).to_owned()));
            return;
        }
        let mut rest = block;
        while !rest.is_empty() {
            let length = 1 + rest[1..].iter().position(|line| line.starts_with("$ ")).unwrap_or(rest.len() - 1);
            let (shown, others) = rest.split_at(length);
            self.command(shown);
            rest = others;
        }
    }

    /// A command, over one line or several, and what it prints.
    fn command(&mut self, shown: &[&str]) {
        let length = 1 + shown.iter().take_while(|line| line.ends_with('\\')).count();
        let (command, stated) = shown.split_at(length);
        let text: String = command.iter().map(|line| line.trim_start_matches("$ ").trim_end_matches('\\')).collect();
        let words = shlex::split(&text).expect("quotes end");
        assert_eq!(words[0], "brimline", "{text}");
        let mut process = Command::cargo_bin("brimline").expect("the binary is built");
        let output = process.current_dir(self.folder).args(&words[1..]).output().expect("the binary starts");
        let is_answer = matches!(output.status.code(), Some(0 | 3));
        assert!(is_answer, "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("the output is UTF-8");
        let printed: Vec<_> = printed.lines().flat_map(broken).collect();
        self.commands += 1;
        self.lines.extend(command.iter().map(|line| (*line).to_owned()));
        self.lines.extend(elided(stated, &printed));
    }

    /// A picture that the line names is this file.
    fn picture(&mut self, plot: &str, line: &str) {
        let (_, name) = line.split_once("](").expect("a picture follows");
        let target = self.page.with_file_name(name.trim_end_matches(')'));
        let is = std::fs::read(self.folder.join(plot)).unwrap_or_else(|error| panic!("{plot}: {error}"));
        if self.writes {
            std::fs::write(&target, is).expect("the picture can be written");
        } else {
            let stated = std::fs::read(&target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
            assert!(stated == is, "{} is not {plot} any more: `just pages` writes it anew", target.display());
        }
    }
}

/// What a comment `<!-- KEY: VALUE -->` says.
fn argument<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(key)?.strip_prefix(": ")
}

/// As many lines of `printed` before and behind `...` as are stated.
fn elided(stated: &[&str], printed: &[String]) -> Vec<String> {
    let Some(at) = stated.iter().position(|line| *line == ELISION) else { return printed.to_vec() };
    let behind = stated.len() - at - 1;
    assert!(at + behind <= printed.len(), "`...` stands for nothing");
    let (before, rest) = printed.split_at(at);
    let behind = &rest[rest.len() - behind..];
    [before, &[ELISION.to_owned()], behind].concat()
}

/// A line in pieces of at most [`WIDTH`] characters, broken between words.
fn broken(line: &str) -> Vec<String> {
    if line.chars().count() <= WIDTH {
        return vec![line.trim_end().to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = lines.last_mut().expect("there is a line");
        if last.chars().count() + word.trim_end().chars().count() > WIDTH {
            lines.push(format!("  {word}"));
        } else {
            last.push_str(word);
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Every page with commands is followed.
#[test]
fn no_page_is_left_out() {
    let own = include_str!("pages.rs");
    let pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs"))
        .expect("the documentation is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(page).expect("a page can be read");
        let name = page.file_name().expect("a file has a name").to_string_lossy();
        let has_plots = text.lines().any(|line| argument(line, "plot").is_some());
        assert!(!has_plots || own.contains(&format!("\"docs/{name}\"")), "no test follows docs/{name}");
    }
}
