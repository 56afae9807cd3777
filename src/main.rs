//! Parses the command line and calls the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    brimline::cli::main(brimline::cli::Cli::parse())
}
