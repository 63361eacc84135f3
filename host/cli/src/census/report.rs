//! What a census comes to, in text and in JSON.

use indicatif::BinaryBytes;
use serde_json::{Map, Value, json};

use super::figures::{Figures, Group, Part, Use};
use crate::report::why::Why;
use crate::report::{notes, paint, words};

const NOT_READ: &str = "not read";
/// How many buckets and paths of a key are named in a line of text.
const NAMED: usize = notes::NAMED;

const COMPLETE: &str = "\
Complete: nothing on these drives needs another key. Backups and the journals of runs may.";
const NOT_COMPLETE: &str = "\
Not complete: of what was not looked at or not read nothing is known, and it may need a key that is not named here.";

/// Names what could not be read.
pub fn unread(path: &[u8], why: &Why, json: bool) -> String {
    if !json {
        return words::failure_lines(NOT_READ, why, path);
    }
    let path = Value::Object(words::path_fields(path));
    words::json_line(&json!({ "unread": path, "error": words::error_json(why) }))
}

/// For people. `is_all`: the census came to its end, and the store hides nothing.
pub fn text(figures: &Figures, is_all: bool) -> String {
    let rows = figures.groups().map(|(key, of, group)| {
        let key = match (key, of) {
            (Some(key), _) => iamseal::shown(key.as_bytes()),
            (None, Use::Default) => "the server's own".to_owned(),
            (None, _) => "not named".to_owned(),
        };
        let is_object = matches!(of, Use::S3 | Use::Kms | Use::Other);
        let [versions, bytes] = match is_object {
            true => [
                group.versions.to_string(),
                BinaryBytes(group.bytes).to_string(),
            ],
            false => [String::new(), String::new()],
        };
        let objects = group.objects.to_string();
        vec![
            key,
            of.words().to_owned(),
            objects,
            versions,
            bytes,
            place(group),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let mut lines = Vec::new();
    match rows.is_empty() {
        true => lines.push("No key of a KMS is named by anything that was looked at.".to_owned()),
        false => {
            let header = ["key", "needed for", "objects", "versions", "bytes", "where"];
            lines.push(paint::table(&header, rows));
        }
    }
    let customer = &figures.customer;
    if customer.objects > 0 {
        lines.push(format!(
            "SSE-C: {} objects ({} versions, {}) need keys that clients bring, and none of the KMS: {}",
            customer.objects,
            customer.versions,
            BinaryBytes(customer.bytes),
            place(customer)
        ));
    }
    if figures.root_credential > 0 {
        lines.push(format!(
            "{} objects of IAM are in the root-credential form: they need a root credential, and no key of a KMS.",
            figures.root_credential
        ));
    }
    for part in Part::ALL {
        if let Some(count) = figures.looked.get(&part) {
            lines.push(looked(figures, part, *count));
        }
    }
    for part in Part::ALL {
        if let Some(why) = figures.not_looked.get(&part) {
            lines.push(format!("Not looked at: {}: {why}.", part.words()));
        } else if !figures.looked.contains_key(&part) {
            lines.push(format!(
                "Not looked at, or not to the end: {}.",
                part.words()
            ));
        }
    }
    if figures.damaged > 0 {
        lines.push(format!(
            "{} objects were read though some drives' xl.meta of them is damaged.",
            figures.damaged
        ));
    }
    if figures.unread > 0 {
        lines.push(format!("Not read: {}.", figures.unread));
    }
    if figures.nameless() > 0 {
        lines.push(format!(
            "{} need a key and do not name it here.",
            figures.nameless()
        ));
    }
    if figures.has_more_keys {
        lines.push("More keys are named than are counted.".to_owned());
    }
    if !is_all {
        lines.push(notes::NOT_ALL_SEEN.to_owned());
    }
    let is_complete = is_all && figures.is_complete();
    lines.push(if is_complete { COMPLETE } else { NOT_COMPLETE }.to_owned());
    lines.join("\n")
}

fn looked(figures: &Figures, part: Part, count: u64) -> String {
    let words = part.words();
    match part {
        Part::Config => format!("Looked at: {words}: {count} objects."),
        Part::Tiers if count == 0 => "Looked at: tiers: there are none.".to_owned(),
        Part::Tiers => "Looked at: tiers.".to_owned(),
        Part::Buckets => format!("Looked at: {words}: of {count} buckets."),
        Part::Objects => format!(
            "Looked at: {words}: {} objects with {} versions in {count} buckets.",
            figures.objects, figures.versions
        ),
        Part::Uploads => format!("Looked at: {words}: {count}."),
    }
}

/// Where the first of a group are.
fn place(group: &Group) -> String {
    let some = |all: &mut dyn Iterator<Item = &Vec<u8>>, has_more: bool| {
        let mut named: Vec<String> = all.take(NAMED).map(|one| iamseal::shown(one)).collect();
        named.extend(has_more.then(|| "…".to_owned()));
        named.join(", ")
    };
    let buckets = group.buckets.len();
    let has_more = buckets > NAMED || group.has_more_buckets;
    let of_buckets = some(&mut group.buckets.iter(), has_more);
    let paths = group.first.iter().filter(|path| !path.ends_with(b"/"));
    let has_more = group.objects > NAMED as u64;
    let of_paths = some(&mut paths.into_iter(), has_more);
    match (of_buckets.is_empty(), of_paths.trim_start_matches('…')) {
        (true, _) => of_paths,
        (false, "") => of_buckets,
        (false, _) => format!("{of_buckets}: {of_paths}"),
    }
}

/// A line for each key and use, and the summary.
pub fn json(figures: &Figures, is_all: bool, interrupted: bool) -> String {
    let lines = figures.groups().map(|(key, of, group)| {
        let mut fields = group_fields(group);
        fields.insert("key".into(), json!(key));
        fields.insert("use".into(), of.name().into());
        Value::Object(fields)
    });
    let mut lines: Vec<String> = lines.map(|line| words::json_line(&line)).collect();
    let looked = |part: Part| {
        let why = figures.not_looked.get(&part);
        let count = figures.looked.get(&part);
        json!({"part": part.name(), "looked_at": count.is_some(), "count": count, "why": why})
    };
    let parts: Vec<Value> = Part::ALL.into_iter().map(looked).collect();
    let summary = json!({
        "keys": figures.keys().collect::<Vec<_>>(),
        "complete": is_all && figures.is_complete(),
        "parts": parts,
        "objects": figures.objects,
        "versions": figures.versions,
        "customer": group_fields(&figures.customer),
        "root_credential": figures.root_credential,
        "nameless": figures.nameless(),
        "damaged": figures.damaged,
        "unread": figures.unread,
        "interrupted": interrupted,
    });
    lines.push(words::json_line(&json!({ "summary": summary })));
    lines.join("\n")
}

fn group_fields(group: &Group) -> Map<String, Value> {
    let named = |path: &Vec<u8>| Value::Object(words::path_fields(path));
    let mut fields = Map::new();
    fields.insert("objects".into(), group.objects.into());
    fields.insert("versions".into(), group.versions.into());
    fields.insert("bytes".into(), group.bytes.into());
    let buckets = group.buckets.iter();
    let buckets: Vec<_> = buckets.map(|name| String::from_utf8_lossy(name)).collect();
    fields.insert("buckets".into(), json!(buckets));
    fields.insert("more_buckets".into(), group.has_more_buckets.into());
    let paths = group.first.iter().filter(|path| !path.ends_with(b"/"));
    fields.insert("first".into(), paths.map(named).collect());
    fields
}
