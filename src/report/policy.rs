//! What a run was held to, for people and for continuous integration: a section of text, JUnit XML
//! and Markdown.

use super::terminal::{LABEL, padded};
use crate::outcome::{Estimate, Proportion, Summary, count, in_parentheses, span, unit_text};
use crate::study::{Decision, Finding, RuleKind};
use crate::text::{Lang, Phrase, SPACE, Text, Words, phrase, text, wrap};
use crate::units::percent;

/// As many runs as may be asked for.
const MOST_RUNS: usize = 10_000;

/// The section of the terminal: how many rules hold, and a line for each. Text wraps at `columns`.
#[must_use]
pub fn policy(findings: &[Finding], columns: usize, lang: Lang) -> String {
    let mut text = format!("{}\n", wrap(&headline(findings).say(lang), 0, columns));
    for finding in findings {
        let line = text!("{rule}: {numbers}.", rule(finding), numbers(finding)).say(lang);
        text += &format!("{}{}\n", padded(word(finding.decision).say(lang), LABEL), wrap(&line, LABEL, columns));
    }
    text
}

/// `Policy: 1 of 3 rules holds, 1 fails, 1 is undecided.`
pub(super) fn headline(findings: &[Finding]) -> Text {
    let number = |decision| findings.iter().filter(|finding| finding.decision == decision).count();
    let (holds, fails, open) = (number(Decision::Holds), number(Decision::Fails), number(Decision::Undecided));
    let mut text = match (holds, findings.len()) {
        (_, 1) => text!("Policy: {holds} of 1 rule holds", holds),
        (1, all) => text!("Policy: {holds} of {all} rules holds", 1, all),
        (_, all) => text!("Policy: {holds} of {all} rules hold", holds, all),
    };
    match fails {
        0 => {}
        1 => text += text!(", 1 fails"),
        n => text += text!(", {n} fail", n),
    }
    match open {
        0 => {}
        1 => text += text!(", 1 is undecided"),
        n => text += text!(", {n} are undecided", n),
    }
    text!("{}.", text)
}

/// JUnit XML: a suite for the scenario, and a case for each rule. What is undecided is a failure
/// of the type `undecided`.
#[must_use]
pub fn junit(summary: &Summary, findings: &[Finding]) -> String {
    let failures = findings.iter().filter(|finding| finding.decision != Decision::Holds).count();
    let (name, tests) = (xml(&summary.name), findings.len());
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\"");
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"brimline\" {counts}>\n");
    text += &format!("  <testsuite name=\"{name}\" {counts} skipped=\"0\">\n    <properties>\n");
    let method = &summary.method;
    let (seed, runs) = (method.seed.to_string(), method.replications.to_string());
    for (key, value) in [("version", method.version), ("seed", &seed), ("replications", &runs)] {
        text += &format!("      <property name=\"{key}\" value=\"{value}\"/>\n");
    }
    text += "    </properties>\n";
    findings.iter().for_each(|finding| text += &case(&name, finding));
    text + &format!(
        "    <system-out>{}</system-out>\n  </testsuite>\n</testsuites>\n",
        xml(&summary.verdict.text.english())
    )
}

fn case(suite: &str, finding: &Finding) -> String {
    let (rule, numbers) = (xml(&rule(finding)), xml(&numbers(finding).english()));
    let start = format!("    <testcase classname=\"brimline.{suite}\" name=\"{rule}\"");
    let kind = match finding.decision {
        Decision::Holds => return format!("{start}>\n      <system-out>{numbers}</system-out>\n    </testcase>\n"),
        Decision::Fails => "fails",
        Decision::Undecided => "undecided",
    };
    let failure = format!("<failure type=\"{kind}\" message=\"{kind}: {numbers}\">{rule}\n{numbers}</failure>");
    format!("{start}>\n      {failure}\n    </testcase>\n")
}

/// A summary in Markdown, for a pull request: the verdict, a table of the rules, how to repeat the
/// run and where its report lies.
#[must_use]
pub fn markdown(summary: &Summary, findings: &[Finding], reproduce: &str, page: &str, lang: Lang) -> String {
    let say = |text: &Text| plain(&text.say(lang));
    let mut text = format!("### brimline: {}\n\n**{}**\n", plain(&summary.name), say(&summary.verdict.text));
    if !findings.is_empty() {
        text += &format!("\n{}\n\n{}\n", say(&headline(findings)), rules_header(lang));
    }
    for finding in findings {
        let (word, numbers) = (word(finding.decision).say(lang), say(&numbers(finding)));
        text += &format!("| {word} | {} | {numbers} |\n", code(&rule(finding)));
    }
    let method = &summary.method;
    let seed = text!("Seed {seed}, brimline {version}.", method.seed, method.version);
    let more = text!("Repeat it with {command}; the whole report is {page}.", code(reproduce), code(page));
    text + &format!("\n{}\n\n{}\n", Text::list([method.intervals.clone(), seed], SPACE).say(lang), more.say(lang))
}

