//! What is sought: a value of the scenario, and the values that it may have, by size.

use crate::model::Model;
use crate::scenario::Edit;
use crate::study::{Axis, ParseAxisError, Values};

/// Most values of a knob.
const MOST_VALUES: usize = 10_000;

/// Sizes that a vSwitch may have, the smallest first (CreateVSwitch).
const PREFIXES: std::ops::RangeInclusive<u8> = 16..=29;

/// Most vSwitches instead of one.
const MOST_COPIES: u32 = 16;

/// What is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knob {
    /// What it is for people, such as `prefix(vsw-AAA)`.
    pub name: String,
    /// Where it stands in the scenario, as [`Edit::path`]; all these places get the same value.
    pub paths: Vec<String>,
    /// What it is about.
    pub kind: KnobKind,
    /// Its values, the smallest first: of prefixes, the longest; of a list, the first.
    pub values: Vec<String>,
    /// Whether safety is expected to end once along the values.
    pub is_monotone: bool,
}

/// What a knob is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnobKind {
    /// The size of vSwitches.
    Prefix {
        /// Their IDs.
        vswitches: Vec<String>,
    },
    /// How many vSwitches there are instead of each.
    Copies {
        /// The IDs of the first ones.
        vswitches: Vec<String>,
    },
    /// A key of the cluster's eni-config.
    EniConfig {
        /// The key, such as `max_pool_size`.
        key: String,
    },
    /// The instance type of a node pool.
    InstanceType {
        /// The pool.
        pool: String,
    },
    /// Anything else.
    Other,
}

/// Why a text is no knob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseKnobError {
    /// Its values are wrong.
    #[error(transparent)]
    Axis(#[from] ParseAxisError),
    /// It has none.
    #[error("`{0}` has no values; write `{0}=10..500`, `{0}=1d..60d/1d` or `{0}=small,medium,large`")]
    NoValues(String),
    /// Its range has no end of values.
    #[error("`{0}` needs a step between its values: `FROM..TO/STEP`")]
    NoStep(String),
    /// It is a size of a vSwitch that cannot be moved.
    #[error(
        "`prefix({0})`: a block of another size lies elsewhere, without the `prefix_reservations` of {0}; leave them out, and the \
         whole block is for prefixes"
    )]
    Reserved(String),
    /// It has too many.
    #[error("`{name}` has {count} values; {MOST_VALUES} are the most")]
    TooMany {
        /// The knob.
        name: String,
        /// How many.
        count: usize,
    },
}

impl Knob {
    /// The knob that `text` names in a scenario: `PATH=VALUES`, `prefix(vsw-AAA)`,
    /// `copies(vsw-AAA, vsw-BBB)`, `max_pool_size` or `min_pool_size`; the short forms may have values too.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, model: &Model) -> Result<Self, ParseKnobError> {
        let (name, values) = text.split_once('=').map_or((text, None), |(name, values)| (name, Some(values)));
        let name = name.trim().to_owned();
        let (paths, kind) = target(&name);
        if let KnobKind::Prefix { vswitches } = &kind {
            let reserved =
                |id: &&String| model.vpc.vswitches.iter().any(|v| v.id == **id && !v.prefix_reservations.is_empty());
            if let Some(id) = vswitches.iter().find(reserved) {
                return Err(ParseKnobError::Reserved(id.clone()));
            }
        }
        let prefixes: Vec<_> = PREFIXES.rev().map(|prefix| prefix.to_string()).collect();
        let (mut values, is_monotone) = match (values, &kind) {
            (Some(values), _) => stated(&name, values)?,
            (None, KnobKind::Prefix { .. }) => (prefixes.clone(), true),
            (None, KnobKind::Copies { .. }) => ((1..=MOST_COPIES).map(|n| n.to_string()).collect(), true),
            (None, KnobKind::EniConfig { key }) if ["max_pool_size", "min_pool_size"].contains(&key.as_str()) => {
                ((0..=largest_node(model)).map(|n| n.to_string()).collect(), true)
            }
            (None, _) => return Err(ParseKnobError::NoValues(name)),
        };
        if matches!(kind, KnobKind::Prefix { .. }) {
            values.sort_by_key(|value| prefixes.iter().position(|prefix| prefix == value));
        }
        if values.len() > MOST_VALUES {
            return Err(ParseKnobError::TooMany { name, count: values.len() });
        }
        Ok(Self { name, paths, kind, values, is_monotone })
    }

    /// The changes that give it a value.
    pub fn edits<'a>(&'a self, option: &'a str, value: &'a str) -> impl Iterator<Item = Edit> + 'a {
        let edit = |path: &String| Edit { option: option.to_owned(), path: path.clone(), value: value.to_owned() };
        self.paths.iter().map(edit)
    }

    /// A value for people: `/19` of a prefix.
    #[must_use]
    pub fn show(&self, value: &str) -> String {
        if matches!(self.kind, KnobKind::Prefix { .. }) { format!("/{value}") } else { value.to_owned() }
    }
}

