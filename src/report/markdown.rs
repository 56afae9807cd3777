//! `report.md`: the run in Markdown, short enough for a pull request.

use super::Run;
use super::content::{Cell, Content, Policy, Table};
use super::policy::{code, plain, rules_header};
use crate::text::{Lang, Phrase, SPACE, Text, Words, phrase, text};

/// Most rows of a table; the page has all.
const MOST_ROWS: usize = 16;

/// Tables that a pull request needs; the page has the others.
const TABLES: [Phrase; 6] = [
    phrase!("vSwitches"),
    phrase!("Node pools"),
    phrase!("Pods and their waits"),
    phrase!("What binds"),
    phrase!("OpenAPI calls"),
    phrase!("Actions"),
];

/// The whole file.
pub(super) fn page(run: &Run, content: &Content) -> String {
    let (summary, plot) = (run.summary, &content.main.plot);
    let (lang, verdict) = (run.lang, plain(&summary.verdict.text.say(run.lang)));
    let mut text = format!("# {}\n\n**{verdict}**\n\n| | |\n|---:|---|\n", plain(&summary.name));
    for key in content.key.iter().map(|key| key.say(lang)) {
        text += &format!("| **{}** | {} |\n", plain(&key.number), plain(&key.label));
    }
    text += &format!("\n![{}](<plots/{}.svg>)\n", plain(&plot.caption), plot.name);
    for advice in content.advice.iter().map(|advice| advice.say(lang)) {
        let command = advice.command.as_deref().map(|command| format!(" {}", code(command)));
        text += &format!("\n- {}{}", plain(&advice.text), command.unwrap_or_default());
    }
    text += "\n";
    if let Some(policy) = &content.policy {
        text += &rules(&policy.say(lang), lang);
    }
    for warning in &content.warnings {
        text += &format!("\n````text\n{}\n````\n", warning.say(lang).trim());
    }
    let tables = content.sections.iter().flat_map(|section| &section.tables);
    let shown = tables.filter(|table| TABLES.iter().any(|title| title.words() == table.title));
    shown.for_each(|shown| text += &table(&shown.say(lang), lang));
    let method = &summary.method;
    let seed = text!("Seed {seed}, brimline {version}.", method.seed, method.version);
    let page = "[report.html](report.html)";
    let more = text!("Repeat it with {command}; the whole report is {page}.", code(run.reproduce), page);
    text + &format!("\n{}\n{}\n", Text::list([method.intervals.clone(), seed], SPACE).say(lang), more.say(lang))
}

fn rules(policy: &Policy<String>, lang: Lang) -> String {
    let row = |[word, rule, numbers]: &[Cell<String>; 3]| {
        format!("| {} | {} | {} |\n", word.text, code(&rule.text), plain(&numbers.text))
    };
    let rows = policy.rules.iter().map(row).collect::<String>();
    format!("\n{}\n\n{}\n{rows}", policy.headline, rules_header(lang))
}

/// A table under its title; what nobody wants to see is bold.
fn table(table: &Table<String>, lang: Lang) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\n## {}\n\n", table.title);
    if !table.note.is_empty() {
        text += &format!("{}\n\n", plain(&table.note));
    }
    text += &line(table.header.iter().map(|heading| plain(&heading.label)).collect());
    let align = |i: usize| if i < table.names { "---" } else { "---:" };
    text += &format!("|{}|\n", (0..table.header.len()).map(align).collect::<Vec<_>>().join("|"));
    for row in table.rows.iter().take(MOST_ROWS) {
        let cell = |cell: &Cell<String>| match cell.is_bad {
            true => format!("**{}**", plain(&cell.text)),
            false => plain(&cell.text),
        };
        text += &line(row.iter().map(cell).collect());
    }
    match table.rows.len().saturating_sub(MOST_ROWS) {
        0 => text,
        more => text + &format!("\n{}\n", text!("{more} more rows are in report.html.", more).say(lang)),
    }
}
