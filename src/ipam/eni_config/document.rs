//! The document as written: its keys and types are checked, its values are not yet judged.

use std::ops::Range;

use super::config_map::Embedded;
use super::keys::{KEYS, Kind, Role};
use crate::ipam::classic::{Profile, Version};
use crate::ipam::json::{self, Json, Value};
use crate::ipam::note::{Checked, Note, Place, nearest, unless_error};

/// An `eni_conf` document whose keys and types were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The object; after a merge its parts come from two texts.
    pub(super) root: Json,
    /// Who allocates: a dynamic document cannot change that (R6).
    pub(super) ipam: IpamType,
    /// Whether the scenario says so, and not the base document.
    pub(super) ipam_is_given: bool,
    /// Whether the base document says that pods have both families: some daemons go by that alone (C138).
    pub(super) base_is_dual: bool,
    /// What its version does, if it is one of before v1.7.
    pub(super) profile: Profile,
}

/// Who allocates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpamType {
    /// Each node's daemon.
    NodeLocal,
    /// Each node's daemon, of a version before v1.7.
    Classic,
    /// The control plane (`ipam_type: crd`).
    Centralized,
}

/// A key of a document that stands inside other files, such as a scenario and what changes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub key_place: Place,
    /// The value.
    pub value: serde_json::Value,
    /// Where it stands.
    pub value_place: Place,
}

/// Reads a ConfigMap (YAML or JSON, key `data.eni_conf`) or the bare JSON document. Places in
/// notes carry the number `source` and lie in `text`.
///
/// # Errors
/// Every problem, if at least one is an error.
pub fn read(text: &str, source: usize) -> Checked<Document> {
    let embedded = Embedded::find(text, source).map_err(|note| vec![*note])?;
    let locate = |span| Place { source, span: embedded.locate(span) };
    let mut notes = Vec::new();
    let json = strip_comments(&embedded.json, &locate, &mut notes);
    match json::parse(&json, &locate) {
        Err(note) => notes.push(refused_by_go(*note)),
        Ok(mut values) if values.len() == 1 => return check(values.remove(0), notes),
        Ok(values) => {
            let label = if values.is_empty() { "it is empty" } else { "more than one JSON value stands here" };
            let place = values.get(1).map_or_else(|| locate(0..json.len()), |second| second.place.clone());
            notes.push(refused_by_go(Note::error("this is not one JSON document", label).at(place)));
        }
    }
    Err(notes)
}

/// Takes a document that was written at `place` as a part of another file.
///
/// # Errors
/// Every problem, if at least one is an error.
pub fn from_members(members: Vec<Member>, place: Place) -> Checked<Document> {
    let members = members.into_iter().map(|member| json::Member {
        value: Json::at(member.value, &member.value_place),
        key: member.key,
        key_place: member.key_place,
    });
    check(Json { value: Value::Object(members.collect()), place }, Vec::new())
}

impl Document {
    /// Patches this base document with a node pool's dynamic one (rule R4, RFC 7396).
    #[must_use]
    pub fn merge(&self, dynamic: &Self) -> Self {
        Self { root: merge(Some(&self.root), &dynamic.root), ..*self }
    }

    /// This base document after an edit.
    #[must_use]
    pub fn edited(&self, patch: &Self) -> Self {
        let edited = self.merge(patch);
        Self { base_is_dual: is_dual(&edited.root), ..edited }
    }

    /// Whether a restart under this base document, which was edited, would switch to another allocator (R6).
    #[must_use]
    pub fn switches_allocator(&self) -> bool {
        !self.ipam_is_given && wanted_ipam(&self.root) != self.ipam
    }

    /// Who allocates: `crd` in the base document is the control plane, anything else the daemons (R6,
    /// `daemon/daemon.go:821-831`).
    #[must_use]
    pub fn ipam(&self) -> IpamType {
        self.ipam
    }

    /// The same document in a cluster where somebody else allocates than it says.
    #[must_use]
    pub fn with_ipam(self, ipam: IpamType) -> Self {
        Self { ipam, ipam_is_given: true, ..self }
    }

