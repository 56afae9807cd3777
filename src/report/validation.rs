//! How far the allocation core agrees with the real code: what this version's `docs/validation.md`
//! says, without its list of cases.
//!
//! That document is generated from the cases, and a test holds it to what this version measures.

use pulldown_cmark::{Options, Parser, html};

const DOCUMENT: &str = include_str!("../../docs/validation.md");

/// What leads the list of cases, and what follows it.
const CASES: &str = "\n## Exact cases\n";
const REST: &str = "\n## Beyond these cases\n";

/// The figures and the known deviations, in Markdown.
fn status() -> String {
    let (head, rest) = DOCUMENT.split_once(CASES).expect("docs/validation.md lists the cases");
    let (_, figures) = head.split_once("\n# ").expect("docs/validation.md has a title");
    let (_, figures) = figures.split_once('\n').expect("its title is a line");
    let (_, rest) = rest.split_once(REST).expect("docs/validation.md says what the cases do not cover");
    // One level deeper, as it stands in a section of the page.
    format!("{figures}\n{REST}{rest}").replace("\n## ", "\n### ")
}

/// The same in HTML.
pub(super) fn as_html() -> String {
    let mut out = String::new();
    html::push_html(&mut out, Parser::new_ext(&status(), Options::ENABLE_TABLES));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_deviations_are_there_and_cases_are_not() {
        let status = as_html();
        for part in ["<td>values that differ</td>", "<h3>Known deviations</h3>", "<code>PORTING.md</code>"] {
            assert!(status.contains(part), "no {part}");
        }
        assert!(!status.contains("assign-exhausted-then-freed"), "a case is listed");
    }
}
