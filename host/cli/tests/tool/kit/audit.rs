//! What an audit printed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Ended;

/// The finding about each path, and the summary that comes last.
pub fn findings(ended: &Ended) -> (BTreeMap<String, Value>, Value) {
    let mut lines = ended.json();
    let summary = lines.pop().unwrap()["summary"].clone();
    let count = lines.len();
    let findings: BTreeMap<_, _> = lines
        .into_iter()
        .map(|line| (line["path"].as_str().unwrap().to_owned(), line))
        .collect();
    assert_eq!(findings.len(), count, "a path was reported twice");
    (findings, summary)
}