    /// The same document in a cluster that runs a Terway of before v1.7.
    #[must_use]
    pub fn with_profile(self, profile: Profile) -> Self {
        Self { profile, ..self.with_ipam(IpamType::Classic) }
    }

    /// What its version does, if it is one of before v1.7.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Every vSwitch that the document names: zone, ID, and the place of the ID.
    pub fn vswitches(&self) -> impl Iterator<Item = (&str, &str, &Place)> {
        let zones = self.root.get("vswitches").map_or(&[][..], Json::members);
        zones.iter().flat_map(|zone| {
            zone.value.elements().iter().filter_map(|id| Some((zone.key.as_str(), id.text()?, &id.place)))
        })
    }

    /// The value of `key`, unless it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        self.root.get(key).filter(|json| json.value != Value::Null)
    }
}

/// Blanks comments and trailing commas, and warns that Terway would not.
fn strip_comments(json: &str, locate: &dyn Fn(Range<usize>) -> Place, notes: &mut Vec<Note>) -> String {
    let mut stripped = json.to_owned();
    if json_strip_comments::strip(&mut stripped).is_err() {
        return json.to_owned(); // The parser says what is wrong.
    }
    let differs = |&at: &usize| json.as_bytes()[at] != stripped.as_bytes()[at];
    if let Some(first) = (0..json.len()).find(differs) {
        let end_of_line = json[first..].find('\n').map_or(json.len(), |len| first + len);
        let end = (first..end_of_line).rev().find(differs).map_or(end_of_line, |last| last + 1);
        let kind = if json[first..].starts_with(',') { "a comma too many" } else { "a comment" };
        let lines = json.lines().zip(stripped.lines()).filter(|(before, after)| before != after).count();
        let label = if lines == 1 { kind.to_owned() } else { format!("{kind}; the first of {lines} such lines") };
        notes.push(
            Note::warning("Terway would refuse this: JSON has no comments and no trailing commas", label)
                .at(locate(first..end))
                .hint("remove them before you apply the ConfigMap: a daemon does not start on it (rule R5)"),
        );
    }
    stripped
}

fn refused_by_go(note: Note) -> Note {
    note.hint("Terway's daemon does not start on it (rule R5)")
}

/// Who allocates where this is the base document (R6).
fn wanted_ipam(root: &Json) -> IpamType {
    match root.get("ipam_type").and_then(Json::text) {
        Some("crd") => IpamType::Centralized,
        _ => IpamType::NodeLocal,
    }
}

/// Checks keys and types; every problem is found.
fn check(root: Json, mut notes: Vec<Note>) -> Checked<Document> {
    if !matches!(root.value, Value::Object(_)) {
        let title = format!("eni_conf must be an object, found {}", root.describe());
        notes.push(refused_by_go(Note::error(title, "write `{ … }`").at(root.place.clone())));
    }
    check_repeats(&root, &mut notes);
    for member in root.members() {
        match KEYS.iter().find(|key| key.name == member.key) {
            None => notes.push(unknown(member)),
            Some(key) => check_kind(key.name, key.kind, &member.value, &mut notes),
        }
    }
    let ipam = wanted_ipam(&root);
    let base_is_dual = is_dual(&root);
    let profile = Version::default().profile();
    unless_error(Document { root, ipam, ipam_is_given: false, base_is_dual, profile }, notes)
}

fn is_dual(root: &Json) -> bool {
    root.get("ip_stack").and_then(Json::text) == Some("dual")
}

/// Go keeps the last of equal keys, or even mixes their objects; whoever wrote both did not mean
/// that.
fn check_repeats(json: &Json, notes: &mut Vec<Note>) {
    for (i, member) in json.members().iter().enumerate() {
        if json.members()[..i].iter().any(|earlier| earlier.key == member.key) {
            let title = format!("`{}` is written twice", member.key);
            let note = Note::error(title, "the second one").at(member.key_place.clone());
            notes.push(note.hint("keep one of them; Terway would silently take the last"));
        }
        check_repeats(&member.value, notes);
    }
    json.elements().iter().for_each(|element| check_repeats(element, notes));
}

