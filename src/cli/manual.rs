//! `brimline completions` and `brimline man`: what clap knows of the commands, for shells and `man`.

use std::path::Path;

use anyhow::Context;
use clap_complete::Shell;

use super::Cli;
use clap::CommandFactory;

/// A script that completes commands, options and files in a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "brimline", &mut script);
    String::from_utf8(script).expect("names and help are UTF-8")
}

/// Writes a page of the manual for each command.
pub(super) fn write(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create the folder {}", dir.display()))?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), dir)
        .with_context(|| format!("cannot write the manual to {}", dir.display()))
}
