//! Migrations of a store of plaintext objects, and what became of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::store::Store;
use super::{Ended, KEY, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::decode;

/// The kinds of names that IAM has.
pub const NAMES: [&[u8]; 7] = [
    b"config/iam/format.json",
    b"config/iam/users/alice/identity.json",
    b"config/iam/policydb/users/uid=bob smith,ou=people,dc=example,dc=org.json",
    b"config/iam/policydb/groups/cn=a\\,b \"c\" <d>&e,dc=example.json",
    "config/iam/groups/grün 日本語😀/members.json".as_bytes(),
    b"config/iam/users/ba\xff\xfeutf8/identity.json",
    b"config/history/0.kv",
];

/// A store of plaintext objects, each with content of its own.
pub fn plain() -> Store {
    Store::of(NAMES.map(|name| (name, content(name))))
}

pub fn content(name: &[u8]) -> String {
    json!({"version": 1, "name": String::from_utf8_lossy(name)}).to_string()
}

/// A migration with both keys lent.
pub fn migrate(store: &Store, to: &str) -> Tool {
    tool(with(&format!("migrate --json --to {to}"), store.root()))
        .key(KEY)
        .file("--keys", &format!("{OTHER_KEY}\n{KEY}"))
}

/// The one outcome that all objects had, and how many of them there were; checks the sums.
#[track_caller]
pub fn outcomes(ended: &Ended) -> BTreeMap<String, u64> {
    let mut lines = ended.json();
    let summary = lines.pop().unwrap()["summary"].clone();
    let mut outcomes = BTreeMap::new();
    for line in &lines {
        let outcome = line["outcome"].as_str().unwrap().to_owned();
        *outcomes.entry(outcome).or_default() += 1;
    }
    assert_eq!(summary["objects"], lines.len());
    assert_eq!(summary["interrupted"], false);
    let mut counts = BTreeMap::new();
    for count in summary["counts"].as_array().unwrap() {
        let verdict = count["outcome"].as_str().unwrap().to_owned();
        *counts.entry(verdict).or_default() += count["objects"].as_u64().unwrap();
    }
    assert_eq!(counts, outcomes);
    outcomes
}

#[track_caller]
pub fn all(ended: &Ended, outcome: &str) {
    let count = NAMES.len() as u64;
    assert_eq!(outcomes(ended), [(outcome.to_owned(), count)].into());
}

/// What each object opens as with this key alone, by its path.
pub fn forms(store: &Store, key: &str) -> BTreeMap<Vec<u8>, Value> {
    let ended = tool(with("audit --json", store.root())).key(key).ok();
    let mut lines = ended.json();
    lines.pop();
    let path = |line: &Value| match line["path_b64"].as_str() {
        Some(encoded) => decode(encoded),
        None => line["path"].as_str().unwrap().into(),
    };
    lines
        .iter()
        .map(|line| (path(line), line["found"].clone()))
        .collect()
}

/// The paths that a run said it had migrated. Its last line may be cut.
#[track_caller]
pub fn reported(ended: &Ended) -> Vec<String> {
    let lines = ended.text().split_inclusive('\n');
    lines
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["outcome"] == "migrated")
        .map(|line| line["path"].as_str().unwrap().to_owned())
        .collect()
}