fn unknown(member: &json::Member) -> Note {
    let title = format!("`{}` is not a key of eni_conf", member.key);
    let note = Note::warning(title, "Terway ignores it silently (rule R5)").at(member.key_place.clone());
    match nearest(&member.key, KEYS.iter().map(|key| key.name)) {
        Some(key) if key.eq_ignore_ascii_case(&member.key) => {
            note.hint(format!("keys are case-sensitive: write `{key}`"))
        }
        Some(key) => note.hint(format!("did you mean `{key}`?")),
        None => note.hint("remove it"),
    }
}

/// What is written and has no effect on who allocates.
pub(super) fn without_effect(document: &Document) -> Vec<Note> {
    let note = |member: &json::Member| {
        let role = KEYS.iter().find(|key| key.name == member.key)?.role;
        let (who, hint) = match (document.ipam, role) {
            (IpamType::NodeLocal | IpamType::Classic, Role::Centralized) => (
                "the node-local allocator",
                "only the centralized allocator (`ipam_type: crd`) reads it, if anything does (rule R30)",
            ),
            (IpamType::Centralized, Role::NodeLocal) => (
                "the centralized allocator",
                "only the node-local allocator reads it (rules C11, C157, pkg/eni/node_reconcile.go:90-260)",
            ),
            (_, Role::Ignored) => ("Terway", "nothing reads it (rule R30)"),
            _ => return None,
        };
        let title = format!("`{}` has no effect in this mode", member.key);
        Some(Note::warning(title, format!("{who} ignores it")).hint(hint).at(member.key_place.clone()))
    };
    document.root.members().iter().filter(|member| member.value.value != Value::Null).filter_map(note).collect()
}

fn check_kind(path: &str, kind: Kind, json: &Json, notes: &mut Vec<Note>) {
    let (fits, wanted) = match (kind, &json.value) {
        (_, Value::Null) => (true, ""), // Nothing to Go; in a dynamic document it removes the key.
        (Kind::Int, _) => (json.int().is_some(), "an integer"),
        (Kind::Float, value) => (matches!(value, Value::Number(_)), "a number"),
        (Kind::Bool, _) => (json.bool().is_some(), "true or false"),
        (Kind::Text, _) => (json.text().is_some(), "a string"),
        (Kind::Texts | Kind::Objects, value) => (matches!(value, Value::Array(_)), "a list"),
        (_, value) => (matches!(value, Value::Object(_)), "an object"),
    };
    if !fits {
        let title = format!("`{path}` must be {wanted}, found {}", json.describe());
        notes.push(refused_by_go(Note::error(title, "wrong type").at(json.place.clone())));
    }
    for element in json.elements().iter().filter(|element| kind == Kind::Texts && element.text().is_none()) {
        let title = format!("`{path}` must hold strings, found {}", element.describe());
        notes.push(refused_by_go(Note::error(title, "wrong type").at(element.place.clone())));
    }
    let inner = match kind {
        Kind::TextMap => Kind::Text,
        Kind::TextsMap => Kind::Texts,
        Kind::IntMap => Kind::Int,
        _ => return,
    };
    for member in json.members() {
        check_kind(&format!("{path}.{}", member.key), inner, &member.value, notes);
    }
}

/// RFC 7396, section 2.
pub(super) fn merge(target: Option<&Json>, patch: &Json) -> Json {
    let Value::Object(changes) = &patch.value else { return patch.clone() };
    let mut members = target.map_or(Vec::new(), |target| target.members().to_vec());
    for change in changes {
        let old = members.iter().position(|member| member.key == change.key);
        match (old, &change.value.value) {
            (Some(at), Value::Null) => _ = members.remove(at),
            (None, Value::Null) => {}
            (Some(at), _) => {
                let value = merge(Some(&members[at].value), &change.value);
                members[at] = json::Member { value, ..change.clone() };
            }
            (None, _) => members.push(json::Member { value: merge(None, &change.value), ..change.clone() }),
        }
    }
    Json { value: Value::Object(members), place: patch.place.clone() }
}
