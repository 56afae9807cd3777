//! Standard output and standard error. Whoever reads it may have gone (`| head`), which is no error.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;

/// Prints `text` and ends its last line.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    verbatim(&format!("{}\n", text.trim_end()))
}

/// Prints the very bytes of `text`.
pub(super) fn verbatim(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Says something on standard error. If that cannot be written nobody can be told, and the work
/// goes on.
pub(super) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Width of text on standard output: 80 columns on a terminal; in a pipe lines are not broken, so
/// that the first one is the whole verdict.
pub(super) fn columns() -> usize {
    if io::stdout().is_terminal() { 80 } else { usize::MAX }
}

/// Whether diagnostics are to be coloured: standard error is a terminal, and nobody said no
/// (<https://no-color.org>).
#[allow(clippy::disallowed_methods, reason = "a colour changes no result")]
pub(super) fn coloured() -> bool {
    io::stderr().is_terminal() && std::env::var("NO_COLOR").map_or(true, |value| value.is_empty())
}
