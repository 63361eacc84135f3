//! `docs/schema.json`: the reference's tables as a JSON Schema, and the lines that the tool prints, held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Map, Value, json};

use super::document::{Field, Reference};

/// Set to write the file instead of comparing it.
const WRITE: &str = "IAMSEAL_WRITE_DOCS";

/// A schema's identifier, which no host serves.
const ID: &str = "urn:iamseal:schema";

/// The names under which the schema has the lines of standard output, and those of standard error.
pub const LINE: &str = "line";
pub const MESSAGE: &str = "message";

/// What the reference says, as a schema (draft 2020-12): a definition for each of its tables.
pub fn of(reference: &Reference) -> Value {
    let mut definitions: BTreeMap<String, Value> = BTreeMap::new();
    let mut linked = BTreeSet::new();
    for (name, fields) in &reference.sections {
        let mut properties = Map::new();
        for (field, about) in fields {
            linked.extend(about.types.iter().filter_map(|kind| link(kind)));
            properties.insert(field.clone(), property(reference, about));
        }
        let required = fields.iter().filter(|(_, about)| about.is_always);
        let required: Vec<_> = required.map(|(field, _)| field).collect();
        let table = json!({"type": "object", "properties": properties, "required": required,
            "additionalProperties": false});
        definitions.insert(slug(name), table);
    }
    let lines = reference
        .lines
        .iter()
        .filter(|name| !linked.contains(*name));
    let lines: Vec<_> = lines.map(|name| line(name)).collect();
    definitions.insert(LINE.into(), json!({ "anyOf": lines }));
    let messages = ["failure", "note"].map(refer);
    definitions.insert(MESSAGE.into(), json!({ "anyOf": messages }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "What iamseal prints with --json",
        "description": "Each line of standard output is a `line`, each of standard error a `message`. The tables of \
            docs/reference.md say what the fields mean.",
        "$defs": definitions,
    })
}

/// One line that is described by this table: alone, or as the object of a field that tells it apart.
fn line(name: &str) -> Value {
    let kind = ["summary", "plan"]
        .into_iter()
        .find(|kind| name.ends_with(kind));
    let Some(kind) = kind else {
        return refer(name);
    };
    json!({"type": "object", "properties": {kind: refer(name)}, "required": [kind],
        "additionalProperties": false})
}

fn property(reference: &Reference, field: &Field) -> Value {
    let kinds: Vec<_> = field
        .types
        .iter()
        .map(|kind| type_of(reference, field, kind))
        .collect();
    let mut property = match &kinds[..] {
        [one] => one.clone(),
        several => json!({ "anyOf": several }),
    };
    if let Some(property) = property.as_object_mut() {
        property.insert("description".into(), field.meaning.as_str().into());
    }
    property
}

fn type_of(reference: &Reference, field: &Field, kind: &str) -> Value {
    if let Some(of) = kind.strip_prefix("array of ") {
        return json!({"type": "array", "items": type_of(reference, field, of)});
    }
    match kind {
        "word" => json!({ "enum": field.words }),
        "cause" => json!({ "enum": reference.causes.keys().collect::<Vec<_>>() }),
        // All numbers are counts, sizes and times in whole units.
        "number" => json!({"type": "integer"}),
        "string" | "boolean" | "null" | "object" => json!({ "type": kind }),
        other => refer(&link(other).unwrap()),
    }
}

/// The table that a type names.
fn link(kind: &str) -> Option<String> {
    let kind = kind.strip_prefix("array of ").unwrap_or(kind);
    let (target, _) = kind.strip_prefix('[')?.split_once(']')?;
    Some(target.to_owned())
}

fn refer(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", slug(name)) })
}

fn slug(name: &str) -> String {
    name.replace(' ', "-")
}

/// Whether a value is one of a definition of the schema, by the words that [`of`] makes schemas of.
pub fn fits(whole: &Value, definition: &str, value: &Value) -> bool {
    is_one_of(whole, &whole["$defs"][definition], value)
}

fn is_one_of(whole: &Value, schema: &Value, value: &Value) -> bool {
    let is_of_type = |kind: &str, is: bool| schema["type"] != kind || is;
    if !is_of_type("object", value.is_object()) || !is_of_type("array", value.is_array()) {
        return false;
    }
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(word, says)| match word.as_str() {
            "description" | "properties" => true,
            "$ref" => fits(
                whole,
                says.as_str().unwrap().strip_prefix("#/$defs/").unwrap(),
                value,
            ),
            "anyOf" => says
                .as_array()
                .unwrap()
                .iter()
                .any(|one| is_one_of(whole, one, value)),
            "enum" => says.as_array().unwrap().contains(value),
            "items" => value
                .as_array()
                .unwrap()
                .iter()
                .all(|item| is_one_of(whole, says, item)),
            "required" => says
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "additionalProperties" => value.as_object().unwrap().iter().all(|(name, value)| {
                let known = schema["properties"].get(name);
                known.is_some_and(|schema| is_one_of(whole, schema, value))
            }),
            "type" => match says.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64() || value.is_i64(),
                "null" => value.is_null(),
                other => panic!("no type: {other}"),
            },
            other => panic!("no word: {other}"),
        })
}

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../docs/schema.json"]
        .iter()
        .collect()
}

#[test]
fn the_schema_is_what_the_reference_says() {
    let schema = of(&Reference::read());
    let text = format!("{schema:#}\n");
    if env::var_os(WRITE).is_some() {
        return fs::write(file(), text).unwrap();
    }
    let there = fs::read_to_string(file()).unwrap();
    assert!(
        there == text,
        "docs/schema.json is not what docs/reference.md says: cargo xtask docs"
    );
}

#[test]
fn what_is_not_in_the_reference_does_not_fit() {
    let schema = of(&Reference::read());
    let line = |value: Value| fits(&schema, LINE, &value);
    let message = |value: Value| fits(&schema, MESSAGE, &value);
    assert!(line(json!({"name": "a", "key": "a:b"})));
    assert!(!line(json!({"name": "a", "key": 1})));
    assert!(!line(json!({"name": "a"})));
    assert!(message(json!({"note": "x"})));
    assert!(!message(json!({"note": "x", "more": 1})));
    let failure = |cause: &str| json!({"error": {"cause": cause, "message": "x", "cure": null}});
    assert!(message(failure("limit")));
    assert!(!message(failure("no-cause")));
}
