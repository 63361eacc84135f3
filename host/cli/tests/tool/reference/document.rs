//! The tables of fields in `docs/reference.md`, and what was seen of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::schema;
use crate::kit::Ended;

/// The document, and what was seen of it.
pub struct Reference {
    pub sections: BTreeMap<String, BTreeMap<String, Field>>,
    /// The tables of what commands print, and those that such a table names.
    pub lines: BTreeSet<String>,
    /// The names of all causes and their exit codes.
    pub causes: BTreeMap<String, i32>,
    /// The causes that a line had.
    seen_causes: BTreeSet<String>,
    /// Section, field, and a type or word of it.
    seen: BTreeSet<[String; 3]>,
    /// What it says as a schema.
    schema: Value,
}

/// That a field was not there.
const ABSENT: &str = "absent";

/// A field of JSON as the document has it.
pub struct Field {
    pub types: Vec<String>,
    pub is_always: bool,
    /// What a word may be.
    pub words: BTreeSet<String>,
    pub meaning: String,
}

impl Reference {
    /// Reads the document.
    pub fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference.md");
        let text = fs::read_to_string(file).unwrap();
        let (_, causes) = text.split_once("<!-- exit codes: ").unwrap();
        let (causes, _) = causes.split_once("<!-- end of exit codes").unwrap();
        let cause = |line: &str| {
            let mut cells = line.trim_start_matches("| ").split(" | ");
            let code = cells.next()?.parse().ok()?;
            Some((quoted(cells.next()?).next()?.to_owned(), code))
        };
        let of_commands = text
            .split("\n### ")
            .filter(|part| part.starts_with("iamseal "));
        let lines = of_commands.flat_map(|part| part.split("\n#### ").skip(1));
        let lines = lines.map(|table| table.lines().next().unwrap().to_owned());
        let mut sections = BTreeMap::new();
        for section in text.split("\n#### ").skip(1) {
            let (name, rest) = section.split_once('\n').unwrap();
            let rest = rest.split("\n##").next().unwrap();
            let rows = rest.lines().filter(|line| line.starts_with("| `"));
            let fields: BTreeMap<_, _> = rows.map(field).collect();
            assert!(!fields.is_empty(), "no fields of {name}");
            assert!(
                sections.insert(name.to_owned(), fields).is_none(),
                "{name} is there twice"
            );
        }
        let mut reference = Self {
            sections,
            lines: lines.collect(),
            causes: causes.lines().filter_map(cause).collect(),
            seen_causes: BTreeSet::new(),
            seen: BTreeSet::new(),
            schema: Value::Null,
        };
        reference.schema = schema::of(&reference);
        reference
    }

    /// Compares all that a command has printed.
    #[track_caller]
    pub fn compare(&mut self, command: &str, ended: &Ended) {
        for line in ended.json() {
            let fits = schema::fits(&self.schema, schema::LINE, &line);
            assert!(fits, "not by the schema: {line}");
            let of_objects = format!("{command} object");
            match line.get("summary") {
                Some(summary) => self.object(&format!("{command} summary"), summary),
                None if line.get("plan").is_some() => {
                    self.object(&format!("{command} plan"), &line["plan"]);
                }
                None if line.get("draft").is_some() => self.object("audit draft", &line),
                None if line.get("unread").is_some() => self.object("keys unread", &line),
                None if self.sections.contains_key(&of_objects) => self.object(&of_objects, &line),
                None => self.object(command, &line),
            }
        }
        for line in ended.errors() {
            let fits = schema::fits(&self.schema, schema::MESSAGE, &line);
            assert!(fits, "not by the schema: {line}");
            let is_note = line.get("note").is_some();
            self.object(if is_note { "note" } else { "failure" }, &line);
            if let Some(cause) = line["error"]["cause"].as_str() {
                assert_eq!(ended.code, Some(self.causes[cause]), "{ended}");
            }
        }
    }

    /// Compares an object with a table.
    #[track_caller]
    pub fn object(&mut self, section: &str, value: &Value) {
        let fields = value
            .as_object()
            .unwrap_or_else(|| panic!("no {section}: {value}"));
        let table = &self.sections[section];
        for (name, field) in table {
            if !fields.contains_key(name) {
                assert!(!field.is_always, "{section}: {name} is not there: {value}");
                self.seen.insert([section, name, ABSENT].map(String::from));
            }
        }
        for (name, value) in fields {
            let Some(field) = self.sections[section].get(name) else {
                panic!("{section}: {name} is not in the document: {value}");
            };
            let kind = field.types.iter().find(|kind| fits(kind, value));
            let Some(kind) = kind.cloned() else {
                panic!("{section}: {name} has another type: {value}");
            };
            self.value(section, name, &kind, value);
        }
    }

    #[track_caller]
    fn value(&mut self, section: &str, name: &str, kind: &str, value: &Value) {
        self.see(section, name, kind);
        if let Some(of) = kind.strip_prefix("array of ") {
            for value in value.as_array().unwrap() {
                assert!(
                    fits(of, value),
                    "{section}: {name} holds another type: {value}"
                );
                self.value(section, name, of, value);
            }
        } else if let Some(link) = kind.strip_prefix('[') {
            let (target, _) = link.split_once(']').unwrap();
            self.object(target, value);
        } else if kind == "cause" {
            let cause = value.as_str().unwrap();
            assert!(
                self.causes.contains_key(cause),
                "{cause} is not in the document"
            );
            self.seen_causes.insert(cause.to_owned());
        } else if kind == "word" {
            let word = value.as_str().unwrap();
            let words = &self.sections[section][name].words;
            assert!(words.contains(word), "{section}: {name} has no word {word}");
            self.see(section, name, &format!("word {word}"));
        }
    }

    fn see(&mut self, section: &str, name: &str, what: &str) {
        self.seen.insert([section, name, what].map(String::from));
    }

    /// What is in the document and was not seen.
    pub fn unseen(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for (section, fields) in &self.sections {
            for (name, field) in fields {
                let words = field.words.iter().map(|word| format!("word {word}"));
                let absent = (!field.is_always).then(|| ABSENT.to_owned());
                for what in field.types.iter().cloned().chain(words).chain(absent) {
                    if !self
                        .seen
                        .contains(&[section, name, &what].map(String::from))
                    {
                        unseen.push(format!("{section}: {name}: {what}"));
                    }
                }
            }
        }
        unseen
    }

    /// The causes that no line had.
    pub fn unseen_causes(&self) -> Vec<&str> {
        let all = self.causes.keys();
        let unseen = all.filter(|cause| !self.seen_causes.contains(*cause));
        unseen.map(String::as_str).collect()
    }
}

/// A row of a table.
fn field(line: &str) -> (String, Field) {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, types, when, meaning] = cells[..] else {
        panic!("no row of four: {line}");
    };
    let types: Vec<String> = types.split(" or ").map(String::from).collect();
    let has_words = types.iter().any(|kind| kind.ends_with("word"));
    let field = Field {
        is_always: when == "always",
        words: match has_words {
            true => quoted(meaning).map(String::from).collect(),
            false => BTreeSet::new(),
        },
        types,
        meaning: meaning.to_owned(),
    };
    (quoted(name).next().unwrap().to_owned(), field)
}

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn fits(kind: &str, value: &Value) -> bool {
    match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(_) => kind == "number",
        Value::String(_) => ["string", "word", "cause"].contains(&kind),
        Value::Array(_) => kind.starts_with("array of "),
        Value::Object(_) => kind.starts_with('[') || kind == "object",
    }
}
