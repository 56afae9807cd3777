//! The report in Chinese: nothing in it is English but names, and what is quoted.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr;

use super::page::{page, run};
use super::{Progress, simulated, tiny};
use crate::explain::{Whom, explain};
use crate::model::Model;
use crate::report::content::Content;
use crate::report::{Run, markdown, plot, story, terminal};
use crate::text::Lang;

/// Names of the test's model, and what Terway, Kubernetes and the API call things.
const NAMES: &str = "\
    AAA aliyun AllocIPFailed API api AssignPrivateIpAddresses AttachNetworkInterface brimline cloud \
    cluster CNI config ContainerCreating CPU CreateNetworkInterface CSV csv daemon default \
    DeleteNetworkInterface DescribeNetworkInterfaces DescribeVSwitches DetachNetworkInterface docs ecs eni \
    file html InternalError InvalidVSwitchId IpNotEnough Job json kubelet manifest max md min MIT name never \
    nodes null OpenAPI others Pending plots png Pod PodNetworking pods prefix quantiles quot replications report request \
    risk run seek SHA shanghai small smallest SNAT Student summary svg SVG Terway terwayd Throttling timeline trunk \
    UnassignPrivateIpAddresses uPlot validation VPC vsw vswitches web Wilson xlarge yaml";

fn chinese<'a>(
    model: &'a Model,
    summary: &'a crate::outcome::Summary,
    recordings: &'a [crate::record::Recording],
) -> Run<'a> {
    Run { lang: Lang::Chinese, ..run(model, summary, recordings) }
}

/// English words of a text: three letters or more in Latin.
fn english(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2);
    words.filter(|word| NAMES.split(' ').all(|name| name != *word)).collect()
}

/// A text without what stands between two marks.
fn without(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        out += before;
        out.push(' ');
        rest = after.split_once(to).map_or("", |(_, after)| after);
    }
    out + rest
}

/// What a reader sees of a page or a picture: no tags, scripts, commands and messages.
fn seen(page: &str) -> String {
    let hidden =
        [("<style", "</style>"), ("<script", "</script>"), ("<!--", "-->"), ("<pre", "</pre>"), ("<code", "</code>")];
    let shown = hidden.into_iter().fold(page.to_owned(), |text, (from, to)| without(&text, from, to));
    without(&shown, "<", ">")
}

#[test]
fn the_terminal_speaks_chinese_in_eighty_columns() {
    let model = tiny();
    let (_, summary) = simulated(&model);
    let text = terminal(&summary, &[], 80, Lang::Chinese);
    insta::assert_snapshot!("terminal_zh", text);
    let wide: Vec<_> = text.lines().filter(|line| line.width() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    // Messages are Terway's own.
    let said = text.split("用户看到").next().expect("what comes before messages");
    assert_eq!(english(said), BTreeSet::new());
}

#[test]
fn page_pictures_and_markdown_speak_chinese() {
    let model = Model { question: String::new(), ..tiny() };
    let (recordings, summary) = simulated(&model);
    let run = chinese(&model, &summary, &recordings);
    let pictures = plot::all(&model, &summary, &recordings, Lang::Chinese);
    for picture in &pictures {
        let svg = &picture.plot.svg;
        assert!(svg.contains("xml:lang=\"zh-CN\""));
        assert_eq!(english(&seen(svg)), BTreeSet::new(), "{}", picture.plot.name);
        assert_eq!(english(&picture.plot.caption), BTreeSet::new());
    }
    let page = page(&run);
    assert!(page.contains("<html lang=\"zh-CN\">"));
    let own = without(&page, "<section id=\"validation\">", "</section>");
    // Messages are Terway's own.
    let own = own.replace("The specified VSwitch", "").replace("has not enough IpAddress", "").replace("`any`", "");
    let own = own.replace("`backoff_limit`", "");
    let own = without(&own, "cmdAdd:", "</td>");
    assert_eq!(english(&seen(&own)), BTreeSet::new());
    let text = markdown::page(&run, &Content::of(&run, &pictures));
    let text = without(&without(&text, "`", "`"), "](", ")");
    assert_eq!(english(&text), BTreeSet::new());
}

#[test]
fn a_story_is_told_in_chinese() {
    let model = tiny();
    let (explanation, _) = explain(&model, 0, &Whom::First, None, &Progress::default()).expect("a pod waits");
    let text = story(&explanation, 80, Lang::Chinese);
    insta::assert_snapshot!("story_zh", text);
    let wide: Vec<_> = text.lines().filter(|line| line.width() > 80).collect();
    assert!(wide.iter().all(|line| !line.contains(' ')), "{wide:?}");
    let told = text.split("Pod 的事件里写着").next().expect("what comes before messages");
    assert_eq!(english(told), BTreeSet::new());
}
