//! `report.md`: the run in Markdown, short enough for a pull request.

use super::Run;
use super::content::{Cell, Content, Policy, Table};
use super::policy::{code, plain};

/// Most rows of a table; the page has all.
const MOST_ROWS: usize = 16;

/// Tables that a pull request needs; the page has the others.
const TABLES: [&str; 6] = ["vSwitches", "Node pools", "Pods and their waits", "What binds", "OpenAPI calls", "Actions"];

/// The whole file.
pub(super) fn page(run: &Run, content: &Content) -> String {
    let (summary, plot) = (run.summary, &content.main.plot);
    let mut text = format!("# {}\n\n**{}**\n\n| | |\n|---:|---|\n", plain(&summary.name), plain(&summary.verdict.text));
    for key in &content.key {
        text += &format!("| **{}** | {} |\n", plain(&key.number), plain(&key.label));
    }
    text += &format!("\n![{}](<plots/{}.svg>)\n", plain(&plot.caption), plot.name);
    for advice in &content.advice {
        let command = advice.command.as_deref().map(|command| format!(" {}", code(command)));
        text += &format!("\n- {}{}", plain(&advice.text), command.unwrap_or_default());
    }
    text += "\n";
    if let Some(policy) = &content.policy {
        text += &rules(policy);
    }
    for warning in &content.warnings {
        text += &format!("\n````text\n{}\n````\n", warning.trim());
    }
    let tables = content.sections.iter().flat_map(|section| &section.tables);
    tables.filter(|table| TABLES.contains(&table.title)).for_each(|shown| text += &table(shown));
    let method = &summary.method;
    text += &format!("\n{} Seed {}, brimline {}.\n", plain(&method.intervals), method.seed, method.version);
    text + &format!("Repeat it with {}; the whole report is [report.html](report.html).\n", code(run.reproduce))
}

fn rules(policy: &Policy) -> String {
    let row = |[word, rule, numbers]: &[String; 3]| format!("| {word} | {} | {} |\n", code(rule), plain(numbers));
    let rows = policy.rules.iter().map(row).collect::<String>();
    format!("\n{}\n\n| | rule | numbers |\n|---|---|---|\n{rows}", policy.headline)
}

/// A table under its title; what nobody wants to see is bold.
fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\n## {}\n\n", table.title);
    if !table.note.is_empty() {
        text += &format!("{}\n\n", plain(&table.note));
    }
    text += &line(table.header.iter().map(|heading| plain(heading.label)).collect());
    let align = |i: usize| if i < table.names { "---" } else { "---:" };
    text += &format!("|{}|\n", (0..table.header.len()).map(align).collect::<Vec<_>>().join("|"));
    for row in table.rows.iter().take(MOST_ROWS) {
        let cell = |cell: &Cell| match cell.is_bad {
            true => format!("**{}**", plain(&cell.text)),
            false => plain(&cell.text),
        };
        text += &line(row.iter().map(cell).collect());
    }
    match table.rows.len().saturating_sub(MOST_ROWS) {
        0 => text,
        more => text + &format!("\n{more} more rows are in report.html.\n"),
    }
}
