//! What a report tells its readers, whatever its format: key numbers, what to try, and sections of
//! pictures and tables.

mod advice;
mod key;
mod study;
mod tables;

use serde::Serialize;

pub(super) use advice::Advice;
pub(super) use key::Key;
pub(super) use tables::{Cell, Table};

use super::Run;
use super::plot::{About, Picture};
use super::policy;
use crate::study::{Decision, Finding};
use crate::text::{Lang, Phrase, Text, Words, phrase};

/// All of it.
#[derive(Debug)]
pub(super) struct Content<'a> {
    /// The numbers that matter.
    pub(super) key: Vec<Key>,
    pub(super) advice: Vec<Advice>,
    pub(super) policy: Option<Policy>,
    pub(super) warnings: Vec<Text>,
    /// The picture that says most.
    pub(super) main: &'a Picture,
    pub(super) sections: Vec<Section<'a>>,
    /// Inputs that are drawn for every run.
    pub(super) uncertain: Option<Table>,
    /// Every reading over the runs.
    pub(super) quantiles: Vec<Vec<Text>>,
}

/// Pictures and tables about one thing.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// Its place in the page.
    pub(super) id: &'static str,
    pub(super) title: Phrase,
    pub(super) pictures: Vec<&'a Picture>,
    /// Pictures that are only in the folder `plots`.
    pub(super) more: usize,
    pub(super) tables: Vec<Table>,
}

/// What the run was held to.
#[derive(Debug, Serialize)]
pub(super) struct Policy<T = Text> {
    pub(super) headline: T,
    /// Each rule with its decision in a word and the numbers.
    pub(super) rules: Vec<[Cell<T>; 3]>,
}

impl Policy {
    /// None without a rule.
    fn of(findings: &[Finding]) -> Option<Self> {
        let row = |finding: &Finding| {
            let word =
                Cell { text: policy::word(finding.decision).words(), is_bad: finding.decision != Decision::Holds };
            [word, policy::rule(finding).into(), policy::numbers(finding).into()]
        };
        let rules = findings.iter().map(row).collect();
        (!findings.is_empty()).then(|| Self { headline: policy::headline(findings), rules })
    }

    /// It in a language.
    pub(super) fn say(&self, lang: Lang) -> Policy<String> {
        let rules = self.rules.iter().map(|rule| rule.each_ref().map(|cell| cell.say(lang)));
        Policy { headline: self.headline.say(lang), rules: rules.collect() }
    }
}

impl<'a> Content<'a> {
    /// What a run tells.
    pub(super) fn of(run: &Run, pictures: &'a [Picture]) -> Self {
        let summary = run.summary;
        let main = main_picture(run, pictures);
        let lacking = summary.vswitches.iter().filter_map(study::warning);
        Self {
            key: key::numbers(summary),
            advice: advice::advice(run),
            policy: Policy::of(run.findings),
            warnings: run.warnings.iter().map(Words::words).chain(lacking).collect(),
            main,
            sections: sections(run, pictures, main),
            uncertain: study::uncertain(run.uncertain),
            quantiles: study::quantiles(summary),
        }
    }
}

/// The vSwitch that the verdict is about, or else the pods.
fn main_picture<'a>(run: &Run, pictures: &'a [Picture]) -> &'a Picture {
    let id = run.summary.verdict.vswitch.as_ref();
    let of_vswitch = |id: &String| {
        let name = super::file_name(&format!("vswitch-{id}"));
        pictures.iter().find(|picture| picture.plot.name == name)
    };
    let pods = pictures.iter().find(|picture| picture.about == About::Pods);
    id.and_then(of_vswitch).or(pods).expect("there is always a picture of the pods")
}

/// Most pictures of a section, those of the fullest vSwitches first; the folder `plots` has all. One
/// takes 20 kB and more, and a page has to stay below 6 MB.
const MOST_PICTURES: usize = 60;

/// The sections that have something to say.
fn sections<'a>(run: &Run, pictures: &'a [Picture], main: &'a Picture) -> Vec<Section<'a>> {
    let summary = run.summary;
    let section = |id, title, about: Option<About>, tables: Vec<Table>| {
        let mut shown: Vec<_> =
            pictures.iter().filter(|p| Some(p.about) == about && p.plot.name != main.plot.name).collect();
        let more = shown.len().saturating_sub(MOST_PICTURES);
        shown.truncate(MOST_PICTURES);
        let tables = tables.into_iter().filter(|table| !table.rows.is_empty()).collect();
        Section { id, title, pictures: shown, more, tables }
    };
    let mut of_vswitches = vec![tables::vswitches(summary), study::risk(summary), tables::holders(summary)];
    of_vswitches.extend([tables::at_full(summary), tables::counting(summary)]);
    of_vswitches.extend(tables::prefixes(summary).into_iter().chain([tables::stranded(summary)]));
    let of_pods = [tables::pods(summary), tables::limits(summary), tables::unschedulable(summary)];
    let of_pods = of_pods.into_iter().chain([tables::defects(summary), tables::messages(summary)]).collect();
    let all = [
        section("vswitches", phrase!("vSwitches"), Some(About::VSwitches), of_vswitches),
        section(
            "pools",
            phrase!("Node pools"),
            Some(About::Pools),
            vec![tables::pools(summary), tables::trunkless(summary), tables::zones(summary)],
        ),
        section("pods", phrase!("Pods"), Some(About::Pods), of_pods),
        section("api", phrase!("API calls"), Some(About::Api), vec![tables::api_calls(summary)]),
        section("enis", phrase!("ENIs"), Some(About::Enis), vec![tables::enis(summary)]),
        section("events", phrase!("Events"), None, vec![study::actions(summary), tables::landmarks(summary)]),
    ];
    all.into_iter().filter(|section| !section.pictures.is_empty() || !section.tables.is_empty()).collect()
}
