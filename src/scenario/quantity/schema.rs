//! JSON Schemas of quantities.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Block, Count, Cpu, Day, Duration, Growth, Limit, Memory, Number, Percent, Portion};

/// What stands for a number that is drawn for every run.
const UNCERTAIN: &str = "Uncertain";

/// Adds to the schema of a quantity that it may be uncertain, which is defined once.
pub(in crate::scenario) fn or_uncertain(generator: &mut SchemaGenerator, plain: Schema) -> Schema {
    let number = json_schema!({ "type": ["number", "string"] });
    let two = json_schema!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 });
    let told = |schema: &Schema, text: &str| {
        let mut schema = schema.clone();
        schema.insert("description".to_owned(), text.into());
        schema
    };
    let section = |properties: Value| {
        let required: Vec<_> = properties.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        json_schema!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        })
    };
    let definition = json_schema!({
        "description": "A number that is drawn for every run.",
        "anyOf": [
            two,
            section(serde_json::json!({ "between": told(&two, "Two numbers of one unit, uniform between them; the \
                list may stand alone where one has no meaning of its own. Example: `[80, 120]`.") })),
            section(serde_json::json!({
                "p5": told(&number, "One in twenty is less. Example: `8 %/month`."),
                "p50": told(&number, "The median, which stands for all where one has to. Example: `10 %/month`."),
                "p95": told(&number, "One in twenty is more. Example: `15 %/month`."),
            })),
        ],
    });
    generator.definitions_mut().entry(UNCERTAIN).or_insert(definition.to_value());
    json_schema!({ "anyOf": [plain, { "$ref": format!("#/$defs/{UNCERTAIN}") }] })
}

/// Takes it away again from everything in a schema with these definitions: numbers there say how
/// the simulation is done.
pub(in crate::scenario) fn without_uncertain(schema: &mut Value, definitions: &mut Value) {
    let name = schema["$ref"].as_str().map(|path| path.trim_start_matches("#/$defs/").to_owned());
    if let Some(name) = name {
        if let Some(plain) = plain(&definitions[&name]).cloned() {
            let map = schema.as_object_mut().expect("what has a reference is an object");
            map.remove("$ref");
            map.extend(plain);
        } else {
            let mut definition = definitions[&name].take();
            without_uncertain(&mut definition, definitions);
            definitions[&name] = definition;
        }
        return;
    }
    match schema {
        Value::Object(map) => map.values_mut().for_each(|value| without_uncertain(value, definitions)),
        Value::Array(list) => list.iter_mut().for_each(|value| without_uncertain(value, definitions)),
        _ => {}
    }
}

/// What a quantity is if it is certain; none if it always is.
fn plain(definition: &Value) -> Option<&serde_json::Map<String, Value>> {
    let ways = definition["anyOf"].as_array()?;
    let is_uncertain = |way: &Value| way["$ref"] == format!("#/$defs/{UNCERTAIN}");
    ways.iter().any(is_uncertain).then(|| ways.iter().find_map(Value::as_object)).flatten()
}

/// Gives a quantity the schema of a YAML scalar, or of a number that is drawn.
macro_rules! uncertain_schema {
    ($($type:ty => $schema:tt,)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                or_uncertain(generator, json_schema!($schema))
            }
        }
    )*};
}

/// Gives a quantity the schema of a YAML scalar.
macro_rules! scalar_schema {
    ($($type:ty => $schema:tt,)*) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

uncertain_schema! {
    Count => { "type": "integer", "minimum": 0 },
    Number => { "type": "number", "exclusiveMinimum": 0 },
    Limit => { "oneOf": [{ "type": "integer", "minimum": 0 }, { "const": "off" }] },
    Growth => { "type": "string", "pattern": "^-?[0-9.]+ *% *(/.+)?$" },
    Percent => { "type": "string", "pattern": "^[0-9.]+ *%$" },
    Portion => { "oneOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9.]+ *%$" }] },
    Cpu => { "oneOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^[0-9.]+m?$" }] },
    Memory => { "type": "string", "pattern": "^[0-9.]+ *([KMGT]i|[kMGT])$" },
    Duration => { "type": "string", "pattern": "^P?[0-9]" },
}

scalar_schema! {
    Block => { "type": "string", "pattern": "^[0-9.]+/[0-9]+$" },
    Day => { "type": "string", "format": "date" },
}