/// The word for a decision; what fails stands out.
pub(super) fn word(decision: Decision) -> Phrase {
    match decision {
        Decision::Holds => phrase!("holds"),
        Decision::Fails => phrase!("FAILS"),
        Decision::Undecided => phrase!("undecided"),
    }
}

/// The header of a table of rules in Markdown.
pub(super) fn rules_header(lang: Lang) -> String {
    format!("| | {} | {} |\n|---|---|---|", phrase!("rule").say(lang), phrase!("numbers").say(lang))
}

/// A rule as the user wrote it.
pub(super) fn rule(finding: &Finding) -> String {
    match finding.kind {
        RuleKind::Policy => finding.claim.clone(),
        RuleKind::FailIf => format!("--fail-if '{}'", finding.claim),
    }
}

/// `true in 14 of 20 runs (48 to 85 %); measured 12 (3 to 40) addresses`; what would decide it.
pub(super) fn numbers(finding: &Finding) -> Text {
    let mut text = text!("true in {runs}", runs(&finding.held));
    if let Some(measured) = &finding.measured {
        text += text!("; measured {value}", measure(measured, finding.unit));
    }
    text + match finding.runs_needed {
        None if finding.decision == Decision::Undecided => text!("; no number of runs that could be made tells"),
        None => Text::default(),
        Some(runs) if runs > MOST_RUNS => text!("; {runs} runs or so would be needed to tell, more than may be", runs),
        Some(runs) => text!("; too few runs to tell, --replications {runs} would do if more runs are like these", runs),
    }
}

fn runs(held: &Proportion) -> Text {
    match held.runs {
        1 => text!("{} of 1 run", held.hits),
        _ => text!("{} of {} runs{}", held.hits, held.runs, in_parentheses(held.interval.as_ref())),
    }
}

/// The median and the range: `12 (3 to 40) addresses`.
fn measure(measured: &Estimate, unit: &'static str) -> Text {
    let write = |n: f64| match unit {
        "s" => span(n),
        "share" => percent(n).words(),
        _ => count(n).words(),
    };
    let (low, middle, high) = (write(measured.min), write(measured.median), write(measured.max));
    let spread = if low == high { Text::default() } else { text!(" ({low} to {high})", low, high) };
    match unit {
        "s" | "share" => middle + spread,
        unit => text!("{value}{spread} {unit}", middle, spread, unit_text(unit)),
    }
}

/// A text in XML: what has a meaning there is escaped, and what XML 1.0 cannot hold is replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\r' | '\t' => out += &format!("&#{};", u32::from(c)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// Text that Markdown takes as it is, in one line of a table.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// Code within a line of a table.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(xml("a < b && \"c\"\n\u{1}"), "a &lt; b &amp;&amp; &quot;c&quot;&#10;\u{fffd}");
        assert_eq!(plain("a|b *c* <d>"), "a\\|b \\*c\\* \\<d\\>");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a `b`"), "`` a `b` ``");
    }

    #[test]
    fn the_headline_counts() {
        let finding = |decision| Finding {
            kind: RuleKind::Policy,
            claim: "calls < 7".to_owned(),
            decision,
            held: Proportion::new(1, 20),
            runs_needed: None,
            measured: None,
            unit: "calls",
        };
        use Decision::{Fails, Holds, Undecided};
        let text = |decisions: &[Decision]| headline(&decisions.iter().map(|&d| finding(d)).collect::<Vec<_>>());
        assert_eq!(text(&[Holds]), "Policy: 1 of 1 rule holds.");
        assert_eq!(text(&[Fails]), "Policy: 0 of 1 rule holds, 1 fails.");
        assert_eq!(text(&[Holds, Holds]), "Policy: 2 of 2 rules hold.");
        assert_eq!(text(&[Fails, Fails, Undecided]), "Policy: 0 of 3 rules hold, 2 fail, 1 is undecided.");
    }
}
