//! What an audit says of one object.

use serde_json::{Map, Value, json};

use super::cause::Cause;
use super::tally::Tally;
use super::why::Why;
use super::words;
use crate::contract::{Finding, Verdict};

const OPENS: &str = "opens";
/// What an object is called that does not open, or is not what it should be.
pub const FAILS: &str = "fails";

/// Adds it to the run's counts.
pub fn count(finding: &Finding, tally: &mut Tally) {
    match &finding.verdict {
        Verdict::Opens(found) => tally.opened(OPENS, found),
        Verdict::Exempt(_) => tally.exempt(),
        Verdict::Fails(failure) => tally.failed(FAILS, Why::from(failure).cause),
    }
}

/// Why it fails, if it does.
pub fn cause(finding: &Finding) -> Option<Cause> {
    match &finding.verdict {
        Verdict::Fails(failure) => Some(Why::from(failure).cause),
        Verdict::Opens(_) | Verdict::Exempt(_) => None,
    }
}

/// For people.
pub fn text_line(finding: &Finding) -> String {
    let path = &finding.path;
    match &finding.verdict {
        Verdict::Opens(found) => {
            let form = words::form_name(found.form);
            words::object_line(OPENS, form, &words::opened_with(found), path)
        }
        Verdict::Exempt(reason) => words::exempt_lines(reason, path),
        Verdict::Fails(failure) => words::failure_lines(FAILS, &failure.into(), path),
    }
}

/// One line of JSON.
pub fn json_line(finding: &Finding) -> String {
    words::json_line(&Value::Object(fields(finding)))
}

/// The fields of that line.
pub fn fields(finding: &Finding) -> Map<String, Value> {
    let mut fields = words::path_fields(&finding.path);
    fields.insert("size".into(), json!(finding.size));
    fields.insert("key".into(), json!(finding.key));
    let (verdict, name, value) = match &finding.verdict {
        Verdict::Opens(found) => (OPENS, "found", words::found_json(found)),
        Verdict::Exempt(reason) => ("exempt", "reason", json!(reason)),
        Verdict::Fails(failure) => (FAILS, "error", words::error_json(&failure.into())),
    };
    fields.insert("verdict".into(), verdict.into());
    fields.insert(name.into(), value);
    fields
}
