//! JSON whose every value knows its place in the text that a user handed in.

use std::ops::Range;

use super::note::{Note, Place};

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Json {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are JSON's own")]
pub enum Value {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Json>),
    /// In the order of the text; keys may repeat.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub value: Json,
}

/// Reads the values that follow one another in `text`; `locate` says where a range of `text`
/// stands in the text that the user handed in.
///
/// # Errors
/// The first violation of JSON's syntax.
pub fn parse(text: &str, locate: &dyn Fn(Range<usize>) -> Place) -> Result<Vec<Json>, Box<Note>> {
    // serde_json judges the syntax and the depth; the walk below may trust both.
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let mut values = Vec::new();
    loop {
        let start = stream.byte_offset();
        match stream.next() {
            None => return Ok(values),
            Some(Err(error)) => return Err(Box::new(syntax_error(text, &error, locate))),
            Some(Ok(_)) => {
                let text = &text[..stream.byte_offset()];
                values.push(Walk { text, at: start, locate }.value());
            }
        }
    }
}

impl Json {
    /// The member called `key`; the last of equals, as in Go.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members().iter().rev().find(|member| member.key == key).map(|member| &member.value)
    }

    /// The members, if it is an object; otherwise none.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements, if it is an array; otherwise none.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is an integer that Go would read into an `int`.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        match &self.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn float(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// What it is, for messages: ``the string `"5"` ``.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(truth) => format!("the truth value `{truth}`"),
            Value::Number(number) => format!("the number `{number}`"),
            Value::String(text) => format!("the string `{text:?}`"),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        }
    }

    /// Gives every part of `value` the same place.
    #[must_use]
    pub fn at(value: serde_json::Value, place: &Place) -> Self {
        use serde_json::Value as Plain;
        let member = |(key, value)| Member { key, key_place: place.clone(), value: Self::at(value, place) };
        let value = match value {
            Plain::Null => Value::Null,
            Plain::Bool(truth) => Value::Bool(truth),
            Plain::Number(number) => Value::Number(number),
            Plain::String(text) => Value::String(text),
            Plain::Array(elements) => Value::Array(elements.into_iter().map(|e| Self::at(e, place)).collect()),
            Plain::Object(members) => Value::Object(members.into_iter().map(member).collect()),
        };
        Self { place: place.clone(), value }
    }
}

fn syntax_error(text: &str, error: &serde_json::Error, locate: &dyn Fn(Range<usize>) -> Place) -> Note {
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut start = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
    let message = error.to_string();
    let label = message.split(" at line ").next().unwrap_or(&message).to_owned();
    Note::error("this is not JSON", label).at(locate(start..end))
}

/// Walks over a text whose syntax is known to be right.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    locate: &'a dyn Fn(Range<usize>) -> Place,
}

impl Walk<'_> {
    fn value(&mut self) -> Json {
        self.skip_space();
        let start = self.at;
        let value = match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => Value::String(self.string()),
            _ => self.scalar(),
        };
        Json { place: (self.locate)(start..self.at), value }
    }

    fn object(&mut self) -> Value {
        let mut members = Vec::new();
        while self.next_item(b'}') {
            let start = self.at;
            let key = self.string();
            let key_place = (self.locate)(start..self.at);
            self.skip_space();
            self.at += 1; // The colon.
            members.push(Member { key, key_place, value: self.value() });
        }
        Value::Object(members)
    }

    fn array(&mut self) -> Value {
        let mut elements = Vec::new();
        while self.next_item(b']') {
            elements.push(self.value());
        }
        Value::Array(elements)
    }

    /// Steps over the bracket or comma before an item; false at the closing bracket.
    fn next_item(&mut self, close: u8) -> bool {
        self.skip_space();
        if self.peek() == close {
            self.at += 1;
            return false;
        }
        self.at += 1; // The opening bracket or a comma.
        self.skip_space();
        if self.peek() == close {
            self.at += 1;
            return false;
        }
        true
    }

    fn string(&mut self) -> String {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        while bytes[self.at] != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(&self.text[start..self.at]).expect("the syntax was checked")
    }

    fn scalar(&mut self) -> Value {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| c.is_ascii_whitespace() || ",]}".contains(c)).unwrap_or(rest.len());
        self.at += len;
        match &rest[..len] {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number => Value::Number(serde_json::from_str(number).expect("the syntax was checked")),
        }
    }

    fn peek(&self) -> u8 {
        self.text.as_bytes()[self.at]
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn here(span: Range<usize>) -> Place {
        Place { source: 0, span }
    }

    #[test]
    fn every_value_and_key_knows_its_bytes() {
        let text = "{\"é\\\"\": [1, -2.5e3 ,true,null],\n \"o\" : {} , \"s\":\"x}\" }";
        let values = parse(text, &here).unwrap();
        let [root] = &values[..] else { panic!("{values:?}") };
        let cut = |place: &Place| &text[place.span.clone()];
        let members: Vec<_> = root.members().iter().map(|m| (cut(&m.key_place), cut(&m.value.place))).collect();
        assert_eq!(members, [("\"é\\\"\"", "[1, -2.5e3 ,true,null]"), ("\"o\"", "{}"), ("\"s\"", "\"x}\"")]);
        let elements: Vec<_> = root.members()[0].value.elements().iter().map(|e| cut(&e.place)).collect();
        assert_eq!(elements, ["1", "-2.5e3", "true", "null"]);
        assert_eq!(root.members()[0].key, "é\"");
    }

    #[test]
    fn broken_text_is_refused_at_its_place() {
        for (text, at) in [("{\"a\" 1}", 5), ("[1,\n 2\n 3]", 8), ("{é}", 1), ("[1] x", 4)] {
            let note = parse(text, &here).unwrap_err();
            assert_eq!(note.place.unwrap().span.start, at, "{text}");
        }
        assert!(parse(&"[".repeat(100_000), &here).is_err(), "deep nesting is an error, not a crash");
    }
}
