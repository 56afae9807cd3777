//! What is said to people, in each of their languages.
//!
//! A text is written in English where it is needed, as for `format!`, and has its Chinese in
//! `chinese/`, found by the English words:
//!
//! ```text
//! text!("{id} is full {when}.", id, clock.at(secs))
//! ```
//!
//! The compiler finds what is missing: a text without Chinese words, or with other holes, does not
//! compile; and neither does a text that is written out before its reader's language is known, as
//! [`Text`] is not `Display`.

mod chinese;
mod wrap;

use std::fmt::Display;
use std::ops::{Add, AddAssign};

use serde::{Serialize, Serializer};

pub use wrap::wrap;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    English,
    /// Chinese in simplified characters.
    Chinese,
}

impl Lang {
    /// Its tag (BCP 47).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// What asks for it on a command line, after a space; nothing for English.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::English => "",
            Self::Chinese => " --lang zh",
        }
    }
}

/// Words in every language, with holes (`{}`) for what is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phrase {
    english: &'static str,
    chinese: &'static str,
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// A name or a number: the same in every language.
    Plain(String),
    /// Words with their holes filled.
    Said(Phrase, Vec<Text>),
    /// One after the other.
    All(Vec<Text>),
}

/// Makes a [`Text`] from English words and what fills their holes, one expression each: `{}`, or
/// `{name}` where that tells a translator more.
macro_rules! text {
    ($english:literal $(, $hole:expr)* $(,)?) => {{
        const PHRASE: $crate::text::Phrase =
            $crate::text::Phrase::of($english, <[&str]>::len(&[$(stringify!($hole)),*]));
        $crate::text::Text::Said(PHRASE, vec![$($crate::text::Words::words(&$hole)),*])
    }};
}

/// Makes a [`Phrase`] from English words without holes.
macro_rules! phrase {
    ($english:literal) => {{
        const PHRASE: $crate::text::Phrase = $crate::text::Phrase::of($english, 0);
        PHRASE
    }};
}

/// Makes a [`Phrase`] of a unit.
macro_rules! unit {
    ($english:literal) => {{
        const UNIT: $crate::text::Phrase = $crate::text::Phrase::unit($english);
        UNIT
    }};
}

pub(crate) use {phrase, text, unit};

/// Between the parts of a sentence.
pub const COMMA: Phrase = Phrase { english: ", ", chinese: "，" };
/// Between names, or what is alike.
pub const LIST: Phrase = Phrase { english: ", ", chinese: "、" };
/// Between parts of a sentence that have parts of their own.
pub const SEMICOLON: Phrase = Phrase { english: "; ", chinese: "；" };
/// Between names of which one is meant.
pub const OR: Phrase = Phrase { english: " or ", chinese: " 或 " };
/// Between sentences.
pub const SPACE: Phrase = Phrase { english: " ", chinese: "" };

impl Phrase {
    /// The words in every language.
    ///
    /// # Panics
    /// When the program is compiled: if there is no Chinese, or the words have not as many holes.
    #[must_use]
    pub const fn of(english: &'static str, holes: usize) -> Self {
        let chinese = match chinese::of(english) {
            Some((_, chinese)) => chinese,
            None => panic!("a text has no Chinese words in src/text/chinese"),
        };
        assert!(holes == count(english), "a text has other holes than what is to fill them");
        assert!(holes == count(chinese), "a text has other holes in Chinese than in English");
        Self { english, chinese }
    }

    /// A unit in every language.
    ///
    /// # Panics
    /// When the program is compiled: if it has no Chinese.
    #[must_use]
    pub const fn unit(english: &'static str) -> Self {
        match chinese::unit(english) {
            Some((_, chinese)) => Self { english, chinese },
            None => panic!("a unit has no Chinese words in src/text/chinese/units.rs"),
        }
    }

    /// The unit with this English name, for names that the compiler does not see; none if there is
    /// no Chinese.
    #[must_use]
    pub fn find_unit(english: &str) -> Option<Self> {
        chinese::unit(english).map(|(english, chinese)| Self { english, chinese })
    }

    /// The phrase with these English words, for words that the compiler does not see; none if there
    /// is no Chinese.
    #[must_use]
    pub fn find(english: &str) -> Option<Self> {
        chinese::of(english).map(|(english, chinese)| Self { english, chinese })
    }