/// The paths that a name stands for, and what it is about.
fn target(name: &str) -> (Vec<String>, KnobKind) {
    let inside = |function: &str| {
        let inner = name.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')')?;
        let mut ids: Vec<String> = Vec::new();
        for id in inner.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            ids.extend((!ids.iter().any(|known| known == id)).then(|| id.to_owned()));
        }
        (!ids.is_empty()).then_some(ids)
    };
    let of_each = |ids: &[String], key: &str| ids.iter().map(|id| format!("vpc.vswitches[{id}].{key}")).collect();
    if let Some(vswitches) = inside("prefix") {
        return (of_each(&vswitches, "prefix"), KnobKind::Prefix { vswitches });
    }
    if let Some(vswitches) = inside("copies") {
        return (of_each(&vswitches, "copies"), KnobKind::Copies { vswitches });
    }
    if ["max_pool_size", "min_pool_size"].contains(&name) {
        return (vec![format!("terway.eni_config.{name}")], KnobKind::EniConfig { key: name.to_owned() });
    }
    let between = |start: &str, end: &str| {
        let inner = name.strip_prefix(start)?.strip_suffix(end)?;
        let inner = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).or(inner.strip_prefix('.'))?;
        Some(inner.to_owned())
    };
    let kind = None
        .or_else(|| between("vpc.vswitches", ".prefix").map(|id| KnobKind::Prefix { vswitches: vec![id] }))
        .or_else(|| between("vpc.vswitches", ".copies").map(|id| KnobKind::Copies { vswitches: vec![id] }))
        .or_else(|| between("node_pools", ".instance_type").map(|pool| KnobKind::InstanceType { pool }))
        .or_else(|| between("terway.eni_config", "").map(|key| KnobKind::EniConfig { key }));
    (vec![name.to_owned()], kind.unwrap_or(KnobKind::Other))
}

/// The values that were written, and whether they are a range.
fn stated(name: &str, values: &str) -> Result<(Vec<String>, bool), ParseKnobError> {
    let axis: Axis = format!("{name}={values}").parse()?;
    let mut range = match axis.values {
        Values::List(list) => return Ok((list, false)),
        Values::Range(range) => range,
    };
    let is_whole = range.from.fract() == 0.0 && range.to.fract() == 0.0;
    range.step = range.step.or(is_whole.then_some(1.0));
    let steps = range.step.map_or(0.0, |step| (range.to - range.from) / step);
    if steps > MOST_VALUES as f64 {
        return Err(ParseKnobError::TooMany { name: name.to_owned(), count: steps as usize + 1 });
    }
    let numbers = range.numbers().ok_or_else(|| ParseKnobError::NoStep(name.to_owned()))?;
    Ok((numbers.into_iter().map(|number| range.write(number)).collect(), true))
}

/// Most addresses of pods on a node: what a watermark can ask for.
fn largest_node(model: &Model) -> u32 {
    model.groups().map(|(_, zone)| zone.daemon.capacity()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{VSwitch, Vpc};

    fn knob(text: &str) -> Result<Knob, ParseKnobError> {
        let cidr = "10.0.0.0/8".parse().expect("a block");
        let mut reserved = VSwitch::plain("vsw-R", "z", "10.0.1.0/24");
        reserved.prefix_reservations.push("10.0.1.0/25".parse().expect("a block"));
        let vpc = Vpc { cidr, vswitches: vec![VSwitch::plain("vsw-AAA", "z", "10.0.0.0/24"), reserved] };
        Knob::parse(text, &Model::plain("a", crate::time::Span::days(90), vpc))
    }

    /// Reservations are parts of a block: one of another size would be without them.
    #[test]
    fn a_vswitch_with_reservations_has_no_other_size() {
        let told = knob("prefix(vsw-AAA, vsw-R)").expect_err("it cannot be moved").to_string();
        assert!(told.starts_with("`prefix(vsw-R)`: a block of another size lies elsewhere"), "{told}");
    }

    #[test]
    fn knobs_have_a_path_and_values_by_size() {
        let found = |text: &str| {
            let knob = knob(text).expect(text);
            let values = format!(
                "{} values from {} to {}",
                knob.values.len(),
                knob.values[0],
                knob.values[knob.values.len() - 1]
            );
            let paths = knob.paths.join(" and ");
            format!("{paths} {values}, {:?}, {}", knob.kind, if knob.is_monotone { "range" } else { "list" })
        };
        let texts = [
            "prefix(vsw-AAA)",
            "prefix(vsw-AAA)=20..24",
            "vpc.vswitches.vsw-AAA.prefix=20,24",
            "copies(vsw-AAA)",
            "prefix(vsw-AAA, vsw-BBB)=20..24",
            "min_pool_size=0..80/5",
            "terway.eni_config.max_pool_size=5,10",
            "node_pools.default.instance_type=ecs.g7.large,ecs.g7.xlarge",
            "node_pools.default.nodes=10..500",
            "actions.late.at=1d..60d",
            "workloads.web.deployment.replicas=0.5..0.7/0.1",
        ];
        insta::assert_snapshot!(texts.map(found).join("\n"));
    }

    #[test]
    fn what_is_no_knob_is_told() {
        let wrong =
            ["nodes", "node_pools.default.nodes=0.5..2", "node_pools.default.nodes=0..10001", "max_pool_size=9..5"];
        insta::assert_snapshot!(wrong.map(|text| knob(text).expect_err(text).to_string()).join("\n"));
    }
}