    fn template(self, lang: Lang) -> &'static str {
        match lang {
            Lang::English => self.english,
            Lang::Chinese => self.chinese,
        }
    }

    /// The words of a phrase without holes.
    #[must_use]
    pub fn say(self, lang: Lang) -> &'static str {
        self.template(lang)
    }

    /// The words in English.
    #[must_use]
    pub fn english(self) -> &'static str {
        self.english
    }

    /// Appends the words with their holes filled.
    fn fill(self, fillings: &[Text], lang: Lang, out: &mut String) {
        let mut holes = self.holes(lang).into_iter();
        let mut rest = self.template(lang);
        while let Some((before, after)) = rest.split_once('{') {
            append(out, before, lang);
            fillings[holes.next().expect("a template has as many holes as it has holes")].write(lang, out);
            (_, rest) = after.split_once('}').expect("the holes were counted by their ends");
        }
        append(out, rest, lang);
    }

    /// Which of the English holes each hole of a template is: `{name}` that of its name, `{2}` that of
    /// its number, from 0, and `{}` the next of those without a name.
    fn holes(self, lang: Lang) -> Vec<usize> {
        let english = names(self.english);
        let of_name = |name: &str| english.iter().position(|&known| known == name && !name.is_empty());
        let mut next = english.iter().enumerate().filter(|(_, name)| name.is_empty()).map(|(i, _)| i);
        let hole = |name: &str| of_name(name).or_else(|| name.parse().ok()).or_else(|| next.next());
        match lang {
            Lang::English => (0..english.len()).collect(),
            Lang::Chinese => names(self.chinese).into_iter().filter_map(hole).collect(),
        }
    }
}

/// What stands in the holes of a template.
fn names(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)).collect()
}

/// Appends a part of a text. In Chinese there is a space beside Latin letters and digits, and none
/// beside the marks of Chinese or between its characters, whatever the parts are.
fn append(out: &mut String, part: &str, lang: Lang) {
    let marks = |c: char| "，。；：、？（）“”".contains(c);
    let (Lang::Chinese, Some(before), Some(after)) = (lang, out.chars().last(), part.chars().next()) else {
        *out += part;
        return;
    };
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let is_latin = |c: char| c.is_ascii_alphanumeric();
    if marks(before) {
        *out += part.trim_start_matches(' ');
        return;
    }
    if part.trim_start_matches(' ').starts_with(marks) {
        out.truncate(out.trim_end_matches(' ').len());
        *out += part.trim_start_matches(' ');
        return;
    }
    // A template's own space, for a filling that is Chinese.
    if let Some(rest) = part.strip_prefix(' ').filter(|rest| is_han(before) && rest.starts_with(is_han)) {
        *out += rest;
        return;
    }
    if before == ' ' && is_han(after) && out.trim_end_matches(' ').ends_with(is_han) {
        out.truncate(out.trim_end_matches(' ').len());
    }
    if is_han(before) && is_latin(after) || is_latin(before) && is_han(after) {
        out.push(' ');
    }
    *out += part;
}

/// How many holes a template has.
const fn count(template: &str) -> usize {
    let (bytes, mut i, mut holes) = (template.as_bytes(), 0, 0);
    while i < bytes.len() {
        holes += (bytes[i] == b'}') as usize;
        i += 1;
    }
    holes
}

impl Text {
    /// Texts with something between them.
    pub fn list(texts: impl IntoIterator<Item = Self>, between: Phrase) -> Self {
        let mut all = Vec::new();
        for text in texts {
            if !all.is_empty() {
                all.push(between.words());
            }
            all.push(text);
        }
        Self::All(all)
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Plain(text) => text.is_empty(),
            Self::Said(..) => false,
            Self::All(all) => all.iter().all(Self::is_empty),
        }
    }

    /// The text in a language.
    #[must_use]
    pub fn say(&self, lang: Lang) -> String {
        let mut out = String::new();
        self.write(lang, &mut out);
        out
    }

    /// The text in English, for files that programs read.
    #[must_use]
    pub fn english(&self) -> String {
        self.say(Lang::English)
    }

    fn write(&self, lang: Lang, out: &mut String) {
        match self {
            Self::Plain(text) => append(out, text, lang),
            Self::Said(phrase, fillings) => phrase.fill(fillings, lang, out),
            Self::All(all) => all.iter().for_each(|text| text.write(lang, out)),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Add for Text {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::All(vec![self, other])
    }
}

impl AddAssign for Text {
    fn add_assign(&mut self, other: Self) {
        *self = std::mem::take(self) + other;
    }
}

/// What fills a hole: a text, or what is the same in every language.
pub trait Words {
    /// As a text.
    fn words(&self) -> Text;
}

impl<T: Display + ?Sized> Words for T {
    fn words(&self) -> Text {
        Text::Plain(self.to_string())
    }
}

impl Words for Text {
    fn words(&self) -> Text {
        self.clone()
    }
}

impl Words for &Text {
    fn words(&self) -> Text {
        (*self).clone()
    }
}

impl Words for &Phrase {
    fn words(&self) -> Text {
        (**self).words()
    }
}

impl Words for Phrase {
    fn words(&self) -> Text {
        Text::Said(*self, Vec::new())
    }
}

/// Files that programs read are in English.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.english())
    }
}

impl Serialize for Phrase {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.english)
    }
}

/// What a test expects is written in English.
#[cfg(test)]
impl PartialEq<&str> for Text {
    fn eq(&self, english: &&str) -> bool {
        self.english() == *english
    }
}

/// The characters of all Chinese texts beyond Latin-1.
#[cfg(all(test, feature = "png"))]
pub(crate) fn chinese_characters() -> std::collections::BTreeSet<char> {
    let all = chinese::ALL.into_iter().chain([chinese::UNITS]).flatten();
    all.flat_map(|(_, chinese)| chinese.chars()).filter(|&c| c > '\u{ff}').collect()
}

#[cfg(test)]
mod tests;
